"""Readers: single statements that only read, each on a connection that nobody else uses meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Unavailable
from core.readers import Readers
from core.settings import asyncpg_url

ME = "SELECT pg_backend_pid()"


@pytest.fixture
async def readers(database_url: str) -> AsyncIterator[Readers]:
    """At most two connections."""
    made = Readers(database_url, 2)
    yield made
    await made.close()


async def pid(readers: Readers) -> int:
    ((number,),) = await readers.fetch(ME)
    return int(number)


async def test_nothing_is_written(readers: Readers) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await readers.fetch("UPDATE relay_heads SET position = 7 RETURNING 1")
    assert [tuple(row) for row in await readers.fetch("SELECT position FROM relay_heads")] == [(0,)]


async def test_a_connection_is_used_again_after_a_refusal_too(readers: Readers) -> None:
    first = await pid(readers)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await readers.fetch("SELECT 1 / $1::int", 0)
    with pytest.raises(asyncpg.DataError):
        await readers.fetch("SELECT $1::int", "no number")
    assert await pid(readers) == first


async def test_there_are_never_more_than_agreed_and_everybody_is_answered(readers: Readers) -> None:
    asked = [readers.fetch("SELECT pg_backend_pid(), $1::int, pg_sleep(0.01)", number) for number in range(9)]
    rows = [row for (row,) in await asyncio.gather(*asked)]
    assert [number for _, number, _ in rows] == list(range(9))
    assert len({backend for backend, _, _ in rows}) == 2


async def test_whoever_stops_waiting_leaves_no_answer_to_others(readers: Readers) -> None:
    slow = asyncio.create_task(readers.fetch("SELECT 'late', pg_sleep(60)"))
    await asyncio.sleep(0.05)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    found = [await readers.fetch("SELECT $1::int", number) for number in range(4)]
    assert [row[0] for (row,) in found] == [0, 1, 2, 3]


async def test_a_connection_that_was_lost_is_replaced(readers: Readers, database: Database) -> None:
    lost = await pid(readers)
    async with database.transaction() as session:
        await session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": lost})
    for _ in range(2):
        try:
            assert await pid(readers) != lost
        except Unavailable:
            continue
        break
    else:
        pytest.fail("the connection was not replaced")


async def test_a_database_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await Readers("postgresql://jetway@127.0.0.1:1/jetway", 1).fetch(ME)


async def test_a_session_answers_with_what_it_wrote_itself(database: Database) -> None:
    position = "SELECT position FROM relay_heads WHERE position >= $1"
    async with database.transaction() as session:
        await session.execute(text("UPDATE relay_heads SET position = 7"))
        assert [tuple(row) for row in await session.fetch(position, 7)] == [(7,)]
        assert list(await database.reader().fetch(position, 7)) == []
    assert [tuple(row) for row in await database.reader().fetch(position, 7)] == [(7,)]


async def test_whoever_has_written_reads_the_primary(database_url: str) -> None:
    away = asyncpg_url("postgresql://jetway@127.0.0.1:1/jetway")
    database = Database(asyncpg_url(database_url), away)
    assert [tuple(row) for row in await database.reader(primary=True).fetch("SELECT 1")] == [(1,)]
    with pytest.raises(Unavailable):
        await database.reader().fetch("SELECT 1")
    await database.close()
