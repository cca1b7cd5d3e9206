"""More buyers than a booking class sells, each with a place of their own: it fills to its limit and no further."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select, text

from core.db import Database
from models import Cabin, Pool
from services import holds, pools
from services.holds import ClassClosed
from tests.factories.holds import CAUSE, place
from tests.factories.places import classes, set_pool
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

SEATS = tuple(f"{row}{column}" for row in (2, 3) for column in "ABCD")
Y, M = 6, 3


@pytest.fixture
async def held(schedule: Schedule, database: Database) -> list[UUID]:
    """Eight holds of a seat each, in a cabin that sells three of them in M and six in all."""
    await set_pool(database, schedule.first, "ECONOMY", class_limits=[Y, M])
    return [await place(database, schedule.first, unit) for unit in SEATS]


async def book(database: Database, hold_id: UUID, slot_id: int, wanted: str) -> None:
    async with database.transaction() as session:
        await holds.assign_classes(session, await holds.lock(session, hold_id), {slot_id: wanted})


@pytest.mark.parametrize(("wanted", "limit"), [("M", M), ("Y", Y)])
async def test_as_many_win_as_the_limit_says(
    crowd: Database, schedule: Schedule, held: list[UUID], wanted: str, limit: int
) -> None:
    buying = (book(crowd, hold_id, schedule.first, wanted) for hold_id in held)
    outcomes = await asyncio.gather(*buying, return_exceptions=True)
    assert outcomes.count(None) == limit
    assert sum(isinstance(outcome, ClassClosed) for outcome in outcomes) == len(SEATS) - limit
    assert (await classes(crowd, schedule.first))[wanted] == (limit, 0)


async def test_two_classes_at_once_keep_both_limits(crowd: Database, schedule: Schedule, held: list[UUID]) -> None:
    buying = (book(crowd, hold_id, schedule.first, "YM"[number % 2]) for number, hold_id in enumerate(held))
    await asyncio.gather(*buying, return_exceptions=True)
    found = await classes(crowd, schedule.first)
    assert found["M"][0] <= M
    assert found["Y"][0] + found["M"][0] == Y


async def test_who_books_while_staff_close_a_class_waits_and_finds_it_closed(
    database: Database, schedule: Schedule, held: list[UUID]
) -> None:
    async with database.transaction() as session:
        await pools.limit_class(session, schedule.first, Cabin.ECONOMY, "M", 0, CAUSE)
        late = asyncio.create_task(book(database, held[0], schedule.first, "M"))
        await until_blocked(database)
    with pytest.raises(ClassClosed):
        await late
    assert await classes(database, schedule.first) == {"Y": (0, 0), "M": (0, 0)}


async def test_what_is_counted_while_staff_set_limits_is_not_forgotten(
    crowd: Database, schedule: Schedule, held: list[UUID]
) -> None:
    async def limit(booking_class: str, most: int) -> None:
        async with crowd.transaction() as session:
            await pools.limit_class(session, schedule.first, Cabin.ECONOMY, booking_class, most, CAUSE)

    buying = [book(crowd, hold_id, schedule.first, "Y") for hold_id in held[:Y]]
    outcomes = await asyncio.gather(*buying, limit("M", 1), limit("M", 2), limit("Y", Y + 1), return_exceptions=True)
    assert outcomes == [None] * len(outcomes)
    assert await classes(crowd, schedule.first) == {"Y": (Y, 0), "M": (0, 0)}
    async with crowd.reading() as session:
        pool = await session.get_one(Pool, (schedule.first, Cabin.ECONOMY))
    assert pool.class_limits in ([Y + 1, 1], [Y + 1, 2])


async def test_control_looking_before_counting_sells_too_many(
    crowd: Database, schedule: Schedule, held: list[UUID]
) -> None:
    together = asyncio.Barrier(len(SEATS))
    economy = Pool.slot_id == schedule.first, Pool.code == Cabin.ECONOMY
    count = text("UPDATE pools SET class_held[2] = class_held[2] + 1 WHERE slot_id = :id AND code = 'ECONOMY'")

    async def naive() -> bool:
        async with crowd.transaction() as session:
            pool = (await session.scalars(select(Pool).where(*economy))).one()
            await together.wait()
            fits = pool.class_held[1] < pool.class_limits[1]
            if fits:
                await session.execute(count, {"id": schedule.first})
            return fits

    assert sum(await asyncio.gather(*(naive() for _ in SEATS))) == len(SEATS) > M
    assert (await classes(crowd, schedule.first))["M"] == (len(SEATS), 0)
