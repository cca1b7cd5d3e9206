"""Staff block a seat while somebody holds it: it is blocked or held, never both."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, text

from core.db import Database
from models import Claim
from services import holds
from services.holds import SeatsTaken
from tests.factories.holds import CAUSE, place, seats
from tests.factories.places import counts
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked


async def block(database: Database, slot_id: int, *units: str) -> None:
    async with database.transaction() as session:
        await holds.block(session, slot_id, units, CAUSE)


async def test_who_holds_waits_for_who_blocks_and_is_refused(database: Database, schedule: Schedule) -> None:
    async with database.transaction() as session:
        await holds.block(session, schedule.first, ["3A"], CAUSE)
        late = asyncio.create_task(place(database, schedule.first, "3A", "3B"))
        await until_blocked(database)
    with pytest.raises(SeatsTaken) as refusal:
        await late
    assert refusal.value.taken == {schedule.first: ["3A"]}
    assert await seats(database, schedule.first) == {"3A": "BLOCKED"}
    assert await counts(database, schedule.first) == (0, 0, 1)


async def test_of_many_at_once_each_seat_goes_one_way(crowd: Database, schedule: Schedule) -> None:
    units = ("2A", "2B", "2C", "2D")
    work = [block(crowd, schedule.first, unit) for unit in units] + [
        place(crowd, schedule.first, unit) for unit in units
    ]
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    refused = [isinstance(outcome, SeatsTaken) for outcome in outcomes]
    blocking, holding = refused[:4], refused[4:]
    assert [one != other for one, other in zip(blocking, holding, strict=True)] == [True] * 4
    expected = {unit: "LOCKED" if lost else "BLOCKED" for unit, lost in zip(units, blocking, strict=True)}
    assert await seats(crowd, schedule.first) == expected
    assert await counts(crowd, schedule.first) == (sum(blocking), 0, sum(holding))


async def test_staff_who_block_the_same_seats_do_not_wait_in_a_circle(crowd: Database, schedule: Schedule) -> None:
    orders = [("2A", "1A", "3A"), ("3A", "2A", "1A"), ("1A", "3A", "2A")] * 4
    await asyncio.gather(*(block(crowd, schedule.first, *units) for units in orders))
    assert await counts(crowd, schedule.first) == (0, 0, 2)
    assert await counts(crowd, schedule.first, "FIRST") == (0, 0, 1)


async def test_who_unblocks_leaves_alone_what_was_blocked_meanwhile(database: Database, schedule: Schedule) -> None:
    """1A is locked by nobody who unblocks: to lock it now, after 2A, would be the way into a circle."""
    await block(database, schedule.first, "2A")

    async def unblock() -> list[str]:
        async with database.transaction() as session:
            return await holds.unblock(session, schedule.first, ["1A", "2A"], CAUSE)

    async with database.transaction() as session:
        await session.execute(text("SELECT FROM claims WHERE unit = '2A' FOR UPDATE"))
        late = asyncio.create_task(unblock())
        await until_blocked(database)
        await block(database, schedule.first, "1A")
    assert await late == ["2A"]
    assert await seats(database, schedule.first) == {"1A": "BLOCKED", "2A": "AVAILABLE"}
    assert await counts(database, schedule.first, "FIRST") == (0, 0, 1)


async def test_control_looking_before_blocking_takes_a_held_seat(database: Database, schedule: Schedule) -> None:
    async with database.transaction() as session:
        free = await session.scalar(select(Claim.unit).where(Claim.unit == "3A")) is None
        await place(database, schedule.first, "3A")
        await session.execute(
            text(
                "INSERT INTO claims (slot_id, unit, status, version, changed_at)"
                " VALUES (:id, '3A', 'BLOCKED', nextval('claim_versions'), now())"
                " ON CONFLICT (slot_id, unit) DO UPDATE SET status = 'BLOCKED', hold_id = NULL, expires_at = NULL"
            ),
            {"id": schedule.first},
        )
    assert free
    assert await seats(database, schedule.first) == {"3A": "BLOCKED"}
    assert await counts(database, schedule.first) == (1, 0, 0)
