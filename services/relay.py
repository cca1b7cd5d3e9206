"""The relay: gives each committed fact its position, and tells it to whoever listens.

One relay leads at a time: the one whose own connection holds an advisory lock. A leader that dies loses the connection,
with it the lock, and another takes over in a fraction of a second. In each turn the leader

1. gives the facts that have none the next positions, in the order of their ids, and commits. It looks at what is
   visible and unpositioned, never above a highest id: ids are drawn before commits and commits overtake each other;
2. publishes them in that order to a bounded Redis Stream and to the pub/sub channel named like the fact's stream;
3. writes down that they were published.

A crash between 2 and 3 publishes again: at least once. A leader that stalls and does not know that it has lost its lock
may finish telling old facts beside its successor: consumers go by position, and skip what they know. While Valkey is
away facts get their positions and wait in PostgreSQL. The relay owns its connection and its transactions: it is no
service that a session is passed to.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter

import asyncpg
from prometheus_client import Counter, Gauge
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from core import direct
from core.db import ReadSession, Session
from core.log import logger
from core.loops import pause
from services import live

RELAY_LOCK = 7_403_122_019
"""An arbitrary key: whoever holds this advisory lock leads."""

STREAM = "jetway:facts"
"""The Redis Stream of all facts, in order of position."""

STREAM_LENGTH = 100_000
BATCH = 500
TICK = 0.010
"""Seconds between two looks when there is nothing to do; half of it is the wait of a lone fact."""

CANDIDACY = 0.2
"""Seconds between two attempts to lead. Not one that blocks: a waiting statement would keep VACUUM from cleaning up."""

VALKEY_PAUSE = 0.2
RETENTION = timedelta(days=7)

PUBLISHED = Counter("jetway_relay_facts_total", "Facts published, repetitions included, by kind.", ["kind"])
LEADING = Gauge("jetway_relay_leading", "1 where this process leads the relay.")
WAITING = Gauge("jetway_relay_waiting_facts", "Facts not published yet; 10001 stands for more.")
LAG = Gauge("jetway_relay_lag_seconds", "Age of the oldest fact not published yet.")

log = logger("relay")

SETTINGS = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off"}
"""Every statement of the relay reads a few rows by index, however large the table and however old its statistics."""

PLACE = f"""
WITH fresh AS (
    SELECT id, row_number() OVER (ORDER BY id) AS ordinal
    FROM (SELECT id FROM facts WHERE position IS NULL ORDER BY id LIMIT {BATCH}) AS unpositioned
), head AS (
    UPDATE relay_heads SET position = position + (SELECT count(*) FROM fresh)
    WHERE id = 1 AND EXISTS (SELECT FROM fresh)
    RETURNING position - (SELECT count(*) FROM fresh) AS base
)
UPDATE facts SET position = head.base + fresh.ordinal
FROM fresh, head WHERE facts.id = fresh.id
RETURNING facts.position, facts.id, facts.kind, facts.stream, facts.payload::text
"""  # noqa: S608 - a number of our own

UNPUBLISHED = f"""
SELECT position, id, kind, stream, payload::text
FROM facts WHERE published_at IS NULL AND position IS NOT NULL ORDER BY position LIMIT {BATCH}
"""  # noqa: S608 - a number of our own

MARK = "UPDATE facts SET published_at = clock_timestamp() WHERE id = ANY ($1::bigint[])"


class Relay:
    """One candidate for leading. `run` it in as many processes as you like."""

    def __init__(self, database_url: str, redis: Redis, *, tick: float = TICK) -> None:
        self._url = database_url
        self._redis = redis
        self._tick = tick
        self._behind = True
        """Whether facts may wait that an earlier turn, or another leader, placed and did not publish."""
        self._cut_off = False

    async def run(self, stop: asyncio.Event) -> None:
        """Lead, or wait to lead, until `stop`. Raises what the database raises; run it again then."""
        connection = await direct.connect(self._url, "jetway-relay", SETTINGS)
        try:
            while not stop.is_set() and not await take_lead(connection):
                await pause(CANDIDACY, stop)
            await self._lead(connection, stop)
        finally:
            LEADING.set(0)
            await connection.close(timeout=1)

    async def _lead(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        LEADING.set(1)
        log.info("relay.leads")
        self._behind = True
        while not stop.is_set():
            if not await self.turn(connection):
                await asyncio.sleep(self._tick)

    async def turn(self, connection: asyncpg.Connection) -> int:
        """Place what is new, publish what waits: at most BATCH facts. Returns how many were published.

        `connection` holds the lock. While Valkey does not answer nothing is published, and nothing is raised.
        """
        facts = sorted(await connection.fetch(PLACE), key=itemgetter("position"))
        if self._behind:
            facts = await connection.fetch(UNPUBLISHED)
        if not facts:
            self._behind = False
            return 0
        try:
            await self._publish(facts)
        except (RedisError, OSError) as error:
            if not self._cut_off:
                log.error("relay.cannot_publish", error=repr(error))
            self._behind = self._cut_off = True
            await asyncio.sleep(VALKEY_PAUSE)
            return 0
        self._cut_off = False
        # Lost in a crash of PostgreSQL this only publishes again, so it need not wait for the disk.
        async with connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit = off")
            await connection.execute(MARK, [fact["id"] for fact in facts])
        self._behind = self._behind and len(facts) == BATCH
        for kind, count in collections.Counter(fact["kind"] for fact in facts).items():
            PUBLISHED.labels(kind).inc(count)
        return len(facts)

    async def _publish(self, facts: Sequence[asyncpg.Record]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for fact in facts:
            message = live.to_wire(*fact)
            pipeline.xadd(STREAM, {"fact": message}, maxlen=STREAM_LENGTH, approximate=True)
            pipeline.publish(fact["stream"], message)
        await pipeline.execute()


async def take_lead(connection: asyncpg.Connection) -> bool:
    """Whether this connection is now the one that leads."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", RELAY_LOCK))


