"""Leaders are killed, and stopped where they stand, while many write: each fact arrives, in order, and in one place."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from redis.asyncio import Redis
from sqlalchemy import text

from core.db import Database
from services import outbox
from services.relay.valkey import EVERYTHING, PREFIX
from tests.fakes.brokers import Brokers
from tests.fakes.relaying import Candidates, candidates
from tests.fakes.waiting import eventually

SLOTS = range(1, 5)
WRITERS = 8
HEARD = "SELECT min(position) FROM relay_cursors HAVING count(*) = 2"
"""What both sinks have heard."""

TURN = text("SELECT pg_advisory_xact_lock(:slot)")
"""Stands for the lock on the row of what the facts are about."""


class Writers:
    """Several of them write facts about each slot; the version says in which order."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.versions = dict.fromkeys(SLOTS, 0)

    async def write(self, slot: int) -> None:
        """One fact about the slot."""
        async with self._database.transaction() as session:
            await session.execute(TURN, {"slot": slot})
            version = self.versions[slot] + 1
            seats = [{"number": "12A", "status": "LOCKED", "version": version}]
            payload = {"slot": slot, "hold": None, "seats": seats}
            await outbox.record(session, "seat.locked", outbox.slot_stream(slot), payload)
            self.versions[slot] = version

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """They write until the block ends, and end with what they have begun."""
        over = asyncio.Event()

        async def one(number: int) -> None:
            while not over.is_set():
                await self.write(SLOTS[number % len(SLOTS)])
                await asyncio.sleep(0.005)

        async with asyncio.TaskGroup() as group:
            for number in range(WRITERS):
                group.create_task(one(number))
            try:
                yield
            finally:
                over.set()


class Listener:
    """A live client of all slots: what it heard, in order, repetitions included."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, int, int]] = []

    async def listen(self, redis: Redis, ready: asyncio.Event) -> None:
        """Listen for ever."""
        async with redis.pubsub() as channel:
            await channel.subscribe(*(outbox.slot_stream(slot) for slot in SLOTS))
            async for message in channel.listen():
                if message["type"] == "message":
                    self.heard.append(brief(message["data"]))
                else:
                    ready.set()


def first_times(heard: Iterable[tuple[int, int, int]]) -> dict[int, list[int]]:
    """The versions of each slot in the order in which each was heard first."""
    versions: dict[int, list[int]] = defaultdict(list)
    for _, slot, version in dict.fromkeys(heard):
        versions[slot].append(version)
    return versions


def brief(message: bytes) -> tuple[int, int, int]:
    """The position of a fact, its slot, and the version."""
    fact = orjson.loads(message)
    return fact["position"], fact["payload"]["slot"], fact["payload"]["seats"][0]["version"]


async def test_nothing_is_lost_when_leaders_are_killed_or_stand_still(
    database: Database, database_url: str, redis: Redis, redis_url: str, kafka: Brokers
) -> None:
    writers, listener, ready = Writers(database), Listener(), asyncio.Event()
    async with (
        candidates(database_url, redis_url, 3, *kafka.addresses) as relays,
        Redis.from_url(redis_url, socket_timeout=None) as ear,
    ):
        listening = asyncio.create_task(listener.listen(ear, ready))
        await ready.wait()
        await eventually(lambda: heard_beyond(database, -1))
        async with writers.writing():
            for hurt in (killed, stopped, killed, stopped):
                await hurt(relays, database)
        await eventually(lambda: heard_beyond(database, sum(writers.versions.values()) - 1))
        await eventually(lambda: told_to(listener, sum(writers.versions.values())))
        listening.cancel()

    expected = {slot: list(range(1, last + 1)) for slot, last in writers.versions.items()}
    assert all(len(versions) > len(SLOTS) for versions in expected.values())
    everything = await entries(redis, EVERYTHING)
    assert [position for position, _, _ in everything] == list(range(1, sum(writers.versions.values()) + 1))
    assert first_times(everything) == expected
    assert await entries(redis, f"{PREFIX}seat.locked") == everything
    assert first_times(listener.heard) == expected
    assert first_times(brief(value) for _, _, value in await kafka.read("jetway.facts")) == expected
    assert first_times(brief(value) for _, _, value in await kafka.read("jetway.seat.locked")) == expected


async def entries(redis: Redis, stream: str) -> list[tuple[int, int, int]]:
    """What the Redis Stream holds, from the oldest on."""
    found: Any = await redis.xrange(stream)
    return [brief(fields[b"fact"]) for _, fields in found]


async def killed(relays: Candidates, database: Database) -> None:
    """`kill -9` for the leader, and somebody else comes."""
    leader = await relays.another_than(0)
    await relays.kill(leader)
    await relays.add()
    await relays.another_than(leader)
    await more_is_heard(database)


async def stopped(relays: Candidates, database: Database) -> None:
    """The leader stands still, keeping its connections, and goes on when another has long taken over."""
    leader = await relays.another_than(0)
    os.kill(leader, signal.SIGSTOP)
    await relays.another_than(leader)
    await more_is_heard(database)
    os.kill(leader, signal.SIGCONT)


async def more_is_heard(database: Database) -> None:
    async with database.reading() as session:
        before: int = (await session.execute(text(HEARD))).scalar_one()
    await eventually(lambda: heard_beyond(database, before))


async def heard_beyond(database: Database, position: int) -> bool:
    async with database.reading() as session:
        heard = await session.scalar(text(HEARD))
        return heard is not None and heard > position


async def told_to(listener: Listener, count: int) -> bool:
    return len(set(listener.heard)) == count
