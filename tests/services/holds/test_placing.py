"""A hold takes everything it asks for, or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Invalid, NotFound, Unavailable
from models import HoldStatus
from services import holds
from services.holds import Placer, SalesClosed, SeatsTaken, SoldOut, UnknownPool, Want
from services.holds.moves import ClassClosed
from services.holds.requests import Item
from services.idempotency import KeyReused
from services.seats import Plans, UnknownSeat, states
from tests.factories.holds import GUEST, everything, key, placing, pools, seats, want
from tests.factories.schedules import Schedule


@pytest.fixture
async def placer(database: Database) -> AsyncIterator[Placer]:
    """This process's Placer."""
    async with placing(database) as made:
        yield made


async def change(database: Database, statement: str, **values: object) -> None:
    """Change something behind everybody's back."""
    async with database.transaction() as session:
        await session.execute(text(statement), values)


async def test_seats_of_two_flights_are_held_together(database: Database, schedule: Schedule, placer: Placer) -> None:
    wants = [want(schedule.second, "3D"), want(schedule.first, "2B", "2A", "1A")]
    placed = await placer.place(GUEST, wants, 15, key())
    async with database.reading() as session:
        kept = [(item.slot_id, item.pool, item.quantity, item.units) for item in await holds.items(session, placed.id)]
        first = {seat.number: seat.status for seat in await states(session, Plans(), schedule.first)}
        counts = (await session.execute(text("SELECT slot_id, code, held, sold FROM pools ORDER BY 1, 2"))).all()
        row = (await session.execute(text("SELECT created_at, expires_at, cap_at, status FROM holds"))).one()
        facts = (await session.execute(text("SELECT kind, stream, payload FROM facts ORDER BY id"))).all()
    assert kept == [
        (schedule.first, "ECONOMY", 2, ["2A", "2B"]),
        (schedule.first, "FIRST", 1, ["1A"]),
        (schedule.second, "ECONOMY", 1, ["3D"]),
    ]
    assert placed.items == tuple(Item(slot, pool, count, tuple(units), None) for slot, pool, count, units in kept)
    assert [number for number, status in first.items() if status == "LOCKED"] == ["1A", "2A", "2B"]
    assert [tuple(pool) for pool in counts] == [
        (schedule.first, "ECONOMY", 2, 0),
        (schedule.first, "FIRST", 1, 0),
        (schedule.second, "ECONOMY", 1, 0),
        (schedule.second, "FIRST", 0, 0),
    ]
    assert (placed.created_at, placed.expires_at, placed.cap_at, placed.status) == tuple(row)
    assert [(row.expires_at - row.created_at).total_seconds(), (row.cap_at - row.created_at).total_seconds()] == [
        15 * 60,
        30 * 60,
    ]
    assert [(fact.kind, fact.stream, fact.payload["slot"], fact.payload["hold"]) for fact in facts] == [
        ("seat.locked", f"slot:{schedule.first}", schedule.first, str(placed.id)),
        ("seat.locked", f"slot:{schedule.second}", schedule.second, str(placed.id)),
    ]
    assert sorted(seat["number"] for seat in facts[0].payload["seats"]) == ["1A", "2A", "2B"]


async def test_one_taken_seat_refuses_all_and_is_named(database: Database, schedule: Schedule, placer: Placer) -> None:
    await placer.place(GUEST, [want(schedule.first, "2B")], 15, key())
    before = await everything(database)
    wants = [want(schedule.first, "2A", "2B"), want(schedule.second, "2A")]
    with pytest.raises(SeatsTaken) as refusal:
        await placer.place(GUEST, wants, 15, key())
    assert refusal.value.taken == {schedule.first: ["2B"]}
    assert await everything(database) == before


async def test_the_same_key_is_the_same_hold(database: Database, schedule: Schedule, placer: Placer) -> None:
    same = key()
    first = await placer.place(GUEST, [want(schedule.first, "2A", "2B")], 15, same)
    before = await everything(database)
    assert await placer.place(GUEST, [want(schedule.first, "2B", "2A")], 15, same) == first
    with pytest.raises(KeyReused):
        await placer.place(GUEST, [want(schedule.first, "3A")], 15, same)
    with pytest.raises(KeyReused):
        await placer.place(GUEST, [want(schedule.first, "2A", "2B")], 10, same)
    assert await everything(database) == before