@dataclass(frozen=True)
class Lag:
    """How far the relay is behind: facts not published yet (10001 stands for more), and the age of the oldest in s."""

    facts: int
    seconds: float


async def lag(session: ReadSession) -> Lag:
    """How far the relay is behind; also sets the gauges."""
    row = (
        await session.execute(
            text(
                "SELECT count(*) AS facts,"
                " coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0) AS seconds"
                " FROM (SELECT recorded_at FROM facts WHERE published_at IS NULL ORDER BY position LIMIT 10001) AS late"
            )
        )
    ).one()
    WAITING.set(row.facts)
    LAG.set(float(row.seconds))
    return Lag(row.facts, float(row.seconds))


@dataclass(frozen=True)
class Pruned:
    """One window of the facts was looked at: up to which id, and how many of it were removed."""

    reached: int
    removed: int


LOOK = text(
    """
    SELECT coalesce(max(id), 0) AS reached,
           coalesce(array_agg(id) FILTER (WHERE stream LIKE 'hold:%' OR kind LIKE 'seat.%'), '{}') AS ids,
           max(position) FILTER (WHERE stream LIKE 'hold:%' OR kind LIKE 'seat.%') AS pruned_to
    FROM (SELECT * FROM facts WHERE id > :above ORDER BY id LIMIT :size) AS slice
    WHERE published_at < clock_timestamp() - CAST(:retention AS interval)
    """
)


async def prune(session: Session, above: int, *, retention: timedelta = RETENTION, size: int = 5_000) -> Pruned:
    """Look at the next `size` facts above the id `above`, and remove those that only live streams needed.

    Facts about seats and holds are for the live window: they go `retention` after they were published. All others stay,
    because bookings are rebuilt from them. `relay_heads.pruned_to` says up to which position the history has holes; a
    cursor below it is answered with a snapshot. `reached` is 0 at the end of what is old enough.
    """
    window = (await session.execute(LOOK, {"above": above, "size": size, "retention": retention})).one()
    if window.ids:
        await session.execute(text("DELETE FROM facts WHERE id = ANY (:ids)"), {"ids": window.ids})
        # Last, because the relay waits for this row.
        await session.execute(
            text("UPDATE relay_heads SET pruned_to = greatest(pruned_to, :to) WHERE id = 1"), {"to": window.pruned_to}
        )
    return Pruned(window.reached, len(window.ids))
