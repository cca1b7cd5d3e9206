"""The hot path of holds: requests become batches, and every batch one call of `take_holds`.

A request goes to the writing line. Where a gate sees no chance for it, it goes to the reading line instead, which
refuses it if PostgreSQL says that its units are taken, and puts it back, past the gates, if not. A batch that fails for
any other reason than that the database is away (a deadlock, a lock that takes too long) is taken apart: each of its
requests is run again alone, so that nobody fails because of a neighbour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any

import asyncpg
from prometheus_client import Histogram

from core.db import Database
from core.errors import Unavailable
from core.lines import Connection, Line, Pending
from services.holds.calls import LOOK, TAKE, Answer, looking, seen, taken, taking
from services.holds.gates import Gates, Unit, Won
from services.holds.requests import Request

MOST = 32
"""Requests in one batch."""

SCANNED = 1_024
"""How many requests the gates are asked about for one batch, about, where most have no chance."""

READ_AT_ONCE = 512

WRITERS = 3
"""Connections for batches: enough to use PostgreSQL's time while another waits for its commit, few enough for batches
to fill."""

SOLITARY = 4
"""Connections for requests that run alone, after their batch failed: they may wait for long."""

BATCH_LOCK_TIMEOUT = "500ms"
LOCK_TIMEOUT = "5s"
"""How long a lock is waited for: by a batch, whose neighbours wait with it, and by a request that runs alone."""

TRIES = 3
"""How often a request that runs alone is tried where PostgreSQL made it a victim."""

VICTIM = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
BUSY = (*VICTIM, asyncpg.LockNotAvailableError)
NEVER_CALM = "JW002"
"""What `take_holds` raises where others changed everything at each of its attempts."""

BATCH = Histogram(
    "jetway_hold_batch_requests", "Requests for holds in one call of the database.", buckets=(1, 2, 4, 8, 16, 24, 32)
)


class Asked(Pending[Request, Answer]):
    """A request on its way. `sure`: a look found nothing in its way, so no gate is asked about it again."""

    sure = False
    tries = 0


class Batches:
    """Asks PostgreSQL for many holds at once. Has its own connections, and owns its transactions."""

    def __init__(self, db: Database, gates: Gates) -> None:
        self._gates = gates
        self._diverting: set[asyncio.Task[None]] = set()
        self._closing = False
        self._connections: list[Connection] = []

        def connections(count: int, lock_timeout: str) -> list[Connection]:
            made = [Connection(lambda: db.connect(lock_timeout=lock_timeout)) for _ in range(count)]
            self._connections += made
            return made

        self._writing: Line[Connection, Asked] = Line(self._write, connections(WRITERS, BATCH_LOCK_TIMEOUT), MOST)
        self._reading: Line[Connection, Asked] = Line(self._read, connections(1, LOCK_TIMEOUT), READ_AT_ONCE)
        self._alone: Line[Connection, Asked] = Line(self._write_alone, connections(SOLITARY, LOCK_TIMEOUT), 1)

    def ask(self, request: Request) -> Awaitable[Answer]:
        """To be awaited: what PostgreSQL says to a request.

        Raises Unavailable where the database is away, or so busy that the request would wait for too long.
        """
        if self._closing:
            raise Unavailable("This server is shutting down.")
        asked = Asked(request)
        self._writing.put(asked)
        return asked.answered

    async def aclose(self) -> None:
        """Answer everybody who waits, then close the connections; whoever comes later is Unavailable."""
        self._closing = True
        lines = (self._writing, self._reading, self._alone)
        while busy := self._diverting.union(*(line.busy for line in lines)):
            await asyncio.wait(busy)
        for connection in self._connections:
            await connection.aclose()

    async def _write(self, connection: Connection, batch: list[Asked]) -> None:
        """One batch: those of the line who seem to have a chance."""
        chosen, looked_at = await self._with_a_chance(batch), len(batch)
        while len(chosen) < MOST and looked_at < SCANNED:
            more = self._writing.take(as_many_as(MOST - len(chosen), len(chosen), looked_at))
            if not more:
                break
            chosen += await self._with_a_chance(more)
            looked_at += len(more)
        if len(chosen) > MOST:
            await self._gates.leave([pending.question for pending in chosen[MOST:]])
            self._writing.put_back(chosen[MOST:])
            del chosen[MOST:]
        if not chosen:
            return
        BATCH.observe(len(chosen))
        try:
            answers = await self._call(connection, chosen)
        except Unavailable:
            await self._away(chosen)
        except Exception:  # noqa: BLE001 - whose fault it is comes out when each runs alone
            self._alone.put_all(chosen)
        else:
            await self._settle(chosen, answers)

    async def _write_alone(self, connection: Connection, batch: list[Asked]) -> None:
        """One request without neighbours."""
        (pending,) = batch
        pending.tries += 1
        try:
            answers = await self._call(connection, batch)
        except Unavailable:
            await self._away(batch)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            if isinstance(error, VICTIM) and pending.tries < TRIES:
                self._alone.put(pending)
                return
            pending.fail(Unavailable("Too many want this at once. Ask again.") if is_busy(error) else error)
            await self._gates.leave([pending.question])
        else:
            await self._settle(batch, answers)

    async def _call(self, connection: Connection, batch: Sequence[Asked]) -> list[Answer]:
        requests = [pending.question for pending in batch]
        return taken(await connection.fetch(TAKE, *taking(requests)))

    async def _away(self, batch: Sequence[Asked]) -> None:
        """The database is away: nobody knows what came of the batch, and what gates know may be lost."""
        for pending in batch:
            pending.fail(Unavailable("The database does not answer."))
        await self._gates.forget()
        await self._gates.leave([pending.question for pending in batch])

    async def _settle(self, batch: Sequence[Asked], answers: Sequence[Answer]) -> None:
        """Answer everybody, and tell the gates what came of it."""
        won, lost = [], []
        in_the_way: set[Unit] = set()
        for pending, answer in zip(batch, answers, strict=True):
            pending.answer(answer)
            if answer.times is not None:
                won.append(Won(pending.question, (answer.times.expires_at - answer.times.created_at).total_seconds()))
            else:
                lost.append(pending.question)
                in_the_way.update(answer.taken)
        if won:
            await self._gates.confirm(won)
        if lost:
            await self._gates.leave(lost)
        if in_the_way:
            await self._gates.taken(in_the_way)

    async def _with_a_chance(self, batch: list[Asked]) -> list[Asked]:
        """Those of a batch that no gate thinks hopeless, in their order; the others go to the reading line."""
        chances = await self._gates.enter([pending.question for pending in batch if not pending.sure])
        if all(chances):
            return batch
        chosen, hopeless = [], []
        answers = iter(chances)
        for pending in batch:
            if pending.sure or next(answers):
                chosen.append(pending)
            else:
                hopeless.append(pending)
        self._start(self._divert(hopeless))
        return chosen

    async def _divert(self, hopeless: Sequence[Asked]) -> None:
        """Have them looked at, as soon as what they lost against is no longer under way."""
        await self._gates.settled([pending.question for pending in hopeless])
        self._reading.put_all(hopeless)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._diverting.add(task)
        task.add_done_callback(self._diverting.discard)

    async def _read(self, connection: Connection, batch: list[Asked]) -> None:
        """Refuse those whose units are taken by PostgreSQL's word; the others are written, as is who asks again."""
        requests = [pending.question for pending in batch]
        answers = seen(await connection.fetch(LOOK, *looking(requests)), requests)
        in_the_way: set[Unit] = set()
        for pending, answer in zip(batch, answers, strict=True):
            if answer is None:
                pending.sure = True
                self._writing.put(pending)
            else:
                in_the_way.update(answer.taken)
                pending.answer(answer)
        if in_the_way:
            await self._gates.taken(in_the_way)


def is_busy(error: Exception) -> bool:
    """Whether others were in the way for too long: nothing is wrong, and asking again may do."""
    return isinstance(error, BUSY) or getattr(error, "sqlstate", None) == NEVER_CALM


def as_many_as(wanted: int, found: int, among: int) -> int:
    """How many to look at next, for so many more with a chance, where `found` of those before had one."""
    return min(SCANNED, -(-wanted * among // max(1, found)))