async def test_what_was_asked_is_what_the_key_stands_for(
    database: Database, schedule: Schedule, placer: Placer
) -> None:
    same, asked = key(), {"flight": schedule.first, "best": 1}
    first = await placer.place(GUEST, [want(schedule.first, "2A")], 15, same, operation="holdBest", asked=asked)
    again = await placer.place(GUEST, [want(schedule.first, "2B")], 15, same, operation="holdBest", asked=asked)
    assert again == first
    other = await placer.place(GUEST, [want(schedule.first, "2B")], 15, same)
    assert other.id != first.id
    assert await seats(database, schedule.first) == {"2A": "LOCKED", "2B": "LOCKED"}


BEGUN = "UPDATE slots SET starts_at = now() - interval '1 hour' WHERE id = :id"
CLOSED = "UPDATE slots SET status = 'CLOSED' WHERE id = :id"
MOVED = "UPDATE slots SET layout_id = :layout WHERE id = :id"
LAYOUT = """
    WITH made AS (INSERT INTO layouts (code, sections) VALUES ('other', '[]') RETURNING id)
    INSERT INTO layout_units SELECT made.id, '7A', 'ECONOMY', 7, 'A', 'WINDOW', false, false, false FROM made
    RETURNING layout_id
"""


async def other_layout(database: Database, slot_id: int) -> None:
    """Another aircraft flies: all there is on it is seat 7A."""
    async with database.transaction() as session:
        layout_id = (await session.execute(text(LAYOUT))).scalar_one()
        await session.execute(text(MOVED), {"layout": layout_id, "id": slot_id})


@pytest.mark.parametrize("since", [BEGUN, CLOSED, "DELETE FROM pools WHERE slot_id = :id"])
async def test_whoever_repeats_a_request_gets_its_first_answer_whatever_happened_since(
    database: Database, schedule: Schedule, placer: Placer, since: str
) -> None:
    same = key()
    first = await placer.place(GUEST, [want(schedule.first, "2A")], 15, same)
    await change(database, since, id=schedule.first)
    before = await everything(database)
    assert await placer.place(GUEST, [want(schedule.first, "2A")], 15, same) == first
    with pytest.raises(KeyReused):
        await placer.place(GUEST, [want(schedule.first, "2B")], 15, same)
    assert await everything(database) == before


async def test_even_where_the_seat_is_no_more(database: Database, schedule: Schedule, placer: Placer) -> None:
    same = key()
    first = await placer.place(GUEST, [want(schedule.first, "2A")], 15, same)
    await other_layout(database, schedule.first)
    before = await everything(database)
    async with placing(database) as elsewhere:
        assert await elsewhere.place(GUEST, [want(schedule.first, "2A")], 15, same) == first
        with pytest.raises(UnknownSeat):
            await elsewhere.place(GUEST, [want(schedule.first, "2A")], 15, key())
    assert await placer.place(GUEST, [want(schedule.first, "2A")], 15, same) == first
    assert await everything(database) == before


async def test_a_late_repetition_shows_what_the_hold_is_now(
    database: Database, schedule: Schedule, placer: Placer
) -> None:
    same = key()
    first = await placer.place(GUEST, [want(schedule.first, "2A")], 5, same)
    await pass_minutes(database, 5)
    assert (await placer.place(GUEST, [want(schedule.first, "2A")], 5, same)).status is HoldStatus.EXPIRED
    await placer.place(GUEST, [want(schedule.first, "2A")], 5, key())
    assert (await placer.place(GUEST, [want(schedule.first, "2A")], 5, same)).id == first.id


async def test_another_layout_is_read_and_the_request_prepared_anew(
    database: Database, schedule: Schedule, placer: Placer
) -> None:
    await placer.place(GUEST, [want(schedule.first, "2A")], 15, key())
    await other_layout(database, schedule.first)
    before = await everything(database)
    with pytest.raises(UnknownSeat):
        await placer.place(GUEST, [want(schedule.first, "2B")], 15, key())
    assert await everything(database) == before
    assert (await placer.place(GUEST, [want(schedule.first, "7A")], 15, key())).items[0].units == ("7A",)


async def test_an_expired_seat_is_free_before_any_sweeper(
    database: Database, schedule: Schedule, placer: Placer
) -> None:
    first = await placer.place(GUEST, [want(schedule.first, "2A", "2B")], 5, key())
    await pass_minutes(database, 5)
    second = await placer.place(GUEST, [want(schedule.first, "2B", "2C")], 5, key())
    assert second.id != first.id
    async with database.transaction() as session:
        assert await holds.expire_due(session, 100) == 1
        assert await holds.expire_due(session, 100) == 0
    async with database.reading() as session:
        held = (await session.execute(text("SELECT held FROM pools WHERE code = 'ECONOMY' ORDER BY slot_id"))).all()
        statuses = (await session.execute(text("SELECT status FROM holds ORDER BY created_at"))).all()
    now = await seats(database, schedule.first)
    assert [number for number, status in now.items() if status == "LOCKED"] == ["2B", "2C"]
    assert [row.held for row in held] == [2, 0]
    assert [row.status for row in statuses] == ["EXPIRED", "ACTIVE"]


