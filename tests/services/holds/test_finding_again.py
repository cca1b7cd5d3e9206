"""What a dead hold kept is found again and sold at once: all of its places, or none; a lost seat is a place without."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from core.db import Database
from services import holds, invariants
from services.holds import HoldExpired, PlacesGone, SalesClosed
from tests.factories.holds import CAUSE, everything, facts, hold, place, pools, seats, want
from tests.factories.places import classes, counts, set_pool
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock

MINUTE = timedelta(minutes=1)


async def found(database: Database, hold_id: UUID) -> dict[int, tuple[str, ...]] | None:
    """Find a hold's places again and sell them; the seats that were lost, or None where somebody had sold them."""
    async with database.transaction() as session:
        again = await holds.find_again(session, hold_id)
        if again is None:
            return None
        await holds.sell_found(session, again, CAUSE)
        return {some.slot_id: some.units for some in again.lost}


async def expire(database: Database) -> int:
    async with database.transaction() as session:
        return await holds.expire_due(session, 100)


async def status(database: Database, hold_id: UUID) -> str:
    async with database.reading() as session:
        return str(await session.scalar(text("SELECT status FROM holds WHERE id = :id"), {"id": hold_id}))


async def assert_sound(database: Database) -> None:
    """No invariant of seats and pools is broken; that no booking owns what is sold here is as these tests want it."""
    broken = {one.name: one.broken for one in await invariants.check(database) if one.broken}
    assert set(broken) <= {"Pools have sold what bookings own"}


@pytest.fixture
async def dead(database: Database, held: UUID, noon: datetime) -> UUID:
    """That hold, a minute after its deadline, written down as EXPIRED."""
    await set_clock(database, noon + 16 * MINUTE)
    assert await expire(database) == 1
    return held


async def test_free_seats_are_the_holds_again_and_sold(database: Database, schedule: Schedule, dead: UUID) -> None:
    assert await found(database, dead) == {}
    assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "BOOKED"}
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 2), "FIRST": (0, 0)}
    assert await status(database, dead) == "BOOKED"
    assert (await facts(database))[-3:] == [
        ("seat.locked", f"slot:{schedule.first}"),
        ("seat.booked", f"slot:{schedule.first}"),
        ("hold.booked", f"hold:{dead}"),
    ]
    await assert_sound(database)


async def test_whether_its_end_was_written_down_makes_no_difference(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    await set_clock(database, noon + 16 * MINUTE)
    await place(database, schedule.first, "2B")
    assert await found(database, held) == {schedule.first: ("2B",)}
    assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "LOCKED"}
    assert await pools(database, schedule.first) == {"ECONOMY": (1, 2), "FIRST": (0, 0)}
    assert await status(database, held) == "BOOKED"
    await assert_sound(database)


async def test_a_seat_that_is_somebody_elses_is_a_place_without_one(
    database: Database, schedule: Schedule, dead: UUID
) -> None:
    await place(database, schedule.first, "2B")
    assert await found(database, dead) == {schedule.first: ("2B",)}
    assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "LOCKED"}
    assert await pools(database, schedule.first) == {"ECONOMY": (1, 2), "FIRST": (0, 0)}
    assert ("places.booked", f"slot:{schedule.first}") in await facts(database)
    await assert_sound(database)


async def test_a_blocked_seat_is_lost_as_well(database: Database, schedule: Schedule, dead: UUID) -> None:
    async with database.transaction() as session:
        await holds.block(session, schedule.first, ["2A"], CAUSE)
    assert await found(database, dead) == {schedule.first: ("2A",)}
    assert await seats(database, schedule.first) == {"2A": "BLOCKED", "2B": "BOOKED"}
    await assert_sound(database)


async def test_a_seat_of_a_hold_that_died_unwritten_is_free(
    database: Database, schedule: Schedule, dead: UUID, noon: datetime
) -> None:
    await place(database, schedule.first, "2B", minutes=5)
    await set_clock(database, noon + 22 * MINUTE)
    assert await found(database, dead) == {}
    assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "BOOKED"}
    assert await expire(database) == 1
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 2), "FIRST": (0, 0)}
    await assert_sound(database)


async def test_seats_that_were_forgotten_are_free(database: Database, schedule: Schedule, dead: UUID) -> None:
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM claims"))
    assert await found(database, dead) == {}
    assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "BOOKED"}


