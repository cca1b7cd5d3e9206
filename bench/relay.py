"""The relay by itself: from a commit to a mailbox of the hub, a backlog, an idle relay, and one leader after another.

Starts a PostgreSQL and a Valkey of its own in a temporary folder.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import orjson
from redis.asyncio import Redis
from sqlalchemy import text

from bench.report import figure, percentile, table
from core.db import Database
from core.embedded import EmbeddedPostgres, EmbeddedValkey
from core.settings import asyncpg_url, libpq_url
from services import outbox
from services.relay import Relay, ToValkey, lag
from services.relay.placing import BATCH
from subscriptions.hub import Hub
from tests.fakes.relaying import Candidates, candidates

SAMPLES = 300
FACTS = 20_000
IDLE_SECONDS = 10
SUCCESSIONS = 7
TOPIC = "slot:1"
PAYLOAD = {"slot": 1, "hold": None, "seats": [{"number": "12A", "status": "LOCKED", "version": 7}]}

MANY = text(
    "INSERT INTO facts (kind, stream, payload) SELECT 'seat.locked', 'slot:' || 1 + n % 500, CAST(:payload AS jsonb)"
    " FROM generate_series(1, :count) AS n"
)


async def latency(database: Database, hub: Hub) -> list[float]:
    """Milliseconds from the return of a commit to the mailbox, one fact at a time."""
    took = []
    async with hub.subscribe("slot:1") as mailbox:
        for _ in range(SAMPLES):
            await asyncio.sleep(random.uniform(0.02, 0.06))
            async with database.transaction() as session:
                await outbox.record(session, "seat.locked", "slot:1", PAYLOAD)
            committed = time.perf_counter()
            await mailbox.take()
            took.append((time.perf_counter() - committed) * 1000)
    return sorted(took)


async def throughput(database: Database) -> float:
    """Facts a second that a leading relay tells of a backlog."""
    async with database.transaction() as session:
        await session.execute(MANY, {"payload": orjson.dumps(PAYLOAD).decode(), "count": FACTS})
    began = time.perf_counter()
    while True:
        async with database.reading() as session:
            if not any(sink.facts for sink in await lag(session)):
                return FACTS / (time.perf_counter() - began)
        await asyncio.sleep(0.02)


async def idle() -> float:
    """Share of a core that this process uses while the relay has nothing to tell."""
    cpu = time.process_time()
    await asyncio.sleep(IDLE_SECONDS)
    return (time.process_time() - cpu) / IDLE_SECONDS


async def limit(database_url: str, redis: Redis) -> float:
    """Facts a second where nothing is done but to tell Valkey, in batches of the same size."""
    connection = await asyncpg.connect(libpq_url(database_url))
    facts = await connection.fetch(
        "SELECT position, id, kind, stream, payload::text FROM facts ORDER BY position DESC LIMIT $1", FACTS
    )
    await connection.close()
    await redis.flushall()
    sink = ToValkey(redis)
    await sink.begin(0, 0)
    began = time.perf_counter()
    for start in range(0, FACTS, BATCH):
        await sink.tell(facts[::-1][start : start + BATCH])
    return FACTS / (time.perf_counter() - began)


async def successions(
    database: Database, hub: Hub, relays: Candidates, hurt: Callable[[int], Awaitable[None]]
) -> list[float]:
    """Milliseconds from what happens to a leader to the mailbox, for a fact that is committed just then."""
    took = []
    async with hub.subscribe(TOPIC) as mailbox:
        for _ in range(SUCCESSIONS):
            leader = await relays.another_than(0)
            await asyncio.sleep(random.uniform(1, 1.5))
            began = time.perf_counter()
            await hurt(leader)
            async with database.transaction() as session:
                await outbox.record(session, "seat.locked", TOPIC, PAYLOAD)
            await mailbox.take()
            took.append((time.perf_counter() - began) * 1000)
            await relays.another_than(leader)
            await relays.end(leader)
            await relays.add()
    return took


async def figures(database_url: str, redis_url: str) -> str:
    """Every figure."""
    database, stop = Database(asyncpg_url(database_url)), asyncio.Event()
    rows: list[tuple[str, str, str]] = []

    def row(what: str, took: list[float]) -> None:
        rows.append((what, figure(percentile(took, 0.5)), figure(max(took))))

    async with Redis.from_url(redis_url) as redis, Hub(redis_url) as hub:
        async with asyncio.TaskGroup() as group:
            group.create_task(Relay(database_url, ToValkey(redis)).run(stop))
            await asyncio.sleep(1)
            row(f"commit to mailbox, {SAMPLES} lone facts, ms", await latency(database, hub))
            used, told, most = await idle(), await throughput(database), await limit(database_url, redis)
            stop.set()
        async with candidates(database_url, redis_url, 3) as relays:

            async def stop_it(pid: int) -> None:
                os.kill(pid, signal.SIGSTOP)

            await asyncio.sleep(1)
            row(
                f"leader killed to the next fact, {SUCCESSIONS} times, ms",
                await successions(database, hub, relays, relays.kill),
            )
            row(
                f"leader stopped to the next fact, {SUCCESSIONS} times, ms",
                await successions(database, hub, relays, stop_it),
            )
    await database.close()
    words = (
        f"A backlog of {FACTS:,} facts is told at {told:,.0f} a second. Telling Valkey the same and doing nothing"
        f" else makes {most:,.0f}: this is {told / most:.2f} of that. An idle relay uses {used:.1%} of a core."
    )
    return f"{table(('', 'median', 'longest'), rows)}\n\n{words}"


def measure() -> str:
    """Start what is needed, migrate, measure; Markdown."""
    root = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory(prefix="jetway-bench-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedValkey(folder / "valkey") as valkey:
            migrate = [sys.executable, "-m", "alembic", "upgrade", "head"]
            subprocess.run(migrate, cwd=root, env={**os.environ, "DATABASE_URL": postgres.url()}, check=True)
            return asyncio.run(figures(postgres.url(), valkey.url))
