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


@pytest.mark.parametrize("turns", range(1, 9))
async def test_whatever_was_given_up_the_next_is_committed(writers: Writers, database: Database, turns: int) -> None:
    """Given up after so many turns of the loop: before, while and after the transaction begins."""

    async def short() -> None:
        async with writers.transaction() as writer:
            await writer.fetch("SELECT 1")

    await short()
    task = asyncio.create_task(short())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    async with writers.transaction() as writer:
        await writer.fetch(WRITE)
    assert await count(database) == 1
    await writers.fetch("DELETE FROM airports WHERE iata_code = 'XXA'")
    assert await count(database) == 0


@pytest.mark.parametrize("during", [False, True])
async def test_a_connection_that_is_lost_in_the_middle_is_unavailable(
    writers: Writers, database: Database, during: bool
) -> None:
    begun: asyncio.Queue[int] = asyncio.Queue()
    ended = asyncio.Event()

    async def slow() -> None:
        async with writers.transaction() as writer:
            await writer.fetch(WRITE)
            ((pid,),) = await writer.fetch("SELECT pg_backend_pid()")
            begun.put_nowait(pid)
            if not during:
                await ended.wait()
            await writer.fetch("SELECT pg_sleep(60)")

    task = asyncio.create_task(slow())
    async with database.transaction() as session:
        await session.fetch("SELECT pg_terminate_backend($1::int, 5000)", await begun.get())
    ended.set()
    with pytest.raises(Unavailable):
        await task
    async with writers.transaction() as writer:
        assert [row[0] for row in await writer.fetch(COUNT)] == [0]


async def test_a_database_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        async with Writers("postgresql://jetway@127.0.0.1:1/jetway", 1).transaction():
            pass