async def test_a_seat_that_the_flight_has_no_more_is_lost(database: Database, schedule: Schedule, dead: UUID) -> None:
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM claims"))
        await session.execute(text("DELETE FROM layout_units WHERE unit = '2A'"))
    assert await found(database, dead) == {schedule.first: ("2A",)}
    assert await seats(database, schedule.first) == {"2B": "BOOKED"}


async def test_places_without_a_seat_are_found_too(database: Database, schedule: Schedule, noon: datetime) -> None:
    kept = (await hold(database, want(schedule.first, quantities={"ECONOMY": 3}))).id
    await set_clock(database, noon + 16 * MINUTE)
    assert await expire(database) == 1
    assert await found(database, kept) == {}
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 3), "FIRST": (0, 0)}
    await assert_sound(database)


async def test_a_full_cabin_has_nothing_to_be_found(database: Database, schedule: Schedule, dead: UUID) -> None:
    await hold(database, want(schedule.first, quantities={"ECONOMY": 7}))
    before = await everything(database)
    with pytest.raises(PlacesGone) as refusal:
        await found(database, dead)
    assert refusal.value.pools == ((schedule.first, "ECONOMY"),)
    assert await everything(database) == before


async def test_all_flights_or_none(database: Database, schedule: Schedule, noon: datetime) -> None:
    both = (await hold(database, want(schedule.first, "2A"), want(schedule.second, "2A"))).id
    await set_clock(database, noon + 16 * MINUTE)
    assert await expire(database) == 1
    await hold(database, want(schedule.second, quantities={"ECONOMY": 8}))
    before = await everything(database)
    with pytest.raises(PlacesGone) as refusal:
        await found(database, both)
    assert refusal.value.pools == ((schedule.second, "ECONOMY"),)
    assert await everything(database) == before


async def test_dead_holds_that_fill_the_cabin_make_room_once_they_are_written_down(
    database: Database, schedule: Schedule, dead: UUID, noon: datetime
) -> None:
    await hold(database, want(schedule.first, quantities={"ECONOMY": 8}), minutes=5)
    await set_clock(database, noon + 22 * MINUTE)
    with pytest.raises(PlacesGone) as refusal:
        await found(database, dead)
    async with database.transaction() as session:
        assert await holds.expire_due_in(session, refusal.value.pools) == 1
    assert await found(database, dead) == {}
    await assert_sound(database)


async def test_a_booking_class_counts_what_is_found_and_refuses_what_it_has_not(
    database: Database, schedule: Schedule, noon: datetime
) -> None:
    first, second = [await place(database, schedule.first, unit) for unit in ("2A", "2B")]
    for one in (first, second):
        async with database.transaction() as session:
            await holds.assign_classes(session, await holds.lock(session, one), {schedule.first: "M"})
    await set_clock(database, noon + 16 * MINUTE)
    assert await expire(database) == 2
    await set_pool(database, schedule.first, "ECONOMY", class_limits=[8, 1])
    assert await found(database, first) == {}
    assert await classes(database, schedule.first) == {"Y": (0, 0), "M": (0, 1)}
    before = await everything(database)
    with pytest.raises(PlacesGone) as refusal:
        await found(database, second)
    assert refusal.value.pools == ((schedule.first, "ECONOMY"),)
    assert await everything(database) == before
    await assert_sound(database)


@pytest.mark.parametrize("change", ["status = 'CLOSED'", "starts_at = jetway_now()"])
async def test_a_flight_that_is_not_sold_any_more_is_not_sold_late(database: Database, dead: UUID, change: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(f"UPDATE slots SET {change}"))  # noqa: S608 - the two above
    before = await everything(database)
    with pytest.raises(SalesClosed):
        await found(database, dead)
    assert await everything(database) == before


async def test_what_is_sold_already_is_not_sold_again(database: Database, schedule: Schedule, dead: UUID) -> None:
    assert await found(database, dead) == {}
    assert await found(database, dead) is None
    assert await counts(database, schedule.first) == (0, 2, 0)


async def test_what_was_given_back_is_not_found(database: Database, held: UUID) -> None:
    async with database.transaction() as session:
        await holds.release(session, held, CAUSE)
    before = await everything(database)
    with pytest.raises(HoldExpired):
        await found(database, held)
    assert await everything(database) == before


async def test_a_hold_that_lives_is_left_alone(database: Database, held: UUID) -> None:
    before = await everything(database)
    with pytest.raises(HoldExpired):
        await found(database, held)
    assert await everything(database) == before
