"""Telling: every sink hears every fact in the order of positions, at its own pace.

How far a sink has heard is one row of `relay_cursors`: positions have no gaps and become visible in their order, so one
number says it all, and a sink that is away delays nobody else. The row moves after the sink has confirmed; who dies in
between tells again: at least once.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Sequence
from typing import Protocol

import asyncpg
from prometheus_client import Counter

from core.log import logger
from services.relay.placing import BATCH

TOLD = Counter("jetway_relay_facts_total", "Facts told, repetitions included.", ["sink", "kind"])

ENTER = """
INSERT INTO relay_cursors (sink, position) SELECT $1, position FROM relay_heads ON CONFLICT DO NOTHING
"""
"""A sink that nobody knew hears what happens from now on."""

KNOWN = """
SELECT relay_cursors.position AS told, relay_heads.position AS head FROM relay_cursors, relay_heads WHERE sink = $1
"""

READ = f"""
SELECT position, id, kind, stream, payload::text FROM facts WHERE position > $1 ORDER BY position LIMIT {BATCH}
"""  # noqa: S608 - a number of our own

MOVE = "UPDATE relay_cursors SET position = $3 WHERE sink = $1 AND position = $2"

log = logger("relay")


class Away(Exception):
    """The sink can't be told now. Whether it has heard some of it is not known."""


class Sink(Protocol):
    """Somebody to be told. Told something again, it must be none the worse for it."""

    @property
    def name(self) -> str:
        """Its name in `relay_cursors` and in metrics."""

    @property
    def patience(self) -> float:
        """Seconds until the next attempt while it is away."""

    async def begin(self, told: int, head: int) -> int:
        """Get ready, after a start and after each failure; the position after which it wants to be told.

        It has been told everything up to `told`, and `head` is the last position given. Raises Away.
        """

    async def tell(self, facts: Sequence[asyncpg.Record]) -> int:
        """Tell the first so many of these facts, at least one, and have that confirmed. Raises Away."""

    async def close(self) -> None:
        """Let go of everything."""


class Teller:
    """Tells one sink, for as long as this process leads."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._begun = False
        self._told = 0
        """The position up to which this sink has heard."""
        self._cursor = 0
        """What the row says: the same, or later where the sink has lost something and hears it again."""
        self._away = False
        self._more = False
        """Whether the last turn left something to tell, or to look at anew."""

    async def run(self, connection: asyncpg.Connection, placed: asyncio.Event) -> None:
        """Tell what there is and then whatever is placed, for ever. Raises what the database raises."""
        while True:
            placed.clear()
            await self.turn(connection)
            if self._away:
                await asyncio.sleep(self._sink.patience)
            elif not self._more:
                await placed.wait()

    async def turn(self, connection: asyncpg.Connection) -> int:
        """Tell at most BATCH facts; how many were told. A sink that is away is logged once, and nothing is raised."""
        try:
            if not self._begun:
                await self._begin(connection)
            facts = await connection.fetch(READ, self._told)
            told = facts[: await self._sink.tell(facts)] if facts else []
        except Away as error:
            if not self._away:
                log.error("relay.cannot_tell", sink=self._sink.name, error=str(error))
            self._away, self._begun = True, False
            return 0
        self._away = False
        if told:
            await self._move(connection, told[-1]["position"])
            for kind, count in collections.Counter(fact["kind"] for fact in told).items():
                TOLD.labels(self._sink.name, kind).inc(count)
        self._more = not self._begun or len(told) < len(facts) or len(facts) == BATCH
        return len(told)

    async def _begin(self, connection: asyncpg.Connection) -> None:
        await connection.execute(ENTER, self._sink.name)
        known = await connection.fetchrow(KNOWN, self._sink.name)
        self._cursor = known["told"]
        self._told = await self._sink.begin(known["told"], known["head"])
        self._begun = True

    async def _move(self, connection: asyncpg.Connection, to: int) -> None:
        self._told = to
        if to > self._cursor:
            # Another leader, or an operator who wants something told again, may have moved it: then it is read anew.
            self._begun = await connection.execute(MOVE, self._sink.name, self._cursor, to) == "UPDATE 1"
            self._cursor = to
