"""The relay by itself: from a commit to a mailbox of the hub, facts a second, and what an idle relay costs.

    python -m bench.relay

Starts a PostgreSQL and a Valkey of its own in a temporary folder and prints the figures of docs/live.md.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from redis.asyncio import Redis
from sqlalchemy import text

from core.db import Database
from core.embedded import EmbeddedPostgres, EmbeddedValkey
from core.settings import asyncpg_url
from services import outbox
from services.relay import Relay, ToValkey, lag
from subscriptions.hub import Hub

SAMPLES = 300
FACTS = 20_000
IDLE_SECONDS = 10
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
        await session.execute(
            MANY, {"payload": '{"seats": [{"number": "12A", "status": "LOCKED", "version": 7}]}', "count": FACTS}
        )
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


async def measure(database_url: str, redis_url: str) -> None:
    """Print every figure."""
    database, stop = Database(asyncpg_url(database_url)), asyncio.Event()
    async with Redis.from_url(redis_url) as redis, Hub(redis_url) as hub, asyncio.TaskGroup() as group:
        group.create_task(Relay(database_url, ToValkey(redis)).run(stop))
        await asyncio.sleep(1)
        took = await latency(database, hub)
        print(f"commit to mailbox, ms: p50 {statistics.median(took):.1f}  p99 {took[int(len(took) * 0.99)]:.1f}")
        print(f"idle relay: {await idle():.1%} of a core")
        print(f"backlog of {FACTS}: {await throughput(database):,.0f} facts/s")
        stop.set()
    await database.close()


def main() -> None:
    """Start what is needed, migrate, measure."""
    root = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory(prefix="jetway-bench-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedValkey(folder / "valkey") as valkey:
            migrate = [sys.executable, "-m", "alembic", "upgrade", "head"]
            subprocess.run(migrate, cwd=root, env={**os.environ, "DATABASE_URL": postgres.url()}, check=True)
            asyncio.run(measure(postgres.url(), valkey.url))


if __name__ == "__main__":
    main()
