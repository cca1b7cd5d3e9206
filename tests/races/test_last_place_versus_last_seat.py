"""One place is left: somebody wants it with a seat, somebody without, and staff block a seat. It goes one way."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select, update

from core.db import Database
from models import Cabin, Pool
from services import holds
from services.holds import Placed, SoldOut
from tests.factories.holds import CAUSE, hold, place, seats, want
from tests.factories.places import counts, set_pool
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

SEATS = ("2A", "2B", "2C", "2D")
LEFT = 3


async def without_seat(database: Database, slot_id: int) -> Placed:
    return await hold(database, want(slot_id, quantities={"ECONOMY": 1}))


async def test_with_and_without_a_seat_no_more_are_held_than_there_are(crowd: Database, schedule: Schedule) -> None:
    await set_pool(crowd, schedule.first, "ECONOMY", authorised=LEFT)
    work = [place(crowd, schedule.first, unit) for unit in SEATS]
    outcomes = await asyncio.gather(
        *work, *(without_seat(crowd, schedule.first) for _ in SEATS), return_exceptions=True
    )
    with_seats = [unit for unit, one in zip(SEATS, outcomes, strict=False) if isinstance(one, UUID)]
    others = [one for one in outcomes if isinstance(one, Placed)]
    refusals = [one for one in outcomes if isinstance(one, SoldOut)]
    assert len(with_seats) + len(others) == LEFT
    assert len(refusals) == 2 * len(SEATS) - LEFT
    assert {one.left for one in refusals} == {0}
    assert await seats(crowd, schedule.first) == dict.fromkeys(with_seats, "LOCKED")
    assert await counts(crowd, schedule.first) == (LEFT, 0, 0)


async def test_who_wants_a_place_waits_for_who_blocks_a_seat(database: Database, schedule: Schedule) -> None:
    """The buyer and staff touch no common seat: it is the pool that tells them."""
    await hold(database, want(schedule.first, quantities={"ECONOMY": 7}))
    async with database.transaction() as session:
        await holds.block(session, schedule.first, ["3A"], CAUSE)
        late = asyncio.create_task(without_seat(database, schedule.first))
        await until_blocked(database)
    with pytest.raises(SoldOut) as refusal:
        await late
    assert refusal.value.left == 0
    assert await counts(database, schedule.first) == (7, 0, 1)


async def test_control_counting_seats_and_places_apart_sells_too_many(crowd: Database, schedule: Schedule) -> None:
    """Whoever looks how many are left, and counts afterwards, lets both have the last one."""
    await set_pool(crowd, schedule.first, "ECONOMY", authorised=1)
    together = asyncio.Barrier(2)
    economy = Pool.slot_id == schedule.first, Pool.code == Cabin.ECONOMY

    async def naive() -> bool:
        async with crowd.transaction() as session:
            pool = (await session.execute(select(Pool.held, Pool.authorised).where(*economy))).one()
            await together.wait()
            if pool.held < pool.authorised:
                await session.execute(update(Pool).where(*economy).values(held=pool.held + 1))
            return bool(pool.held < pool.authorised)

    assert all(await asyncio.gather(naive(), naive()))
    assert await counts(crowd, schedule.first) == (1, 0, 0)
