"""The database: two engines, two kinds of session, and the only commit in Jetway.

`transaction()` writes and commits when its block ends well; `reading()` gives a session that PostgreSQL itself keeps
from writing, from the replica where there is one. Services take a session and never commit. What the database cannot
do for us (it is away, it restarts) comes out as `Unavailable`, with nothing changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from core.errors import Unavailable
from core.settings import Settings, libpq_url


class ReadSession(AsyncSession):
    """A session that may only read. A function that takes one promises not to write."""


class Session(ReadSession):
    """A session inside a transaction that `transaction()` commits."""


class Database:
    """The engines of one process. Open for its life, closed by `close()`."""

    def __init__(self, write_url: str, read_url: str | None = None, *, pool_size: int = 16) -> None:
        self._write_url = write_url
        self.write_engine = make_engine(write_url, pool_size)
        same = read_url is None or read_url == write_url
        self.read_engine = self.write_engine if same else make_engine(str(read_url), pool_size)
        self._writing = async_sessionmaker(self.write_engine, class_=Session, expire_on_commit=False)
        self._reading = readers(self.read_engine)
        self._reading_primary = readers(self.write_engine)

    @classmethod
    def from_settings(cls, settings: Settings) -> Database:
        """The database that the settings name."""
        return cls(
            settings.database_url,
            settings.read_database_url,
            pool_size=settings.pool_size,
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """One transaction on the primary: committed when the block ends, undone when it raises.

        Raises Unavailable where the database cannot be reached; whether a commit whose answer was lost took place is
        then unknown, which is why every write a client may repeat is idempotent.
        """
        with translated():
            async with self._writing.begin() as session:
                yield session

    @asynccontextmanager
    async def reading(self, *, primary: bool = False) -> AsyncIterator[ReadSession]:
        """One read-only transaction, on a replica where there is one; may lag behind by the replica's delay.

        `primary`: for whoever has just written, or must see what was just told.
        """
        with translated():
            async with self._reading_primary() if primary else self._reading() as session:
                yield session

    async def connect(self, *, lock_timeout: str) -> asyncpg.Connection:
        """A connection to the primary outside of the engines, for statements that are transactions of their own.

        Whoever takes it closes it. A statement that waits longer than `lock_timeout` for a lock is given up.
        """
        connection = await asyncpg.connect(
            libpq_url(self._write_url), timeout=5, command_timeout=30, max_cached_statement_lifetime=0
        )
        await connection.execute(f"SET lock_timeout = '{lock_timeout}'")
        return connection

    async def close(self) -> None:
        """Close the connections of the engines."""
        await self.write_engine.dispose()
        if self.read_engine is not self.write_engine:
            await self.read_engine.dispose()


def readers(engine: AsyncEngine) -> async_sessionmaker[ReadSession]:
    """Makes sessions in which PostgreSQL itself refuses to write."""
    reading = engine.execution_options(postgresql_readonly=True)
    return async_sessionmaker(reading, class_=ReadSession, expire_on_commit=False)


def make_engine(url: str, pool_size: int) -> AsyncEngine:
    """An engine whose JSON is orjson's, and whose errors never show what a statement was given: it may be personal."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        hide_parameters=True,
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
        connect_args={"timeout": 5, "command_timeout": 30},
    )


def dump_json(value: Any) -> str:
    """JSON text with UUIDs and datetimes as strings."""
    return orjson.dumps(value).decode()


class translated:  # noqa: N801 - reads as a statement: `with translated():`
    """Turns "the database is away" into Unavailable, and leaves every other exception alone."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: object,
    ) -> None:
        if error is not None and is_away(error):
            raise Unavailable("The database does not answer.") from error


AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    ConnectionError,
    OSError,
)


def is_away(error: BaseException) -> bool:
    """Whether `error` says that the database cannot be reached, rather than that a statement is wrong."""
    if isinstance(error, TimeoutError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, InterfaceError | OperationalError | DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        return isinstance(cause, AWAY)
    return isinstance(error, AWAY)