@pytest.mark.parametrize("asked", [Want.__name__, "quantity"])
async def test_a_pool_full_of_expired_holds_is_relieved(
    database: Database, schedule: Schedule, placer: Placer, asked: str
) -> None:
    await change(database, "UPDATE pools SET authorised = 2 WHERE code = 'ECONOMY'")
    await placer.place(GUEST, [want(schedule.first, "2A", quantities={"ECONOMY": 1})], 5, key())
    before = await everything(database)
    one = want(schedule.first, "3A") if asked == "Want" else want(schedule.first, quantities={"ECONOMY": 1})
    with pytest.raises(SoldOut, match="Fewer seats are left") as refusal:
        await placer.place(GUEST, [one], 5, key())
    assert (refusal.value.slot_id, refusal.value.pool, refusal.value.left) == (schedule.first, "ECONOMY", 0)
    assert await everything(database) == before
    await pass_minutes(database, 5)
    await placer.place(GUEST, [one], 5, key())
    assert await pools(database, schedule.first) == {"ECONOMY": (1, 0), "FIRST": (0, 0)}


async def test_seats_and_places_are_counted_in_one_pool(database: Database, schedule: Schedule, placer: Placer) -> None:
    placed = await placer.place(GUEST, [want(schedule.first, "2A", quantities={"ECONOMY": 3, "FIRST": 1})], 15, key())
    assert placed.items == (
        Item(schedule.first, "ECONOMY", 4, ("2A",), None),
        Item(schedule.first, "FIRST", 1, (), None),
    )
    assert await pools(database, schedule.first) == {"ECONOMY": (4, 0), "FIRST": (1, 0)}
    await placer.place(GUEST, [want(schedule.first, quantities={"ECONOMY": 3})], 15, key())
    before = await everything(database)
    for more in (want(schedule.first, "2B", "2C"), want(schedule.first, "2B", quantities={"ECONOMY": 1})):
        with pytest.raises(SoldOut) as refusal:
            await placer.place(GUEST, [more], 15, key())
        assert refusal.value.left == 1
    assert await everything(database) == before


async def test_what_is_blocked_is_not_sold(database: Database, schedule: Schedule, placer: Placer) -> None:
    await change(database, "UPDATE pools SET blocked = 6 WHERE code = 'ECONOMY'")
    await placer.place(GUEST, [want(schedule.first, quantities={"ECONOMY": 1})], 15, key())
    before = await everything(database)
    with pytest.raises(SoldOut) as refusal:
        await placer.place(GUEST, [want(schedule.first, quantities={"ECONOMY": 2})], 15, key())
    assert refusal.value.left == 1
    assert await everything(database) == before


@pytest.fixture
async def nested(database: Database, schedule: Schedule) -> None:
    """ECONOMY sells 8 seats, of which at most 3 in M and Q, and 1 in Q; FIRST has no classes."""
    limits = "classes = '{Y,M,Q}', class_limits = '{8,3,1}', class_held = '{0,0,0}', class_sold = '{0,0,0}'"
    await change(database, f"UPDATE pools SET {limits} WHERE code = 'ECONOMY'")  # noqa: S608 - our own words
    none = "classes = '{}', class_limits = '{}', class_held = '{}', class_sold = '{}'"
    await change(database, f"UPDATE pools SET {none} WHERE code = 'FIRST'")  # noqa: S608 - our own words


@pytest.mark.usefixtures("nested")
async def test_a_class_sells_within_its_limit_and_those_above(
    database: Database, schedule: Schedule, placer: Placer
) -> None:
    def some(count: int, name: str) -> Sequence[Want]:
        return [want(schedule.first, quantities={"ECONOMY": count}, ECONOMY=name)]

    async def held() -> list[int]:
        async with database.reading() as session:
            counts = text("SELECT class_held FROM pools WHERE code = 'ECONOMY' AND slot_id = :id")
            return list((await session.execute(counts, {"id": schedule.first})).scalar_one())

    await placer.place(GUEST, some(1, "Q"), 15, key())
    await placer.place(GUEST, [want(schedule.first, "2A", ECONOMY="M")], 15, key())
    assert await held() == [0, 1, 1]
    before = await everything(database)
    for too_much in (some(1, "Q"), some(2, "M"), some(7, "Y"), some(1, "X")):
        with pytest.raises((ClassClosed, SoldOut)):
            await placer.place(GUEST, too_much, 15, key())
    assert await everything(database) == before
    await placer.place(GUEST, some(6, "Y"), 15, key())
    assert await held() == [6, 1, 1]
    await placer.place(GUEST, [want(schedule.first, "1A", FIRST="F")], 15, key())


