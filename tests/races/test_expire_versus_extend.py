"""A hold is extended at the moment at which the sweeper finds it due: whoever locks first decides."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from core.db import Database
from models import Hold, HoldStatus
from services import holds
from services.holds import HoldExpired
from tests.factories.holds import GUEST, facts, key, place, pools, seats
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked
from tests.fakes.clock import set_clock

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def held(database: Database, schedule: Schedule, noon: datetime) -> UUID:
    """A hold that ends a quarter past noon, one minute before that."""
    hold_id = await place(database, schedule.first, "2A", "2B")
    await set_clock(database, noon + 14 * MINUTE)
    return hold_id


async def expire(database: Database) -> int:
    async with database.transaction() as session:
        return await holds.expire_due(session, 10)


async def extend(database: Database, hold_id: UUID) -> datetime:
    async with database.transaction() as session:
        return (await holds.extend(session, hold_id, GUEST, key())).expires_at


async def status(database: Database, hold_id: UUID) -> HoldStatus:
    async with database.reading() as session:
        return (await session.get_one(Hold, hold_id)).status


async def relieve(database: Database, slot_id: int) -> int:
    async with database.transaction() as session:
        return await holds.expire_due_in(session, [(slot_id, "ECONOMY")])


async def test_extended_first_it_lives(database: Database, schedule: Schedule, held: UUID, noon: datetime) -> None:
    async with database.transaction() as session:
        await holds.extend(session, held, GUEST, key())
        await set_clock(database, noon + 16 * MINUTE)
        needy = asyncio.create_task(relieve(database, schedule.first))
        await until_blocked(database)
    assert await needy == 0
    assert await status(database, held) is HoldStatus.ACTIVE
    assert await seats(database, schedule.first) == {"2A": "LOCKED", "2B": "LOCKED"}
    assert await pools(database, schedule.first) == {"ECONOMY": (2, 0), "FIRST": (0, 0)}
    assert await facts(database) == [("seat.locked", f"slot:{schedule.first}"), ("hold.extended", f"hold:{held}")]


OLDEST = "holds WHERE expires_at = (SELECT min(expires_at) FROM holds)"


@pytest.mark.parametrize("row", ["claims WHERE unit = '2B'", OLDEST])
async def test_a_hold_that_is_stuck_keeps_no_other_waiting(
    database: Database, schedule: Schedule, held: UUID, noon: datetime, row: str
) -> None:
    other = await place(database, schedule.first, "3A")
    await set_clock(database, noon + 60 * MINUTE)
    async with database.transaction() as session:
        await session.execute(text(f"SELECT FROM {row} FOR UPDATE"))
        assert await expire(database) == 1
        assert (await status(database, held), await status(database, other)) == (HoldStatus.ACTIVE, HoldStatus.EXPIRED)
        assert await pools(database, schedule.first) == {"ECONOMY": (2, 0), "FIRST": (0, 0)}
    assert await expire(database) == 1
    assert await seats(database, schedule.first) == dict.fromkeys(("2A", "2B", "3A"), "AVAILABLE")
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}


async def test_expired_first_it_is_over(database: Database, schedule: Schedule, held: UUID, noon: datetime) -> None:
    async with database.transaction() as session:
        await set_clock(database, noon + 16 * MINUTE)
        assert await holds.expire_due(session, 10) == 1
        await set_clock(database, noon + 14 * MINUTE)
        late = asyncio.create_task(extend(database, held))
        await until_blocked(database)
    with pytest.raises(HoldExpired):
        await late
    assert await status(database, held) is HoldStatus.EXPIRED
    assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "AVAILABLE"}
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}


async def test_two_sweepers_give_back_once(database: Database, schedule: Schedule, held: UUID, noon: datetime) -> None:
    await set_clock(database, noon + 16 * MINUTE)
    async with database.transaction() as session:
        assert await holds.expire_due(session, 10) == 1
        assert await expire(database) == 0
        needy = asyncio.create_task(relieve(database, schedule.first))
        await until_blocked(database)
    assert await needy == 0
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}


async def test_control_not_looking_again_after_the_lock_ends_a_hold_that_lives(
    database: Database, held: UUID, noon: datetime
) -> None:
    async def naive() -> None:
        async with database.transaction() as session:
            due = select(Hold.id).where(Hold.expires_at <= text("jetway_now()"))
            ids = (await session.scalars(due)).all()
            await session.execute(update(Hold).where(Hold.id.in_(ids)).values(status=HoldStatus.EXPIRED))

    async with database.transaction() as session:
        deadline = (await holds.extend(session, held, GUEST, key())).expires_at
        await set_clock(database, noon + 16 * MINUTE)
        sweeper = asyncio.create_task(naive())
        await until_blocked(database)
    await sweeper
    assert deadline > noon + 16 * MINUTE
    assert await status(database, held) is HoldStatus.EXPIRED
