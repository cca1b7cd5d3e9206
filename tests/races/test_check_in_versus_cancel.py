"""A seat is checked in while it is given back: it is one or the other, never both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import select, update

from core.db import Database, Session
from core.errors import Conflict
from models import Claim, SeatStatus
from services import holds
from tests.factories.holds import CAUSE, place, seats, want
from tests.factories.places import counts
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

Step = Callable[[Session, UUID, int], Awaitable[None]]
CHECKED_IN, FREE = ("CHECKED_IN", (0, 2, 0)), ("AVAILABLE", (0, 0, 0))


@pytest.fixture
async def sold(database: Database, schedule: Schedule) -> UUID:
    """A hold of two seats that were sold."""
    hold_id = await place(database, schedule.first, "2A", "2B")
    async with database.transaction() as session:
        await holds.take_over(session, hold_id, CAUSE)
    return hold_id


async def check_in(session: Session, hold_id: UUID, slot_id: int) -> None:
    await holds.check_in(session, hold_id, [want(slot_id, "2A", "2B")])


async def give_back(session: Session, hold_id: UUID, slot_id: int) -> None:
    await holds.give_back(session, hold_id, [want(slot_id, "2A", "2B")])


async def commit(database: Database, step: Step, hold_id: UUID, slot_id: int) -> None:
    async with database.transaction() as session:
        await step(session, hold_id, slot_id)


@pytest.mark.parametrize(("first", "second", "end"), [(check_in, give_back, CHECKED_IN), (give_back, check_in, FREE)])
async def test_the_first_to_lock_wins_and_the_other_is_told(
    database: Database, schedule: Schedule, sold: UUID, first: Step, second: Step, end: tuple[str, object]
) -> None:
    async with database.transaction() as session:
        await first(session, sold, schedule.first)
        late = asyncio.create_task(commit(database, second, sold, schedule.first))
        await until_blocked(database)
    with pytest.raises(Conflict) as refusal:
        await late
    assert refusal.value.code == "SEATS_NOT_BOOKED"
    assert await seats(database, schedule.first) == dict.fromkeys(("2A", "2B"), end[0])
    assert await counts(database, schedule.first) == end[1]


async def test_control_looking_without_a_lock_lets_both_happen(
    database: Database, schedule: Schedule, sold: UUID
) -> None:
    together = asyncio.Barrier(2)

    async def naive(to: SeatStatus) -> bool:
        async with database.transaction() as session:
            found = set(await session.scalars(select(Claim.status).where(Claim.hold_id == sold)))
            await together.wait()
            if found == {SeatStatus.BOOKED}:
                await session.execute(update(Claim).where(Claim.slot_id == schedule.first).values(status=to))
            return found == {SeatStatus.BOOKED}

    assert all(await asyncio.gather(naive(SeatStatus.CHECKED_IN), naive(SeatStatus.AVAILABLE)))
