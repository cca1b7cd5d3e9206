"""What a pool may sell is changed while somebody holds of it: what is held never passes it."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, text, update

from core.db import Database
from models import Cabin, Pool
from services import pools
from services.holds import SoldOut
from services.pools import NotAuthorised
from tests.factories.holds import CAUSE, hold, want
from tests.factories.places import counts
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked


async def authorise(database: Database, slot_id: int, authorised: int) -> None:
    async with database.transaction() as session:
        await pools.authorise(session, slot_id, Cabin.ECONOMY, authorised, CAUSE)


async def places(database: Database, slot_id: int, count: int) -> None:
    await hold(database, want(slot_id, quantities={"ECONOMY": count}))


async def test_who_holds_waits_and_finds_too_little(database: Database, schedule: Schedule) -> None:
    async with database.transaction() as session:
        await pools.authorise(session, schedule.first, Cabin.ECONOMY, 3, CAUSE)
        late = asyncio.create_task(places(database, schedule.first, 4))
        await until_blocked(database)
    with pytest.raises(SoldOut):
        await late
    assert await counts(database, schedule.first) == (0, 0, 0)


async def test_of_many_at_once_nothing_passes_what_is_authorised(crowd: Database, schedule: Schedule) -> None:
    work = [places(crowd, schedule.first, 1) for _ in range(8)]
    work += [authorise(crowd, schedule.first, most) for most in (4, 5, 6)]
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    held, _, _ = await counts(crowd, schedule.first)
    async with crowd.reading() as session:
        pool = await session.get_one(Pool, (schedule.first, Cabin.ECONOMY))
    assert outcomes[:8].count(None) == held <= pool.authorised
    assert {type(outcome) for outcome in outcomes[:8]} <= {type(None), SoldOut}
    assert {type(outcome) for outcome in outcomes[8:]} <= {type(None), NotAuthorised}


async def overbook(database: Database, slot_id: int, overbooking: int) -> None:
    async with database.transaction() as session:
        await pools.set_overbooking(session, slot_id, Cabin.ECONOMY, overbooking, CAUSE)


async def test_who_lets_overbook_no_more_waits_and_sees_what_was_authorised(
    database: Database, schedule: Schedule
) -> None:
    await overbook(database, schedule.first, 2)
    async with database.transaction() as session:
        await pools.authorise(session, schedule.first, Cabin.ECONOMY, 10, CAUSE)
        late = asyncio.create_task(overbook(database, schedule.first, 1))
        await until_blocked(database)
    with pytest.raises(NotAuthorised):
        await late
    async with database.reading() as session:
        pool = await session.get_one(Pool, (schedule.first, Cabin.ECONOMY))
    assert (pool.authorised, pool.overbooking) == (10, 2)


async def test_places_beyond_the_cabin_go_to_as_many_as_are_authorised(crowd: Database, schedule: Schedule) -> None:
    await overbook(crowd, schedule.first, 2)
    await authorise(crowd, schedule.first, 9)
    outcomes = await asyncio.gather(*(places(crowd, schedule.first, 1) for _ in range(12)), return_exceptions=True)
    assert outcomes.count(None) == 9
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [SoldOut] * 3
    assert await counts(crowd, schedule.first) == (9, 0, 0)


async def test_control_looking_before_authorising_leaves_more_held_than_authorised(
    database: Database, schedule: Schedule
) -> None:
    economy = Pool.slot_id == schedule.first, Pool.code == Cabin.ECONOMY
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE pools DROP CONSTRAINT ck_pools_never_oversold"))
    async with database.transaction() as session:
        held = await session.scalar(select(Pool.held).where(*economy))
        await places(database, schedule.first, 4)
        await session.execute(update(Pool).where(*economy).values(authorised=held))
    assert held == 0
    assert await counts(database, schedule.first) == (4, 0, 0)


async def test_control_who_only_looks_is_stopped_by_the_table(database: Database, schedule: Schedule) -> None:
    economy = Pool.slot_id == schedule.first, Pool.code == Cabin.ECONOMY
    async with database.transaction() as session:
        held = await session.scalar(select(Pool.held).where(*economy))
        await places(database, schedule.first, 4)
        with pytest.raises(Exception, match="ck_pools_never_oversold"):
            await session.execute(update(Pool).where(*economy).values(authorised=held))
        await session.rollback()
