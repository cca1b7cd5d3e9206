"""Every committed fact is told, in order, at least once."""

from __future__ import annotations

import asyncpg
import orjson
from redis.asyncio import Redis
from sqlalchemy import text

from core.db import Database
from services import outbox
from services.relay import Relay, ToValkey, lag
from tests.factories.facts import MADE_UP, record, relay_all, told


async def head(database: Database) -> int:
    async with database.reading() as session:
        return int((await session.execute(text("SELECT position FROM relay_heads"))).scalar_one())


async def test_facts_get_gapless_positions_in_the_order_of_their_ids(
    database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection
) -> None:
    await record(database, ("seat.locked", "slot:1"), ("seat.locked", "slot:2"))
    await record(database, ("seat.released", "slot:1"))
    assert await relay_all(relay, lead) == 3
    assert await told(redis) == [
        (1, "seat.locked", "slot:1"),
        (2, "seat.locked", "slot:2"),
        (3, "seat.released", "slot:1"),
    ]
    assert await head(database) == 3
    assert await relay_all(relay, lead) == 0


async def test_a_fact_that_commits_late_is_not_skipped(
    database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection
) -> None:
    async with database.transaction() as slow:
        await outbox.record(slow, "booking.created", "booking:a", {MADE_UP: True})
        await record(database, ("booking.created", "booking:b"))
        assert await relay_all(relay, lead) == 1
    assert await relay_all(relay, lead) == 1
    assert await told(redis) == [(1, "booking.created", "booking:b"), (2, "booking.created", "booking:a")]


async def test_a_fact_of_a_transaction_that_is_undone_is_never_told(
    database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection
) -> None:
    async with database.transaction() as session:
        await outbox.record(session, "booking.created", "booking:a", {MADE_UP: True})
        await session.rollback()
    await record(database, ("booking.created", "booking:b"))
    await relay_all(relay, lead)
    assert await told(redis) == [(1, "booking.created", "booking:b")]


async def test_a_channel_carries_the_facts_of_its_stream(
    database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection
) -> None:
    async with redis.pubsub(ignore_subscribe_messages=True) as listener:
        await listener.subscribe("slot:1")
        await listener.get_message(timeout=5)
        await record(database, ("seat.locked", "slot:2"))
        async with database.transaction() as session:
            await outbox.record(session, "seat.locked", "slot:1", {"seats": [{"number": "12Ä"}], MADE_UP: True})
        await relay_all(relay, lead)
        message = None
        while message is None:
            message = await listener.get_message(timeout=5)
    fact = orjson.loads(message["data"])
    assert (fact["position"], fact["kind"], fact["stream"]) == (2, "seat.locked", "slot:1")
    assert fact["payload"] == {"seats": [{"number": "12Ä"}], MADE_UP: True}


async def test_what_a_dead_leader_did_not_finish_is_told_again_with_the_same_positions(
    database: Database, database_url: str, redis: Redis, relay: Relay, lead: asyncpg.Connection
) -> None:
    await record(database, ("seat.locked", "slot:1"), ("seat.released", "slot:1"))
    await relay_all(relay, lead)
    await lead.execute("UPDATE relay_cursors SET position = 1")
    await record(database, ("seat.locked", "slot:1"))
    successor = Relay(database_url, ToValkey(redis))
    assert await relay_all(successor, lead) == 2
    assert [position for position, _, _ in await told(redis)] == [1, 2, 3]


async def test_the_lag_is_counted_until_all_is_told(
    database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection
) -> None:
    await record(database, ("seat.locked", "slot:1"), ("seat.locked", "slot:1"))
    async with database.reading() as session:
        (behind,) = await lag(session)
    await relay_all(relay, lead)
    async with database.reading() as session:
        (level,) = await lag(session)
    assert (behind.sink, behind.facts) == ("valkey", 2)
    assert behind.seconds > 0
    assert (level.facts, level.seconds) == (0, 0.0)
