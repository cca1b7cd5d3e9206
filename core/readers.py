"""Connections that only read, one statement at a time: for the few questions that are asked most.

A statement alone is its own snapshot, so it needs no transaction around it. PostgreSQL refuses to write on these
connections, prepares each statement once, and plans it once: what they are asked finds its rows by keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from core.errors import Unavailable
from core.outages import is_away, translated

LONGEST_WAIT = 10.0
"""Seconds that a question waits for a connection while all are busy."""

SETTINGS = {"default_transaction_read_only": "on", "plan_cache_mode": "force_generic_plan"}


class Readers:
    """At most `size` connections to the database at `url`, made when they are needed and kept until `close()`."""

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._idle: list[asyncpg.Connection] = []
        self._room = asyncio.Semaphore(size)

    async def fetch(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        """The rows of a statement; see `core.rows.Reader`."""
        with translated():
            await self._enter()
            try:
                return await self._ask(statement, values)
            finally:
                self._room.release()

    async def close(self) -> None:
        """Close what is idle; nothing is asked any more."""
        while self._idle:
            await self._idle.pop().close()

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
            if not connection.is_closed():
                self._idle.append(connection)
        return found

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
            self._url, timeout=5, command_timeout=30, max_cached_statement_lifetime=0, server_settings=SETTINGS
        )
