"""Lines of questions before a few servers, as connections are: whoever comes while all are busy is served in a batch.

Nobody waits without need: a line with an idle server serves at once what has come in this turn of the event loop,
without a timer. A batch is as large as the wait was long.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import asyncpg

from core.errors import Unavailable
from core.outages import is_away

Q = TypeVar("Q")
A = TypeVar("A")


class Pending(Generic[Q, A]):
    """A question, and whoever waits for its answer; who stops waiting does no harm to anybody else."""

    __slots__ = ("_future", "question")

    def __init__(self, question: Q) -> None:
        self.question = question
        self._future: asyncio.Future[A] = asyncio.get_running_loop().create_future()

    @property
    def over(self) -> bool:
        """Whether it was answered, or nobody waits for it any more."""
        return self._future.done()

    @property
    def answered(self) -> Awaitable[A]:
        """To be awaited: the answer, or the error."""
        return self._future

    def answer(self, answer: A) -> None:
        """Answer it, unless nobody waits any more."""
        if not self._future.done():
            self._future.set_result(answer)

    def fail(self, error: Exception) -> None:
        """Let it fail, unless nobody waits any more."""
        if not self._future.done():
            self._future.set_exception(error)


class Connection:
    """A connection to PostgreSQL outside of SQLAlchemy, made when it is first needed, and again after it was lost.

    Statements are prepared once. Not for two callers at once.
    """

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection | None = None

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """The rows of one statement, which is a transaction of its own.

        Raises Unavailable where the database cannot be reached, or was lost before it answered: whether the statement
        was carried out is then unknown. Raises asyncpg.PostgresError for everything that PostgreSQL itself refuses;
        nothing was changed then.
        """
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            rows: Sequence[asyncpg.Record] = await self._connection.fetch(statement, *arguments)
        except Exception as error:
            if is_away(error) or self._connection is None or self._connection.is_closed():
                if self._connection is not None:
                    self._connection.terminate()
                raise Unavailable("The database does not answer.") from error
            raise
        return rows

    async def aclose(self) -> None:
        """Close it."""
        if self._connection is not None:
            await self._connection.close()


S = TypeVar("S")
P = TypeVar("P", bound=Pending[Any, Any])

Work = Callable[[S, list[P]], Awaitable[None]]
"""Answers all questions of a batch, or passes them on. Those of a batch that it raises for fail with what it raised."""


class Line(Generic[S, P]):
    """One line: batches of at most `size`, each served by one of `servers`, who have one batch at a time."""

    def __init__(self, work: Work[S, P], servers: Sequence[S], size: int) -> None:
        self._work = work
        self._idle = list(servers)
        self._began = 0.0
        self._size = size
        self._waiting: deque[P] = deque()
        self._running: set[asyncio.Task[None]] = set()

    def put(self, pending: P) -> None:
        """Put somebody who waits for an answer into the line."""
        self._waiting.append(pending)
        self._begin()

    def take(self, most: int) -> list[P]:
        """Take up to so many out of the line, in order of arrival; those that nobody waits for any more just go."""
        taken: list[P] = []
        while self._waiting and len(taken) < most:
            pending = self._waiting.popleft()
            if not pending.over:
                taken.append(pending)
        return taken

    def put_all(self, pending: Sequence[P]) -> None:
        """Put all of them into the line, in their order."""
        self._waiting.extend(pending)
        self._begin_for(len(pending))

    def put_back(self, taken: Sequence[P]) -> None:
        """Put back the last of those whom `take` gave, in their order, before all who wait."""
        self._waiting.extendleft(reversed(taken))
        self._begin_for(len(taken))

    def _begin_for(self, count: int) -> None:
        """Serve so many, by as many servers as they need and are idle."""
        for _ in range(0, count, self._size):
            self._begin()

    def _begin(self) -> None:
        """Serve whoever waits, if a server is idle."""
        if self._idle:
            self._began = asyncio.get_running_loop().time()
            task = asyncio.create_task(self._serve(self._idle.pop()))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _serve(self, server: S) -> None:
        try:
            while batch := self.take(self._size):
                self._began = asyncio.get_running_loop().time()
                try:
                    await self._work(server, batch)
                except Exception as error:  # noqa: BLE001 - whoever asked is told, each of them
                    for pending in batch:
                        pending.fail(error)
        finally:
            self._idle.append(server)

    @property
    def busy(self) -> set[asyncio.Task[None]]:
        """What is under way."""
        return self._running

    def stands(self, seconds: float) -> bool:
        """Whether all servers are busy, and none has begun a batch for so long."""
        return not self._idle and asyncio.get_running_loop().time() - self._began > seconds