async def test_a_pool_that_does_not_exist(database: Database, schedule: Schedule, placer: Placer) -> None:
    before = await everything(database)
    wants = [want(schedule.second, "2A"), want(schedule.first, quantities={"BUSINESS": 1})]
    with pytest.raises(UnknownPool) as refusal:
        await placer.place(GUEST, wants, 15, key())
    assert refusal.value.field == "flights.1.unassigned"
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("units", "quantities", "minutes", "idempotency_key", "field"),
    [
        ((), {}, 15, None, "flights.0.seats"),
        (("2A", "2A"), {}, 15, None, "flights.0.seats"),
        (tuple("ABCDEFGHJK"), {}, 15, None, "flights.0.seats"),
        (tuple("ABCDE"), {"ECONOMY": 5}, 15, None, "flights.0.seats"),
        ((), {"ECONOMY": 10}, 15, None, "flights.0.seats"),
        (("2A",), {"ECONOMY": 0}, 15, None, "flights.0.unassigned"),
        (("2A",), {"ECONOMY": -1}, 15, None, "flights.0.unassigned"),
        (("2A",), {}, 4, None, "minutes"),
        (("2A",), {}, 16, None, "minutes"),
        (("2A",), {}, 15, "not-a-uuid", "idempotencyKey"),
        (("99Z",), {}, 15, None, "flights.0.seats"),
    ],
)
async def test_refused_with_the_fields_name(
    database: Database,
    schedule: Schedule,
    placer: Placer,
    units: tuple[str, ...],
    quantities: dict[str, int],
    minutes: int,
    idempotency_key: str | None,
    field: str,
) -> None:
    before = await everything(database)
    wants = [want(schedule.first, *units, quantities=quantities)]
    with pytest.raises(Invalid) as refusal:
        await placer.place(GUEST, wants, minutes, idempotency_key or key())
    assert refusal.value.field == field
    assert isinstance(refusal.value, UnknownSeat) == (units == ("99Z",))
    assert await everything(database) == before


async def test_flights_are_named_once_and_there_are_not_too_many(
    database: Database, schedule: Schedule, placer: Placer
) -> None:
    before = await everything(database)
    for wants in ([], [want(schedule.first, "2A"), want(schedule.first, "2B")], [want(n, "2A") for n in range(7)]):
        with pytest.raises(Invalid) as refusal:
            await placer.place(GUEST, wants, 15, key())
        assert refusal.value.field == "flights"
    assert await everything(database) == before


@pytest.mark.parametrize("since", [BEGUN, CLOSED])
async def test_a_flight_that_is_not_sold_any_more(
    database: Database, schedule: Schedule, placer: Placer, since: str
) -> None:
    await change(database, since, id=schedule.first)
    before = await everything(database)
    for wants in ([want(schedule.first, "2A")], [want(schedule.first, quantities={"ECONOMY": 1})]):
        with pytest.raises(SalesClosed, match="not sold any more"):
            await placer.place(GUEST, wants, 15, key())
    assert await everything(database) == before


async def test_a_flight_that_never_was(database: Database, schedule: Schedule, placer: Placer) -> None:
    before = await everything(database)
    for wants in ([want(999_999, "2A")], [want(999_999, quantities={"ECONOMY": 1})]):
        with pytest.raises(NotFound):
            await placer.place(GUEST, [want(schedule.first, "2A"), *wants], 15, key())
    assert await everything(database) == before


async def test_nobody_is_served_once_it_is_closed(database: Database, schedule: Schedule) -> None:
    async with placing(database) as placer:
        await placer.place(GUEST, [want(schedule.first, "2A")], 15, key())
    before = await everything(database)
    with pytest.raises(Unavailable):
        await placer.place(GUEST, [want(schedule.first, "2B")], 15, str(uuid4()))
    assert await everything(database) == before


async def pass_minutes(database: Database, minutes: int) -> None:
    """Shift the database's clock: the one by which deadlines are decided."""
    await change(
        database,
        "CREATE OR REPLACE FUNCTION jetway_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS"
        f" $$ SELECT clock_timestamp() + interval '{minutes} minutes' $$",
    )
