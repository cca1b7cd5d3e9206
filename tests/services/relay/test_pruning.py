"""Facts that only live streams needed go after a while; bookings can be rebuilt for ever."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from redis.asyncio import Redis
from sqlalchemy import text

from core.db import Database
from services import live
from services.relay import Pruned, Relay, prune
from tests.factories.facts import record, relay_all

NOW = timedelta(0)


async def facts(database: Database) -> list[tuple[str, int | None]]:
    async with database.reading() as session:
        return [tuple(row) for row in await session.execute(text("SELECT kind, position FROM facts ORDER BY id"))]


async def test_told_facts_about_seats_and_holds_go_and_leave_a_mark(
    database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection
) -> None:
    await record(database, ("seat.locked", "slot:1"), ("hold.expired", "hold:a"), ("booking.created", "booking:b"))
    await record(database, ("flight.delayed", "slot:1"))
    await relay_all(relay, lead)
    await record(database, ("seat.released", "slot:1"))
    async with database.transaction() as session:
        assert await prune(session, 0, retention=NOW) == Pruned(reached=4, removed=2)
    assert await facts(database) == [("booking.created", 3), ("flight.delayed", 4), ("seat.released", None)]
    async with database.transaction() as session:
        assert await live.missed(session, ["slot:1"], 1) is None
        kept = await live.missed(session, ["slot:1"], 2)
    assert [fact.kind for fact in kept or []] == ["flight.delayed"]


async def test_nothing_young_goes(database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection) -> None:
    await record(database, ("seat.locked", "slot:1"))
    await relay_all(relay, lead)
    async with database.transaction() as session:
        assert await prune(session, 0) == Pruned(reached=0, removed=0)
    assert await facts(database) == [("seat.locked", 1)]


async def test_windows_follow_each_other(
    database: Database, redis: Redis, relay: Relay, lead: asyncpg.Connection
) -> None:
    await record(database, *[("seat.locked", "slot:1")] * 5)
    await relay_all(relay, lead)
    reached, removed = 0, list[int]()
    for _ in range(3):
        async with database.transaction() as session:
            pruned = await prune(session, reached, retention=NOW, size=2)
        reached, removed = pruned.reached, [*removed, pruned.removed]
    assert removed == [2, 2, 1]
    assert await facts(database) == []
