"""Rows that are made by the hundred for one answer, and whoever reads them from the database.

A row is frozen: mypy refuses to change one. Nothing checks that at run time, where it would take six times as long to
make one as it does without; so rows may be shared between answers, and are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, dataclass_transform

from sqlalchemy.orm import DeclarativeBase

from core.journal import Book

Kind = TypeVar("Kind")
Model = TypeVar("Model", bound=DeclarativeBase)

Written = dict[object, Any]
"""What answers have written of a row, by whoever wrote it. It is no part of what the row is.

A row that lasts, since it is handed out again and again, has a dictionary of its own for it; every other has None.
"""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def row(kind: type[Kind]) -> type[Kind]:
    """A dataclass with slots, whose attributes are all plain and are never changed."""
    return dataclass(slots=True)(kind)


class Reader(Protocol):
    """Answers statements that only read, each with what was committed when it began; a session answers with its own."""

    async def fetch(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        """The rows of a statement, `$1` and so on standing for `values`; each row in the order of its columns.

        Raises Unavailable where the database cannot be reached.
        """


class Keeper(Reader, Protocol):
    """The same within a transaction, whose rows of `models` are each one object, however often they are read."""

    def keep(self, row: Model) -> Model:
        """A row that was just read here; where it was before, that one, which is now as it says."""


class Writer(Reader, Protocol):
    """The same within a transaction that may write: what a statement changed is seen by those after it."""


class Scribe(Writer, Keeper, Protocol):
    """A writer that also writes whole rows of `models`, and keeps a journal. `core.db.Session` is one that is the
    ORM's too, `core.scribes.PlainScribe` one that needs none of it: whoever asks for a Scribe is served by both."""

    async def insert(self, row: DeclarativeBase) -> None:
        """Write a new row by one plain statement; its key is given.

        What PostgreSQL computes, by a default or as a function without arguments, the row has afterwards.
        """

    async def save(self, *rows: DeclarativeBase) -> None:
        """Write what was changed of rows that were inserted or kept here, before the next statement at the latest."""

    def note(self, book: Book, *line: object) -> None:
        """Have a line written by the end of the transaction, after those that were noted before (`core.journal`)."""

    async def settle(self) -> None:
        """Write what is noted, and saved, now: for whoever asks for it, or locks next what others wait for."""
