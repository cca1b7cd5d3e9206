"""The database: two engines, two kinds of session, and the only commit in Jetway.

`transaction()` writes and commits when its block ends well; `reading()` gives a session that PostgreSQL itself keeps
from writing, from the replica where there is one; `writing()` and `reader()` the same for plain statements, without a
session.
Services take a session, or whatever answers a statement, and never commit. What the database cannot do for us (it is
away, it restarts) comes out as `Unavailable`, with nothing changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
import orjson
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from core.detached import change, changes_of, contents, inserting, is_computed
from core.journal import Book, Journal, joined
from core.outages import is_away, translated
from core.readers import Readers, Writers
from core.rows import Model, Reader, Scribe, Writer
from core.settings import Settings, libpq_url

__all__ = ["Database", "ReadSession", "Session", "is_away", "translated"]


MOST_READERS = 8
"""Connections for single statements, to each of the two: one process keeps few of them busy."""


class ReadSession(AsyncSession):
    """A session that may only read. A function that takes one promises not to write."""

    _begun: tuple[object, asyncpg.Connection] | None = None
    """The transaction in which this session is, and the driver's connection that has begun it."""

    async def fetch(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        """The rows of a plain statement, within this session's transaction. See `core.rows.Reader`.

        All but the first of a transaction, with which SQLAlchemy begins it, go straight to the driver: that takes a
        fifth of the time. What was changed before is flushed, as for any query. Raises asyncpg.PostgresError.
        """
        if self.new or self.dirty or self.deleted:
            await self.flush()
        return await self._ask(statement, values)

    async def _ask(self, statement: str, values: Sequence[object]) -> Sequence[Sequence[Any]]:
        if self._begun is not None and self._begun[0] is self.sync_session.get_transaction():
            rows: Sequence[Sequence[Any]] = await self._begun[1].fetch(statement, *values)
            return rows
        connection = await self.connection()
        try:
            result = await connection.exec_driver_sql(statement, tuple(values))
        except DBAPIError as error:
            cause = None if error.orig is None else error.orig.__cause__
            if isinstance(cause, asyncpg.PostgresError):
                raise cause from None
            raise
        driver = (await connection.get_raw_connection()).driver_connection
        if driver is not None and driver.is_in_transaction():
            self._begun = self.sync_session.get_transaction(), driver
        return result.all() if result.returns_rows else []

    def keep(self, row: Model) -> Model:
        """A row that was just read; where the session knows it, that one, which is now as it was read."""
        make_transient_to_detached(row)
        key = inspect(row).key
        before = None if key is None else self.sync_session.identity_map.get(key)
        if not isinstance(before, type(row)):
            self.add(row)
            return row
        for attribute in inspect(type(row)).column_attrs:
            set_committed_value(before, attribute.key, row.__dict__[attribute.key])
        return before


class Session(ReadSession):
    """A `core.rows.Scribe` that is the ORM's too, in a transaction that `transaction()` settles and commits."""

    _journal: Journal | None = None

    async def insert(self, row: DeclarativeBase) -> None:
        """Write a new row, as a flush does more dearly; see `core.rows.Scribe`."""
        given, computed = contents(row)
        statement, returned = inserting(type(row), tuple(given), tuple(sorted(computed.items())))
        written = await self._ask(statement, list(given.values()))
        for name, value in zip(returned, written[0], strict=True):
            set_committed_value(row, name, value)
        make_transient_to_detached(row)
        self.add(row)

    async def save(self, *rows: DeclarativeBase) -> None:
        """Write what was changed of some rows of this session, each by one plain statement.

        A flush does the same for a third more of a millisecond each; it finds nothing left to do of them. Values that
        PostgreSQL is to compute, and rows that are new, are left to it.
        """
        for row in rows:
            state, changed = inspect(row), changes_of(row)
            if changed and state.persistent and not any(is_computed(value) for value in changed.values()):
                part, values = change(row, changed)
                await self._ask(joined([part]), values)
                # As a flush leaves it: nothing is changed any more, so that the next statement flushes nothing.
                state._commit_all(state.dict, self.sync_session.identity_map)

    def note(self, book: Book, *line: object) -> None:
        """Have a line written by the end of the transaction; see `core.rows.Scribe`."""
        if self._journal is None:
            self._journal = Journal()
        self._journal.note(book, line)

    async def settle(self) -> None:
        """Write what is noted, now."""
        if self._journal is not None:
            parts, values = self._journal.take()
            if parts:
                await self.fetch(joined(parts), *values)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """A part of the transaction that is undone alone where the block raises, with what was noted in it."""
        await self.settle()
        try:
            async with self.begin_nested():
                # SQLAlchemy sends the savepoint with the first statement of its own; plain ones would come before it.
                await self.connection()
                yield
                await self.settle()
        except BaseException:
            self._journal = None
            raise


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
        self._writers = Writers(libpq_url(write_url), pool_size)
        self._primary = Readers(libpq_url(write_url), min(pool_size, MOST_READERS))
        self._replica = self._primary if same else Readers(libpq_url(str(read_url)), min(pool_size, MOST_READERS))

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
        """One transaction on the primary: settled and committed when the block ends, undone when it raises.

        Raises Unavailable where the database cannot be reached; whether a commit whose answer was lost took place is
        then unknown, which is why every write a client may repeat is idempotent.
        """
        with translated():
            async with self._writing.begin() as session:
                yield session
                if session.in_transaction():  # otherwise whoever had it has undone it themselves
                    await session.settle()

    def writing(self) -> AbstractAsyncContextManager[Scribe]:
        """The same of plain statements, without the ORM: a third of what `transaction()` takes."""
        return self._writers.transaction()

    def writer(self) -> Writer:
        """Answers single statements that write: each is a transaction of its own, in one round trip."""
        return self._writers

    @asynccontextmanager
    async def reading(self, *, primary: bool = False) -> AsyncIterator[ReadSession]:
        """One read-only transaction, on a replica where there is one; may lag behind by the replica's delay.

        `primary`: for whoever has just written, or must see what was just told.
        """
        with translated():
            async with self._reading_primary() if primary else self._reading() as session:
                yield session

    def reader(self, *, primary: bool = False) -> Reader:
        """Answers single statements that read, without a transaction around them; from where `reading()` reads."""
        return self._primary if primary else self._replica

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
        """Close every connection."""
        await self._writers.close()
        await self._primary.close()
        await self._replica.close()
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
