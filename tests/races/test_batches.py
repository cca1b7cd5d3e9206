"""Batches that meet: whoever finds the world changed judges it anew, and nobody waits in a circle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest
from sqlalchemy import text

from core.db import Database
from tests.factories.holds import key, pools, seats
from tests.factories.requests import outcomes, request, take
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

Rivals = tuple[asyncpg.Connection, asyncpg.Connection]


@pytest.fixture
async def rivals(database: Database) -> AsyncIterator[Rivals]:
    """Two processes' connections."""
    async with AsyncExitStack() as stack:
        made = [await database.connect(lock_timeout="20s") for _ in range(2)]
        for connection in made:
            stack.push_async_callback(connection.close)
        yield made[0], made[1]


async def test_the_same_key_in_two_batches_is_one_hold(rivals: Rivals, database: Database, schedule: Schedule) -> None:
    same = key()
    first, again = (request(schedule.first, "2A", with_key=same) for _ in range(2))
    async with rivals[0].transaction():
        assert outcomes(await take(rivals[0], first)) == ["PLACED"]
        late = asyncio.create_task(take(rivals[1], again, request(schedule.first, "3A")))
        await until_blocked(database)
    answers = await late
    assert outcomes(answers) == ["REPLAYED", "PLACED"]
    assert answers[0].hold_id == first.hold_id
    assert await seats(database, schedule.first) == {"2A": "LOCKED", "3A": "LOCKED"}


async def test_a_key_whose_first_request_came_to_nothing_is_free(
    rivals: Rivals, database: Database, schedule: Schedule
) -> None:
    same = key()
    undone = rivals[0].transaction()
    await undone.start()
    await take(rivals[0], request(schedule.first, "2A", with_key=same))
    late = asyncio.create_task(take(rivals[1], request(schedule.first, "2A", with_key=same)))
    await until_blocked(database)
    await undone.rollback()
    assert outcomes(await late) == ["PLACED"]


async def test_who_loses_a_race_leaves_its_seats_to_its_neighbour(
    rivals: Rivals, database: Database, schedule: Schedule
) -> None:
    async with rivals[0].transaction():
        await take(rivals[0], request(schedule.first, "2A"))
        late = asyncio.create_task(
            take(rivals[1], request(schedule.first, "2A", "2B"), request(schedule.first, "2B", "2C"))
        )
        await until_blocked(database)
    answers = await late
    assert outcomes(answers) == ["UNITS_TAKEN", "PLACED"]
    assert answers[0].taken == ((schedule.first, "2A"),)
    assert await seats(database, schedule.first) == dict.fromkeys(("2A", "2B", "2C"), "LOCKED")
    assert await pools(database, schedule.first) == {"ECONOMY": (3, 0), "FIRST": (0, 0)}


async def test_a_pool_that_shrank_meanwhile_is_given_out_anew(
    rivals: Rivals, database: Database, schedule: Schedule
) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE pools SET authorised = 2 WHERE code = 'ECONOMY'"))
    async with rivals[0].transaction():
        await take(rivals[0], request(schedule.first, quantities={"ECONOMY": 1}))
        wanted = [request(schedule.first, quantities={"ECONOMY": count}) for count in (2, 1)]
        late = asyncio.create_task(take(rivals[1], *wanted))
        await until_blocked(database)
    answers = await late
    assert outcomes(answers) == ["POOL_FULL", "PLACED"]
    assert answers[0].details["left"] == 1
    assert await pools(database, schedule.first) == {"ECONOMY": (2, 0), "FIRST": (0, 0)}


async def test_batches_in_opposite_orders_do_not_wait_in_a_circle(
    rivals: Rivals, database: Database, schedule: Schedule
) -> None:
    keys = sorted(key() for _ in range(4))
    one = [request(schedule.first, "2A", with_key=keys[0]), request(schedule.second, "3A", with_key=keys[3])]
    two = [request(schedule.second, "3A", with_key=keys[2]), request(schedule.first, "2A", with_key=keys[1])]
    for _ in range(20):
        answers = await asyncio.gather(take(rivals[0], *one), take(rivals[1], *two))
        assert sorted(map(outcomes, answers)) == [["PLACED", "PLACED"], ["UNITS_TAKEN", "UNITS_TAKEN"]]
        async with database.transaction() as session:
            for table in ("claims", "hold_items", "holds", "idempotency_keys"):
                await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
            await session.execute(text("UPDATE pools SET held = 0"))


async def test_control_one_request_after_the_other_waits_in_a_circle(rivals: Rivals, schedule: Schedule) -> None:
    one = [request(schedule.first, "2A"), request(schedule.second, "3A")]
    two = [request(schedule.second, "3A"), request(schedule.first, "2A")]
    together = asyncio.Barrier(2)

    async def naive(connection: asyncpg.Connection, first: object, second: object) -> None:
        async with connection.transaction():
            await take(connection, first)  # type: ignore[arg-type]
            await together.wait()
            await take(connection, second)  # type: ignore[arg-type]

    ends = await asyncio.gather(naive(rivals[0], *one), naive(rivals[1], *two), return_exceptions=True)
    assert [type(end) for end in ends if end is not None] == [asyncpg.DeadlockDetectedError]
