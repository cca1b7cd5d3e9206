"""Facts, as services record them, and what came of them."""

from __future__ import annotations

from typing import Any

import asyncpg
import orjson
from redis.asyncio import Redis

from core import direct
from core.db import Database
from services import outbox
from services.relay import LOCK, SETTINGS, Relay
from services.relay.leading import take_lead
from services.relay.valkey import EVERYTHING


async def record(database: Database, *facts: tuple[str, str]) -> None:
    """Commit facts given by kind and stream, together."""
    async with database.transaction() as session:
        for kind, stream in facts:
            await outbox.record(session, kind, stream, {})


async def leader(database_url: str) -> asyncpg.Connection:
    """A connection with which a test plays the leading relay."""
    connection = await direct.connect(database_url, "test-relay", SETTINGS)
    assert await take_lead(connection, LOCK)
    return connection


async def relay_all(relay: Relay, connection: asyncpg.Connection) -> int:
    """Let the leader tell everything that is committed; how many facts it told."""
    told = 0
    while count := await relay.turn(connection):
        told += count
    return told


async def told(redis: Redis) -> list[tuple[int, str, str]]:
    """What the Redis Stream holds: position, kind and stream of each fact, from the oldest on."""
    entries: Any = await redis.xrange(EVERYTHING)
    facts = [orjson.loads(fields[b"fact"]) for _, fields in entries]
    return [(fact["position"], fact["kind"], fact["stream"]) for fact in facts]
