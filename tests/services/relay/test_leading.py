"""One relay leads; when it dies, or Valkey does, nothing is lost and nothing overtakes."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from redis.asyncio import Redis
from sqlalchemy import text

from core.db import Database
from core.embedded import EmbeddedValkey
from services.relay import Relay, ToValkey
from tests.factories.facts import record, told
from tests.fakes.relaying import running
from tests.fakes.waiting import eventually

LEADERS = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def leaders(database: Database) -> list[int]:
    async with database.reading() as session:
        return list((await session.scalars(text(LEADERS))).all())


async def nothing_waits(database: Database) -> bool:
    async with database.reading() as session:
        return not await session.scalar(
            text("SELECT coalesce(min(relay_cursors.position), -1) < (SELECT count(*) FROM facts) FROM relay_cursors")
        )


async def test_another_takes_over_when_the_leader_dies(database: Database, database_url: str, redis: Redis) -> None:
    admin = await asyncpg.connect(database_url)
    async with running(Relay(database_url, ToValkey(redis)), Relay(database_url, ToValkey(redis))):
        for _ in range(3):
            await eventually(lambda: some_lead(database))
            (before,) = await leaders(database)
            await record(database, ("seat.locked", "slot:1"))
            await admin.execute("SELECT pg_terminate_backend($1)", before)
            await record(database, ("seat.released", "slot:1"))
            await eventually(lambda: nothing_waits(database))
            (after,) = await leaders(database)
            assert after != before
    await admin.close()
    positions = list(dict.fromkeys(position for position, _, _ in await told(redis)))
    assert positions == [1, 2, 3, 4, 5, 6]


async def some_lead(database: Database) -> bool:
    return bool(await leaders(database))


async def test_facts_wait_for_valkey(database: Database, database_url: str, folder: Path) -> None:
    valkey = EmbeddedValkey(folder / "valkey-of-the-relay").start()
    async with Redis.from_url(valkey.url) as redis, running(Relay(database_url, ToValkey(redis))):
        await record(database, ("seat.locked", "slot:1"))
        await eventually(lambda: nothing_waits(database))
        valkey.kill()
        await record(database, ("seat.locked", "slot:2"), ("seat.locked", "slot:3"))
        await eventually(lambda: all_placed(database))
        assert not await nothing_waits(database)
        valkey.start()
        await record(database, ("seat.locked", "slot:4"))
        await eventually(lambda: nothing_waits(database))
        order = list(dict.fromkeys(stream for _, _, stream in await told(redis)))
    valkey.stop()
    assert order[-3:] == ["slot:2", "slot:3", "slot:4"]


async def all_placed(database: Database) -> bool:
    async with database.reading() as session:
        return not await session.scalar(text("SELECT EXISTS (SELECT FROM facts WHERE position IS NULL)"))
