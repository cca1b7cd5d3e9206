"""The relay: gives each committed fact its position, and tells it to whoever listens.

One relay leads at a time (`leading.py`). It gives positions (`placing.py`), and beside that tells each sink
(`telling.py`) what it has not heard: Valkey, which live clients hear (`valkey.py`), and Kafka where there is one
(`kafka.py`). At least once, in order. While a sink is away facts get their positions and wait for it in PostgreSQL, and
the others hear them. The relay owns its connections and its transactions: it is no service that a session is passed to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from prometheus_client import Gauge

from core import direct
from core.log import logger
from services.relay.leading import lead
from services.relay.placing import BATCH, place
from services.relay.progress import Lag, Pruned, lag, prune
from services.relay.telling import Sink, Teller
from services.relay.valkey import ToValkey

__all__ = ["LOCK", "SETTINGS", "Lag", "Pruned", "Relay", "Sink", "ToValkey", "lag", "prune"]

LOCK = 7_403_122_019
"""An arbitrary key: whoever holds this advisory lock leads."""

TICK = 0.010
"""Seconds between two looks while there is nothing to do; half of it is the wait of a lone fact."""

REST = 2
"""How many ticks the next look comes after one that found something, unless it found more than it could take. So under
load facts are placed and told in larger portions, each of which costs a commit and four round trips."""

SETTINGS = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Every statement of the relay reads a few rows by index, however large the table and however old its statistics: one
plan for each is enough."""

CURSORS = {**SETTINGS, "synchronous_commit": "off"}
"""A cursor that is lost in a crash of PostgreSQL only tells something again, so it need not wait for the disk."""

LEADING = Gauge("jetway_relay_leading", "1 where this process leads the relay.")

log = logger("relay")


class Relay:
    """One candidate for leading. `run` it in as many processes as you like, all with the same sinks."""

    def __init__(self, database_url: str, *sinks: Sink, tick: float = TICK) -> None:
        self._url = database_url
        self._sinks = sinks
        self._tellers = [Teller(sink) for sink in sinks]
        self._tick = tick

    async def run(self, stop: asyncio.Event) -> None:
        """Lead, or wait to lead, until `stop`. Raises what the database raises; run it again then."""
        try:
            async with self._connection("jetway-relay", SETTINGS) as connection:
                if await lead(connection, LOCK, stop):
                    await self._lead(connection, stop)
        finally:
            # After the lock: a sink that takes its time delays no successor.
            for sink in self._sinks:
                await sink.close()

    async def turn(self, connection: asyncpg.Connection) -> int:
        """Place what is new and tell what waits, at most BATCH facts for each sink; how many were told.

        `connection` holds the lock. For whoever leads by hand: `run` does both at once, for ever.
        """
        await place(connection)
        return sum([await teller.turn(connection) for teller in self._tellers])

    async def _lead(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        log.info("relay.leads")
        LEADING.set(1)
        bells = [asyncio.Event() for _ in self._sinks]
        try:
            async with asyncio.TaskGroup() as group:
                telling = [
                    group.create_task(self._tell(sink, bell)) for sink, bell in zip(self._sinks, bells, strict=True)
                ]
                await self._place(connection, bells, stop)
                for task in telling:
                    task.cancel()
        finally:
            LEADING.set(0)

    async def _place(self, connection: asyncpg.Connection, bells: Sequence[asyncio.Event], stop: asyncio.Event) -> None:
        while not stop.is_set():
            placed = await place(connection)
            if placed:
                for bell in bells:
                    bell.set()
            if placed < BATCH:
                await asyncio.sleep(self._tick * REST if placed else self._tick)

    async def _tell(self, sink: Sink, bell: asyncio.Event) -> None:
        async with self._connection("jetway-teller", CURSORS) as connection:
            await Teller(sink).run(connection, bell)

    @asynccontextmanager
    async def _connection(self, name: str, settings: dict[str, str]) -> AsyncIterator[asyncpg.Connection]:
        connection = await direct.connect(self._url, name, settings)
        try:
            yield connection
        finally:
            await connection.close(timeout=1)
