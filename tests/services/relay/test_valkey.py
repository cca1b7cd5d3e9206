"""What Redis Streams hold: each fact once, in its place; and again what Valkey lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from core.db import Database
from services.relay import Relay, ToValkey
from services.relay.valkey import AGAIN, EVERYTHING, PREFIX
from tests.factories.facts import record, relay_all, told

LOCKED, CREATED = ("seat.locked", "slot:1"), ("booking.created", "booking:a")


@pytest.fixture
async def heard(redis_url: str) -> AsyncIterator[PubSub]:
    """What a live client of slot 1 hears."""
    async with Redis.from_url(redis_url) as redis, redis.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe("slot:1")
        await channel.get_message(timeout=5)
        yield channel


async def count(channel: PubSub) -> int:
    """How many messages came since the last look."""
    found = 0
    while await channel.get_message(timeout=0.2):
        found += 1
    return found


async def positions(redis: Redis, stream: str) -> list[str]:
    return [entry.decode() for entry, _ in await redis.xrange(stream) or [] if isinstance(entry, bytes)]


async def test_entries_bear_their_positions_and_topics_hold_one_kind(
    database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection
) -> None:
    await record(database, LOCKED, CREATED, LOCKED)
    await relay_all(relay, lead)
    assert await positions(redis, EVERYTHING) == ["1-0", "2-0", "3-0"]
    assert await positions(redis, f"{PREFIX}seat.locked") == ["1-0", "3-0"]
    assert await positions(redis, f"{PREFIX}booking.created") == ["2-0"]


async def test_what_comes_late_from_a_deposed_leader_is_refused(
    database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection, heard: PubSub
) -> None:
    late = ToValkey(redis)
    await late.begin(0, 0)
    await record(database, LOCKED, CREATED)
    await relay_all(relay, lead)
    assert await count(heard) == 1
    early = await lead.fetch("SELECT position, id, kind, stream, payload::text FROM facts ORDER BY position")
    await record(database, LOCKED)
    await relay_all(relay, lead)
    assert await late.tell(early) == 2
    assert await told(redis) == [(1, *LOCKED), (2, *CREATED), (3, *LOCKED)]
    assert await count(heard) == 2  # a live client goes by position


async def test_what_valkey_lost_is_added_again_and_not_published_again(
    database: Database, database_url: str, redis: Redis, relay: Relay, lead: asyncpg.Connection, heard: PubSub
) -> None:
    await record(database, LOCKED, CREATED, LOCKED)
    await relay_all(relay, lead)
    await redis.flushall()
    await redis.xadd(EVERYTHING, {"fact": b'{"position": 1, "kind": "seat.locked", "stream": "slot:1"}'}, "1-0")
    assert await count(heard) == 2
    await record(database, LOCKED)
    assert await relay_all(Relay(database_url, ToValkey(redis)), lead) == 3
    assert await told(redis) == [(1, *LOCKED), (2, *CREATED), (3, *LOCKED), (4, *LOCKED)]
    assert await count(heard) == 1


async def test_of_a_long_past_only_the_end_is_added_again(redis: Redis) -> None:
    assert await ToValkey(redis).begin(5 * AGAIN, 5 * AGAIN) == 4 * AGAIN


async def test_streams_of_another_past_begin_anew(
    database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection
) -> None:
    for stream in (EVERYTHING, f"{PREFIX}seat.locked"):
        await redis.xadd(stream, {"fact": b"{}"}, "900-0")
    await redis.set(f"{PREFIX}setting", "kept")
    await record(database, LOCKED)
    await relay_all(relay, lead)
    assert await told(redis) == [(1, *LOCKED)]
    assert await positions(redis, f"{PREFIX}seat.locked") == ["1-0"]
    assert await redis.get(f"{PREFIX}setting") == b"kept"
