"""The seat map: every seat where it stands, with its state at this moment and its price."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from core.db import Database
from core.money import Money
from models import Cabin, SeatPosition
from services import holds, live
from services.seats import Plans, SeatMap, seat_map, states
from tests.factories.holds import CAUSE, place
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock

LEGROOM, FREE = Money(39_00, "USD"), Money(0, "USD")


async def shown(database: Database, slot_id: int) -> SeatMap:
    async with database.reading() as session:
        found = await seat_map(session, Plans(), slot_id)
    assert found is not None
    return found


async def status_of(database: Database, slot_id: int) -> dict[str, str]:
    """The status of each seat, in the order of the map."""
    cabins = (await shown(database, slot_id)).cabins
    return {seat.number: str(seat.status) for cabin in cabins for row in cabin.rows for seat in row.seats}


async def test_cabins_rows_and_seats_stand_in_the_order_of_reading(database: Database, schedule: Schedule) -> None:
    cabins = (await shown(database, schedule.first)).cabins
    assert [(cabin.cabin, cabin.columns, cabin.aisles_after) for cabin in cabins] == [
        (Cabin.FIRST, ("A", "B", "C", "D"), ("B",)),
        (Cabin.ECONOMY, ("A", "B", "C", "D"), ("B",)),
    ]
    assert [[(row.number, row.exit_row) for row in cabin.rows] for cabin in cabins] == [
        [(1, False)],
        [(2, True), (3, False)],
    ]
    assert [seat.number for cabin in cabins for row in cabin.rows for seat in row.seats] == [
        f"{row}{column}" for row in (1, 2, 3) for column in "ABCD"
    ]


async def test_a_seat_tells_what_it_is_and_costs(database: Database, schedule: Schedule) -> None:
    first, economy = (await shown(database, schedule.first)).cabins
    window, aisle = economy.rows[0].seats[:2]
    assert (window.position, window.extra_legroom, window.accessible) == (SeatPosition.WINDOW, True, False)
    assert (window.status, window.version, window.price) == ("AVAILABLE", 0, LEGROOM)
    assert (aisle.column, aisle.position) == ("B", SeatPosition.AISLE)
    assert [(seat.price, seat.accessible) for seat in economy.rows[1].seats] == [
        (FREE, False),
        (FREE, True),
        (FREE, True),
        (FREE, False),
    ]
    assert {seat.price for row in first.rows for seat in row.seats} == {None}


async def test_a_seat_is_what_its_claim_says_at_this_moment(database: Database, schedule: Schedule) -> None:
    noon = datetime.now(UTC)
    await set_clock(database, noon)
    booked, released = await place(database, schedule.first, "1A"), await place(database, schedule.first, "3D")
    await place(database, schedule.first, "2A", minutes=5)
    await place(database, schedule.first, "2B", minutes=15)
    async with database.transaction() as session:
        await holds.take_over(session, booked, CAUSE)
        await holds.release(session, released, CAUSE)
        blocked = "INSERT INTO claims (slot_id, unit, status, version, changed_at)"
        blocked += " VALUES (:slot, '3A', 'BLOCKED', nextval('claim_versions'), jetway_now())"
        await session.execute(text(blocked), {"slot": schedule.first})
    taken = {"1A": "BOOKED", "2A": "LOCKED", "2B": "LOCKED", "3A": "BLOCKED"}
    free = {f"{row}{column}": "AVAILABLE" for row in (1, 2, 3) for column in "ABCD"}
    assert await status_of(database, schedule.first) == free | taken
    await set_clock(database, noon + timedelta(minutes=5))
    assert await status_of(database, schedule.first) == free | taken | {"2A": "AVAILABLE"}


async def test_flights_of_one_layout_do_not_share_their_claims(database: Database, schedule: Schedule) -> None:
    await place(database, schedule.first, "2A")
    assert set((await status_of(database, schedule.second)).values()) == {"AVAILABLE"}


async def test_what_flights_of_one_layout_share_is_never_changed(database: Database, schedule: Schedule) -> None:
    plans = Plans()
    before = await seat_map(database.reader(), plans, schedule.first)
    await place(database, schedule.first, "2A")
    taken = await seat_map(database.reader(), plans, schedule.first)
    other = await seat_map(database.reader(), plans, schedule.second)
    assert before is not None
    assert taken is not None
    assert other is not None
    assert taken.cabins[0] is other.cabins[0]
    assert taken.cabins[1].rows[1] is other.cabins[1].rows[1]
    assert [seat.status for seat in taken.cabins[1].rows[0].seats] == ["LOCKED", *["AVAILABLE"] * 3]
    assert other.cabins == before.cabins


async def test_new_charges_are_shown_at_once(database: Database, schedule: Schedule) -> None:
    plans = Plans()
    before = await seat_map(database.reader(), plans, schedule.first)
    async with database.transaction() as session:
        await session.execute(text("UPDATE seat_charges SET extra_legroom = 50_00"))
    after = await seat_map(database.reader(), plans, schedule.first)
    assert before is not None
    assert after is not None
    assert before.cabins[1].rows[0].seats[0].price == LEGROOM
    assert after.cabins[1].rows[0].seats[0].price == Money(50_00, "USD")


async def test_a_claim_on_a_seat_that_the_layout_has_not_is_not_shown(database: Database, schedule: Schedule) -> None:
    before = (await shown(database, schedule.first)).cabins
    async with database.transaction() as session:
        blocked = "INSERT INTO claims (slot_id, unit, status, version, changed_at)"
        blocked += " VALUES (:slot, '99Z', 'BLOCKED', nextval('claim_versions'), jetway_now())"
        await session.execute(text(blocked), {"slot": schedule.first})
    assert (await shown(database, schedule.first)).cabins == before


async def test_the_list_of_states_is_the_map(database: Database, schedule: Schedule) -> None:
    await place(database, schedule.first, "2A", "1B")
    async with database.reading() as session:
        listed = await states(session, Plans(), schedule.first)
    cabins = (await shown(database, schedule.first)).cabins
    mapped = [(s.number, s.status, s.version) for cabin in cabins for row in cabin.rows for s in row.seats]
    assert [(state.number, state.status, state.version) for state in listed] == mapped


async def test_the_cursor_is_how_far_the_facts_are_counted(database: Database, schedule: Schedule) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE relay_heads SET position = 41"))
    assert live.position_of((await shown(database, schedule.first)).cursor) == 41


async def test_where_seats_are_not_chosen_there_is_no_map(database: Database, schedule: Schedule) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE slots SET layout_id = NULL WHERE id = :id"), {"id": schedule.first})
    async with database.reading() as session:
        for slot_id in (schedule.first, 999_999):
            assert await seat_map(session, Plans(), slot_id) is None
            assert await states(session, Plans(), slot_id) == []


async def test_a_layout_is_read_once(database: Database, schedule: Schedule) -> None:
    plans = Plans()
    async with database.reading() as session:
        before = await seat_map(session, plans, schedule.first)
    async with database.transaction() as session:
        await session.execute(text("UPDATE layout_units SET extra_legroom = false"))
    async with database.reading() as session:
        assert await seat_map(session, plans, schedule.first) == before
        assert await seat_map(session, Plans(), schedule.first) != before
