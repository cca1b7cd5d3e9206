"""One batch: each request is judged on its own, in order of arrival, and what loses touches nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text

from core.db import Database
from tests.factories.holds import everything, key, pools, seats
from tests.factories.requests import outcomes, request, take
from tests.factories.schedules import Schedule


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection for batches."""
    made = await database.connect(lock_timeout="5s")
    yield made
    await made.close()


async def authorise(database: Database, places: int) -> None:
    """Let so many seats of ECONOMY be sold."""
    async with database.transaction() as session:
        await session.execute(text("UPDATE pools SET authorised = :n WHERE code = 'ECONOMY'"), {"n": places})


async def test_a_loser_takes_nothing_from_those_after_it(
    connection: asyncpg.Connection, database: Database, schedule: Schedule
) -> None:
    wanted = [("2A", "2B"), ("2B", "2C"), ("2C", "2D"), ("1A", "2D")]
    answers = await take(connection, *(request(schedule.first, *units) for units in wanted))
    assert outcomes(answers) == ["PLACED", "UNITS_TAKEN", "PLACED", "UNITS_TAKEN"]
    assert [answer.taken for answer in answers[1::2]] == [((schedule.first, "2B"),), ((schedule.first, "2D"),)]
    assert await seats(database, schedule.first) == dict.fromkeys(("2A", "2B", "2C", "2D"), "LOCKED")
    assert await pools(database, schedule.first) == {"ECONOMY": (4, 0), "FIRST": (0, 0)}


async def test_a_batch_of_losers_draws_no_version_and_writes_nothing(
    connection: asyncpg.Connection, database: Database, schedule: Schedule
) -> None:
    await take(connection, request(schedule.first, "2A"))
    await authorise(database, 1)
    drawn, before = "SELECT last_value FROM claim_versions", await everything(database)
    version = await connection.fetchval(drawn)
    answers = await take(
        connection,
        request(schedule.first, "2A", "2B"),
        request(schedule.first, "2B"),
        request(schedule.first, quantities={"BUSINESS": 1, "ECONOMY": 1}),
        request(999_999, quantities={"ECONOMY": 1}),
    )
    assert outcomes(answers) == ["UNITS_TAKEN", "POOL_FULL", "NO_POOL", "NO_SLOT"]
    assert await everything(database) == before
    assert await connection.fetchval(drawn) == version


async def test_the_same_key_twice_in_a_batch_is_one_hold(
    connection: asyncpg.Connection, database: Database, schedule: Schedule
) -> None:
    same = key()
    first, again, other = (
        request(schedule.first, *units, with_key=same, asked=units[0]) for units in (["2A"], ["2A"], ["2B"])
    )
    answers = await take(connection, first, again, other)
    assert outcomes(answers) == ["PLACED", "REPLAYED", "KEY_REUSED"]
    assert answers[1].hold_id == answers[0].hold_id == first.hold_id
    assert await seats(database, schedule.first) == {"2A": "LOCKED"}
    assert outcomes(await take(connection, other, again)) == ["KEY_REUSED", "REPLAYED"]


async def test_a_losers_key_is_free(connection: asyncpg.Connection, database: Database, schedule: Schedule) -> None:
    same = key()
    loser, winner = request(schedule.first, "2A", with_key=same), request(schedule.first, "2B", with_key=same)
    answers = await take(connection, request(schedule.first, "2A"), loser, winner)
    assert outcomes(answers) == ["PLACED", "UNITS_TAKEN", "PLACED"]
    async with database.reading() as session:
        kept = (await session.execute(text("SELECT key, result_id FROM idempotency_keys"))).all()
    assert (same, winner.hold_id) in [tuple(row) for row in kept]
    assert len(kept) == 2


async def test_a_pool_is_given_out_in_order(
    connection: asyncpg.Connection, database: Database, schedule: Schedule
) -> None:
    await authorise(database, 5)
    wanted = [(2, ()), (0, ("2A", "2B")), (2, ()), (1, ()), (0, ("3A",))]
    answers = await take(
        connection, *(request(schedule.first, *units, quantities={"ECONOMY": count}) for count, units in wanted)
    )
    assert outcomes(answers) == ["PLACED", "PLACED", "POOL_FULL", "PLACED", "POOL_FULL"]
    assert [answer.details["left"] for answer in answers[2::2]] == [1, 0]
    assert await pools(database, schedule.first) == {"ECONOMY": (5, 0), "FIRST": (0, 0)}
    assert await seats(database, schedule.first) == {"2A": "LOCKED", "2B": "LOCKED"}


async def test_classes_are_given_out_in_order(
    connection: asyncpg.Connection, database: Database, schedule: Schedule
) -> None:
    async with database.transaction() as session:
        limits = "UPDATE pools SET class_limits = '{8,3}' WHERE code = 'ECONOMY'"  # of Y and M
        await session.execute(text(limits))
    wanted = [(2, "M"), (2, "M"), (5, "Y"), (1, "M"), (1, "Y"), (1, "Z")]
    answers = await take(
        connection,
        *(request(schedule.first, quantities={"ECONOMY": n}, classes={"ECONOMY": name}) for n, name in wanted),
    )
    assert outcomes(answers) == ["PLACED", "CLASS_FULL", "PLACED", "PLACED", "POOL_FULL", "NO_CLASS"]
    assert await connection.fetchval("SELECT class_held FROM pools WHERE code = 'ECONOMY' AND slot_id = $1", 1) == [
        5,
        3,
    ]


async def test_a_pool_without_classes_keeps_none(
    connection: asyncpg.Connection, database: Database, schedule: Schedule
) -> None:
    async with database.transaction() as session:
        none = "classes = '{}', class_limits = '{}', class_held = '{}', class_sold = '{}'"
        await session.execute(text(f"UPDATE pools SET {none} WHERE code = 'ECONOMY'"))  # noqa: S608 - ours
    answers = await take(connection, request(schedule.first, quantities={"ECONOMY": 2}, classes={"ECONOMY": "Y"}))
    assert outcomes(answers) == ["PLACED"]
    assert await connection.fetchval("SELECT booking_class FROM hold_items") is None
    assert await pools(database, schedule.first) == {"ECONOMY": (2, 0), "FIRST": (0, 0)}
