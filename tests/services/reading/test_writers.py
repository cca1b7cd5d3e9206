"""Writers: transactions of plain statements, without a session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.db import Database
from core.errors import Unavailable
from core.readers import Writers

COUNT = "SELECT count(*) FROM airports WHERE iata_code = 'XXA'"
WRITE = """
    INSERT INTO airports (iata_code, name, city, country, zone, latitude, longitude)
    VALUES ('XXA', 'Nowhere', 'Nowhere', 'XX', 'UTC', 0, 0)
"""


@pytest.fixture
async def writers(database_url: str) -> AsyncIterator[Writers]:
    """At most one connection."""
    made = Writers(database_url, 1)
    yield made
    await made.close()


async def count(database: Database) -> int:
    ((found,),) = await database.reader(primary=True).fetch(COUNT)
    return int(found)


async def test_what_was_written_is_committed_when_the_block_ends(writers: Writers, database: Database) -> None:
    async with writers.transaction() as writer:
        await writer.fetch(WRITE)
        assert [row[0] for row in await writer.fetch(COUNT)] == [1]
        assert await count(database) == 0
    assert await count(database) == 1


async def test_nothing_is_left_of_a_block_that_raises(writers: Writers, database: Database) -> None:
    async def fail() -> None:
        async with writers.transaction() as writer:
            await writer.fetch(WRITE)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with writers.transaction() as writer:
        assert [row[0] for row in await writer.fetch(COUNT)] == [0]
    assert await count(database) == 0


async def test_nothing_is_left_of_whoever_stopped_waiting(writers: Writers, database: Database) -> None:
    async def slow() -> None:
        async with writers.transaction() as writer:
            await writer.fetch(WRITE)
            await writer.fetch("SELECT pg_sleep(60)")

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with writers.transaction() as writer:
        assert [row[0] for row in await writer.fetch("SELECT 1")] == [1]
    assert await count(database) == 0


async def test_a_database_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        async with Writers("postgresql://jetway@127.0.0.1:1/jetway", 1).transaction():
            pass
