"""A transaction without SQLAlchemy that still reads and writes rows of `models`: a third of what a session takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy import inspect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.attributes import set_committed_value

from core.detached import change, changes_of, contents, inserting, is_computed, keys_of, written
from core.journal import Book, Journal, joined
from core.rows import Model

Identity = tuple[type[DeclarativeBase], tuple[object, ...]]
"""A row, by its table and its key."""


class PlainScribe:
    """`core.rows.Scribe` on the connection of a transaction that has begun; whoever began it settles and commits it.

    Rows are saved together: those that nobody asks after are written with the journal, by the last statement.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._journal = Journal()
        self._rows: dict[Identity, DeclarativeBase] = {}
        self._saved: dict[Identity, DeclarativeBase] = {}

    async def fetch(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        """The rows of a statement; see `core.rows.Reader`. Raises asyncpg.PostgresError."""
        if self._saved:
            await self._write(*self._changes())
        rows: Sequence[Sequence[Any]] = await self._connection.fetch(statement, *values)
        return rows

    async def insert(self, row: DeclarativeBase) -> None:
        """Write a new row; see `core.rows.Scribe`."""
        given, computed = contents(row)
        statement, returned = inserting(type(row), tuple(given), tuple(sorted(computed.items())))
        told = await self.fetch(statement, *given.values())
        for name, value in zip(returned, told[0], strict=True):
            set_committed_value(row, name, value)
        written(row)
        self._rows[identity(row)] = row

    async def save(self, *rows: DeclarativeBase) -> None:
        """Write what was changed of rows; see `core.rows.Scribe`. What PostgreSQL is to compute is left to statements.

        Raises TypeError for that.
        """
        for row in rows:
            if any(is_computed(value) for value in changes_of(row).values()):
                raise TypeError(f"{type(row).__name__}: a plain scribe saves no value that PostgreSQL computes")
            self._saved[identity(row)] = row

    def keep(self, row: Model) -> Model:
        """A row that was just read; see `core.rows.Scribe`."""
        known = self._rows.setdefault(identity(row), row)
        if known is row or not isinstance(known, type(row)):
            return row
        state = inspect(known).dict
        state.update((name, value) for name, value in inspect(row).dict.items() if name != "_sa_instance_state")
        written(known)
        return known

    def note(self, book: Book, *line: object) -> None:
        """Have a line written by the end; see `core.rows.Scribe`."""
        self._journal.note(book, line)

    async def settle(self) -> None:
        """Write what is saved and noted, by one statement."""
        parts, values = self._changes()
        noted, lines = self._journal.take()
        await self._write(parts + noted, values + lines)

    def _changes(self) -> tuple[list[str], list[object]]:
        """The parts that write what is saved, and their values; nothing is left."""
        parts, values = [], list[object]()
        for row in self._saved.values():
            changed = changes_of(row)
            if changed:
                part, given = change(row, changed)
                parts.append(part)
                values += given
                written(row)
        self._saved = {}
        return parts, values

    async def _write(self, parts: Sequence[str], values: Sequence[object]) -> None:
        if parts:
            await self._connection.fetch(joined(parts), *values)


def identity(row: DeclarativeBase) -> Identity:
    """Which row it is."""
    return type(row), tuple(getattr(row, key) for key in keys_of(type(row)))
