"""A hold is given back while its money arrives: it is sold or free, never both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import update

from core.db import Database, Session
from models import Claim, Hold, HoldStatus, SeatStatus
from services import holds
from services.holds import HoldExpired
from tests.factories.holds import CAUSE, place, pools, seats
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

Step = Callable[[Session, UUID], Awaitable[object]]
SOLD = ({"2A": "BOOKED", "2B": "BOOKED"}, {"ECONOMY": (0, 2), "FIRST": (0, 0)}, HoldStatus.BOOKED)
FREE = ({"2A": "AVAILABLE", "2B": "AVAILABLE"}, {"ECONOMY": (0, 0), "FIRST": (0, 0)}, HoldStatus.RELEASED)


@pytest.fixture
async def held(database: Database, schedule: Schedule) -> UUID:
    """A hold of two seats."""
    return await place(database, schedule.first, "2A", "2B")


async def release(session: Session, hold_id: UUID) -> None:
    await holds.release(session, hold_id, CAUSE)


async def take_over(session: Session, hold_id: UUID) -> None:
    await holds.take_over(session, hold_id, CAUSE)


async def commit(database: Database, step: Step, hold_id: UUID) -> None:
    async with database.transaction() as session:
        await step(session, hold_id)


async def found(database: Database, slot_id: int, hold_id: UUID) -> tuple[object, object, HoldStatus]:
    """What became of the seats, the pools and the hold."""
    async with database.reading() as session:
        status = (await session.get_one(Hold, hold_id)).status
    return await seats(database, slot_id), await pools(database, slot_id), status


@pytest.mark.parametrize(("first", "second", "outcome"), [(release, take_over, FREE), (take_over, release, SOLD)])
async def test_the_first_to_lock_wins_and_the_other_is_told(
    database: Database, schedule: Schedule, held: UUID, first: Step, second: Step, outcome: object
) -> None:
    async with database.transaction() as session:
        await first(session, held)
        late = asyncio.create_task(commit(database, second, held))
        await until_blocked(database)
    with pytest.raises(HoldExpired):
        await late
    assert await found(database, schedule.first, held) == outcome


async def test_of_many_at_once_one_way_wins_whole(crowd: Database, schedule: Schedule, held: UUID) -> None:
    steps = [release, take_over] * 10
    outcomes = await asyncio.gather(*(commit(crowd, step, held) for step in steps), return_exceptions=True)
    refused = [step for step, outcome in zip(steps, outcomes, strict=True) if isinstance(outcome, HoldExpired)]
    end = await found(crowd, schedule.first, held)
    if end == SOLD:  # then one sale was made, and nothing was given back
        assert (refused.count(take_over), refused.count(release)) == (9, 10)
    else:  # giving back twice is no mistake, selling what was given back is
        assert end == FREE
        assert (refused.count(take_over), refused.count(release)) == (10, 0)


async def test_control_looking_without_a_lock_lets_both_happen(
    database: Database, schedule: Schedule, held: UUID
) -> None:
    together = asyncio.Barrier(2)

    async def naive(hold: HoldStatus, seat: SeatStatus) -> bool:
        async with database.transaction() as session:
            alive = (await session.get_one(Hold, held)).status is HoldStatus.ACTIVE
            await together.wait()
            if alive:
                values = {"status": seat, "expires_at": None}
                await session.execute(update(Claim).where(Claim.hold_id == held).values(values))
                await session.execute(update(Hold).where(Hold.id == held).values(status=hold))
            return alive

    both = (naive(HoldStatus.BOOKED, SeatStatus.BOOKED), naive(HoldStatus.RELEASED, SeatStatus.AVAILABLE))
    assert all(await asyncio.gather(*both))
