"""More buyers than a pool has places, each with a seat of their own: it fills to the last place and no further."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from core.db import Database
from models import Cabin, Pool
from services.holds.placing import SoldOut
from tests.factories.holds import place, pools, seats
from tests.factories.schedules import Schedule

SEATS = tuple(f"{row}{column}" for row in (2, 3) for column in "ABCD")
PLACES = 5


@pytest.fixture(autouse=True)
async def few_places(schedule: Schedule, database: Database) -> None:
    """Eight seats, of which five may be sold."""
    async with database.transaction() as session:
        await session.execute(text("UPDATE pools SET authorised = :places WHERE code = 'ECONOMY'"), {"places": PLACES})


async def test_as_many_win_as_there_are_places(crowd: Database, schedule: Schedule) -> None:
    outcomes = await asyncio.gather(*(place(crowd, schedule.first, unit) for unit in SEATS), return_exceptions=True)
    won = {unit for unit, outcome in zip(SEATS, outcomes, strict=True) if isinstance(outcome, UUID)}
    assert len(won) == PLACES
    assert sum(isinstance(outcome, SoldOut) for outcome in outcomes) == len(SEATS) - PLACES
    assert await seats(crowd, schedule.first) == dict.fromkeys(sorted(won), "LOCKED")
    assert await pools(crowd, schedule.first) == {"ECONOMY": (PLACES, 0), "FIRST": (0, 0)}


async def test_a_pair_never_gets_half_of_the_last_place(crowd: Database, schedule: Schedule) -> None:
    pairs = [SEATS[index : index + 2] for index in range(0, len(SEATS), 2)]
    outcomes = await asyncio.gather(*(place(crowd, schedule.first, *pair) for pair in pairs), return_exceptions=True)
    assert sum(isinstance(outcome, UUID) for outcome in outcomes) == 2
    assert sum(isinstance(outcome, SoldOut) for outcome in outcomes) == 2
    assert len(await seats(crowd, schedule.first)) == 4
    assert await pools(crowd, schedule.first) == {"ECONOMY": (4, 0), "FIRST": (0, 0)}


async def test_control_counting_before_taking_oversells(crowd: Database, schedule: Schedule) -> None:
    together = asyncio.Barrier(len(SEATS))
    economy = Pool.slot_id == schedule.first, Pool.code == Cabin.ECONOMY

    async def naive() -> bool:
        async with crowd.transaction() as session:
            pool = (await session.execute(select(Pool.held, Pool.authorised).where(*economy))).one()
            await together.wait()
            fits = pool.held + 1 <= pool.authorised
            if fits:
                await session.execute(update(Pool).where(*economy).values(held=pool.held + 1))
            return bool(fits)

    assert sum(await asyncio.gather(*(naive() for _ in SEATS))) == len(SEATS) > PLACES
    assert await pools(crowd, schedule.first) == {"ECONOMY": (1, 0), "FIRST": (0, 0)}
