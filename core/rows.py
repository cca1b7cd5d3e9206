"""Rows that are made by the hundred for one answer, and whoever reads them from the database.

A row is frozen: mypy refuses to change one. Nothing checks that at run time, where it would take six times as long to
make one as it does without; so rows may be shared between answers, and are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, dataclass_transform

Kind = TypeVar("Kind")

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


class Writer(Reader, Protocol):
    """The same within a transaction that may write: what a statement changed is seen by those after it."""
