"""Connections for plain statements, round SQLAlchemy: for what is asked most, where its help costs more than it gives.

Readers answer one statement at a time. A statement alone is its own snapshot, so it needs no transaction around it, and
PostgreSQL refuses to write on these connections. Writers give a transaction. Both prepare each statement once and plan
it once: what they are asked finds its rows by keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from core.errors import Unavailable
from core.gathering import Gathers
from core.outages import is_away, translated
from core.rows import Scribe
from core.scribes import PlainScribe

LONGEST_WAIT = 10.0
"""Seconds that a question waits for a connection while all are busy."""

PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "jit": "off"}
"""A plan that is made while a table is small must not scan it when it has grown: all that is asked here has its index.
Nor is anything here worth JIT, which PostgreSQL before 18 would think it is where a scan cannot be avoided."""

READ_ONLY = {**PLANNED_ONCE, "default_transaction_read_only": "on"}


class Connections(Gathers):
    """At most `size` connections to the database at `url`, made when they are needed and kept until `close()`."""

    def __init__(self, url: str, size: int, settings: Mapping[str, str]) -> None:
        super().__init__()
        self._url = url
        self._settings = dict(settings)
        self._idle: list[asyncpg.Connection] = []
        self._room = asyncio.Semaphore(size)

    async def close(self) -> None:
        """Close what is idle, once what was asked for many has ended; nothing is asked any more."""
        await self.gathered()
        while self._idle:
            await self._idle.pop().close()

    async def fetch(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        """The rows of a statement; see `core.rows.Reader`."""
        with translated():
            await self._enter()
            try:
                return await self._ask(statement, values)
            finally:
                self._room.release()

    async def _enter(self) -> None:
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await self._room.acquire()
        except TimeoutError as error:
            raise Unavailable("The database does not answer.") from error

    async def _connection(self) -> asyncpg.Connection:
        """The one that was used last and is still there, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await asyncpg.connect(
            self._url, timeout=5, command_timeout=30, max_cached_statement_lifetime=0, server_settings=self._settings
        )

    def _give_back(self, connection: asyncpg.Connection) -> None:
        if connection.is_closed():
            return
        if connection.is_in_transaction():
            connection.terminate()  # It could neither be committed nor undone.
        else:
            self._idle.append(connection)

    async def _ask(self, statement: str, values: Sequence[object]) -> Sequence[Sequence[Any]]:
        connection = await self._connection()
        try:
            found: Sequence[Sequence[Any]] = await connection.fetch(statement, *values)
        except BaseException as error:
            # Cancelled, its answer may still be on the way: nobody else is to get it.
            if isinstance(error, asyncio.CancelledError) or is_away(error):
                connection.terminate()
            raise
        finally:
            self._give_back(connection)
        return found


class Readers(Connections):
    """Answer single statements that read."""

    def __init__(self, url: str, size: int) -> None:
        super().__init__(url, size, READ_ONLY)


class Writers(Connections):
    """Give transactions of plain statements, and answer single ones that write, each a transaction of its own."""

    def __init__(self, url: str, size: int) -> None:
        super().__init__(url, size, PLANNED_ONCE)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Scribe]:
        """One transaction: settled and committed when the block ends, undone when it raises. Raises Unavailable."""
        with translated():
            await self._enter()
            try:
                connection = await self._connection()
                try:
                    async with connection.transaction():
                        scribe = PlainScribe(connection)
                        yield scribe
                        await scribe.settle()
                except BaseException as error:
                    lost = connection.is_closed()
                    if isinstance(error, asyncio.CancelledError) or is_away(error):
                        # A BEGIN may be under way whose answer nobody has read. Whoever came next would be taken for
                        # a part of that transaction, and never be committed.
                        connection.terminate()
                    if lost and isinstance(error, Exception):
                        # The driver refuses to undo on what is closed, and hides by that why it is.
                        raise Unavailable("The database does not answer.") from error
                    raise
                finally:
                    self._give_back(connection)
            finally:
                self._room.release()
