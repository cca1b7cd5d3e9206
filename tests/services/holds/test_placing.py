"""A hold takes everything it asks for, or nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Invalid, NotFound
from services import holds
from services.idempotency import KeyReused
from services.seats import Plans, UnknownSeat, states
from tests.factories.holds import GUEST, everything, key, want
from tests.factories.schedules import Schedule


async def test_seats_of_two_flights_are_held_together(database: Database, schedule: Schedule, plans: Plans) -> None:
    wants = [want(schedule.first, "2A", "2B", "1A"), want(schedule.second, "3D")]
    hold_id = await holds.place(database, plans, GUEST, wants, 15, key())
    async with database.reading() as session:
        kept = [(item.slot_id, item.pool, item.quantity, item.units) for item in await holds.items(session, hold_id)]
        first = {seat.number: seat.status for seat in await states(session, plans, schedule.first)}
        pools = (await session.execute(text("SELECT slot_id, code, held, sold FROM pools ORDER BY 1, 2"))).all()
        deadline = await session.execute(text("SELECT expires_at - created_at, cap_at - created_at FROM holds"))
        facts = (await session.execute(text("SELECT kind, stream FROM facts ORDER BY id"))).all()
    assert kept == [
        (schedule.first, "ECONOMY", 2, ["2A", "2B"]),
        (schedule.first, "FIRST", 1, ["1A"]),
        (schedule.second, "ECONOMY", 1, ["3D"]),
    ]
    assert [number for number, status in first.items() if status == "LOCKED"] == ["1A", "2A", "2B"]
    assert [tuple(pool) for pool in pools] == [
        (schedule.first, "ECONOMY", 2, 0),
        (schedule.first, "FIRST", 1, 0),
        (schedule.second, "ECONOMY", 1, 0),
        (schedule.second, "FIRST", 0, 0),
    ]
    assert [span.total_seconds() for span in deadline.one()] == [15 * 60, 30 * 60]
    assert [tuple(fact) for fact in facts] == [
        ("seat.locked", f"slot:{schedule.first}"),
        ("seat.locked", f"slot:{schedule.second}"),
    ]


async def test_one_taken_seat_refuses_all_and_is_named(database: Database, schedule: Schedule, plans: Plans) -> None:
    await holds.place(database, plans, GUEST, [want(schedule.first, "2B")], 15, key())
    before = await everything(database)
    wants = [want(schedule.first, "2A", "2B"), want(schedule.second, "2A")]
    with pytest.raises(holds.SeatsTaken) as refusal:
        await holds.place(database, plans, GUEST, wants, 15, key())
    assert refusal.value.taken == {schedule.first: ["2B"]}
    assert await everything(database) == before


async def test_the_same_key_is_the_same_hold(database: Database, schedule: Schedule, plans: Plans) -> None:
    same = key()
    first = await holds.place(database, plans, GUEST, [want(schedule.first, "2A", "2B")], 15, same)
    before = await everything(database)
    assert await holds.place(database, plans, GUEST, [want(schedule.first, "2B", "2A")], 15, same) == first
    with pytest.raises(KeyReused):
        await holds.place(database, plans, GUEST, [want(schedule.first, "3A")], 15, same)
    assert await everything(database) == before


async def test_an_expired_seat_is_free_before_any_sweeper(database: Database, schedule: Schedule, plans: Plans) -> None:
    first = await holds.place(database, plans, GUEST, [want(schedule.first, "2A", "2B")], 5, key())
    await pass_minutes(database, 5)
    second = await holds.place(database, plans, GUEST, [want(schedule.first, "2B", "2C")], 5, key())
    assert second != first
    async with database.transaction() as session:
        assert await holds.expire_due(session, 100) == 1
        assert await holds.expire_due(session, 100) == 0
    async with database.reading() as session:
        seats = {seat.number: str(seat.status) for seat in await states(session, plans, schedule.first)}
        held = (await session.execute(text("SELECT held FROM pools WHERE code = 'ECONOMY' ORDER BY slot_id"))).all()
        statuses = (await session.execute(text("SELECT status FROM holds ORDER BY created_at"))).all()
    assert [number for number, status in seats.items() if status == "LOCKED"] == ["2B", "2C"]
    assert [row.held for row in held] == [2, 0]
    assert [row.status for row in statuses] == ["EXPIRED", "ACTIVE"]


async def test_a_pool_full_of_expired_holds_is_relieved(database: Database, schedule: Schedule, plans: Plans) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE pools SET authorised = 2 WHERE code = 'ECONOMY'"))
    await holds.place(database, plans, GUEST, [want(schedule.first, "2A", "2B")], 5, key())
    before = await everything(database)
    with pytest.raises(Exception, match="Fewer seats are left"):
        await holds.place(database, plans, GUEST, [want(schedule.first, "3A")], 5, key())
    assert await everything(database) == before
    await pass_minutes(database, 5)
    await holds.place(database, plans, GUEST, [want(schedule.first, "3A", "3B")], 5, key())


@pytest.mark.parametrize(
    ("units", "minutes", "idempotency_key", "field"),
    [
        ((), 15, None, "flights.0.seats"),
        (("2A", "2A"), 15, None, "flights.0.seats"),
        (tuple("ABCDEFGHJK"), 15, None, "flights.0.seats"),
        (("2A",), 4, None, "minutes"),
        (("2A",), 16, None, "minutes"),
        (("2A",), 15, "not-a-uuid", "idempotencyKey"),
        (("99Z",), 15, None, "flights.0.seats"),
    ],
)
async def test_refused_with_the_fields_name(
    database: Database,
    schedule: Schedule,
    plans: Plans,
    units: tuple[str, ...],
    minutes: int,
    idempotency_key: str | None,
    field: str,
) -> None:
    before = await everything(database)
    with pytest.raises(Invalid) as refusal:
        await holds.place(database, plans, GUEST, [want(schedule.first, *units)], minutes, idempotency_key or key())
    assert refusal.value.field == field
    assert isinstance(refusal.value, UnknownSeat) == (units == ("99Z",))
    assert await everything(database) == before


async def test_a_flight_that_has_left_or_never_was(database: Database, schedule: Schedule, plans: Plans) -> None:
    before = await everything(database)
    with pytest.raises(NotFound):
        await holds.place(database, plans, GUEST, [want(999_999, "2A")], 15, key())
    async with database.transaction() as session:
        await session.execute(text("UPDATE slots SET status = 'CLOSED' WHERE id = :id"), {"id": schedule.first})
    with pytest.raises(Exception, match="not sold any more"):
        await holds.place(database, plans, GUEST, [want(schedule.first, "2A")], 15, key())
    assert await everything(database) == before


async def pass_minutes(database: Database, minutes: int) -> None:
    """Shift the database's clock: the one by which deadlines are decided."""
    async with database.transaction() as session:
        await session.execute(
            text(
                "CREATE OR REPLACE FUNCTION jetway_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS"
                f" $$ SELECT clock_timestamp() + interval '{minutes} minutes' $$"
            )
        )
