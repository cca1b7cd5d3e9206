"""A hold's deadline passes while its money comes: its seats are sold to one, whoever locks them first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text, update

from core.db import Database
from models import Claim, Hold, HoldStatus, SeatStatus
from services import holds
from services.holds import HoldExpired, SeatsTaken
from tests.factories.holds import CAUSE, place, pools, seats
from tests.factories.requests import outcomes, request, take
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked
from tests.fakes.clock import set_clock

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def held(database: Database, schedule: Schedule, noon: datetime) -> UUID:
    """A hold of two seats that ends a quarter past noon, one minute before that."""
    hold_id = await place(database, schedule.first, "2A", "2B")
    await set_clock(database, noon + 14 * MINUTE)
    return hold_id


@pytest.fixture
async def rival(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Another process's connection."""
    connection = await database.connect(lock_timeout="20s")
    yield connection
    await connection.close()


async def status(database: Database, hold_id: UUID) -> tuple[HoldStatus, datetime]:
    async with database.reading() as session:
        hold = await session.get_one(Hold, hold_id)
        return hold.status, hold.expires_at


async def expire(database: Database, slot_id: int) -> int:
    async with database.transaction() as session:
        return await holds.expire_due_in(session, [(slot_id, "ECONOMY")])


async def begin_payment(database: Database, hold_id: UUID) -> datetime:
    async with database.transaction() as session:
        return await holds.begin_payment(session, hold_id)


async def take_over(database: Database, hold_id: UUID) -> None:
    async with database.transaction() as session:
        await holds.take_over(session, hold_id, CAUSE)


async def test_a_payment_that_began_in_time_keeps_the_seats(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    async with database.transaction() as session:
        await holds.begin_payment(session, held)
        await set_clock(database, noon + 16 * MINUTE)
        needy = asyncio.create_task(expire(database, schedule.first))
        await until_blocked(database)
    assert await needy == 0
    assert await status(database, held) == (HoldStatus.ACTIVE, noon + 24 * MINUTE)
    assert await seats(database, schedule.first) == {"2A": "LOCKED", "2B": "LOCKED"}


async def test_a_payment_that_comes_too_late_does_not_begin(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    async with database.transaction() as session:
        await set_clock(database, noon + 16 * MINUTE)
        assert await holds.expire_due_in(session, [(schedule.first, "ECONOMY")]) == 1
        await set_clock(database, noon + 14 * MINUTE)
        late = asyncio.create_task(begin_payment(database, held))
        await until_blocked(database)
    with pytest.raises(HoldExpired):
        await late
    assert await status(database, held) == (HoldStatus.EXPIRED, noon + 15 * MINUTE)
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}


async def test_sold_late_but_first_they_are_sold(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    await set_clock(database, noon + 16 * MINUTE)
    async with database.transaction() as session:
        await holds.take_over(session, held, CAUSE)
        late = asyncio.create_task(place(database, schedule.first, "2B", "2C"))
        await until_blocked(database)
    with pytest.raises(SeatsTaken) as refusal:
        await late
    assert refusal.value.taken == {schedule.first: ["2B"]}
    assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "BOOKED"}
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 2), "FIRST": (0, 0)}


async def test_taken_by_the_next_buyer_first_they_are_not_sold(
    database: Database, schedule: Schedule, held: UUID, noon: datetime, rival: asyncpg.Connection
) -> None:
    await set_clock(database, noon + 16 * MINUTE)
    async with rival.transaction():
        assert outcomes(await take(rival, request(schedule.first, "2B"))) == ["PLACED"]
        late = asyncio.create_task(take_over(database, held))
        await until_blocked(database)
    with pytest.raises(HoldExpired):
        await late
    assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "LOCKED"}
    assert await status(database, held) == (HoldStatus.ACTIVE, noon + 15 * MINUTE)
    assert await expire(database, schedule.first) == 1
    assert await pools(database, schedule.first) == {"ECONOMY": (1, 0), "FIRST": (0, 0)}


async def test_control_looking_before_selling_sells_a_seat_that_another_holds(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    await set_clock(database, noon + 16 * MINUTE)
    async with database.transaction() as session:
        owners = set(await session.scalars(select(Claim.hold_id)))
        buyer = await place(database, schedule.first, "2B")
        both = Claim.slot_id == schedule.first, Claim.unit.in_(("2A", "2B"))
        await session.execute(
            update(Claim).where(*both).values(status=SeatStatus.BOOKED, hold_id=held, expires_at=None)
        )
    assert owners == {held}
    async with database.reading() as session:
        kept = text("SELECT units FROM hold_items WHERE hold_id = :id")
        assert await session.scalar(kept, {"id": buyer}) == ["2B"]
    assert await status(database, buyer) == (HoldStatus.ACTIVE, noon + 31 * MINUTE)
    assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "BOOKED"}
