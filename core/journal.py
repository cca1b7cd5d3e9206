"""What a transaction writes down and never reads: kept until its end, and written by one statement then.

History, facts, postings and jobs are only added, by whoever has locked what they are about, and a transaction does not
ask for its own. So they may wait for its last statement; a transaction that raises has written none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count

PLACE = re.compile(r"\{\}")
"""A value in a part of a statement, whose number is known once the parts are joined."""


@dataclass(frozen=True, eq=False)
class Book:
    """What lines of one kind are written by: `part` takes a list for each of their columns, in the order of the lines.

    It has no data-modifying WITH of its own, which PostgreSQL allows at the top of a statement only. Books are written
    at once, so a book must not need what another one writes.
    """

    name: str
    part: str


class Journal:
    """The lines of one transaction that are not written yet."""

    def __init__(self) -> None:
        self._lines: dict[Book, list[tuple[object, ...]]] = {}

    def note(self, book: Book, line: tuple[object, ...]) -> None:
        """Add a line; those of one book stay in their order."""
        self._lines.setdefault(book, []).append(line)

    def take(self) -> tuple[list[str], list[object]]:
        """The parts that write every line, and their values; nothing is left."""
        books = sorted(self._lines, key=lambda book: book.name)
        columns = chain.from_iterable(zip(*self._lines[book], strict=True) for book in books)
        values: list[object] = [list(column) for column in columns]
        self._lines = {}
        return [book.part for book in books], values


def joined(parts: Iterable[str]) -> str:
    """One statement that does what all parts do, each of which returns nothing, with their values numbered through."""
    return _joined(tuple(parts))


@lru_cache(maxsize=512)
def _joined(parts: tuple[str, ...]) -> str:
    numbers = count(1)
    numbered = [PLACE.sub(lambda _: f"${next(numbers)}", part) for part in parts]
    if len(numbered) == 1:
        return numbered[0]
    return f"WITH {', '.join(f'part_{place} AS ({part})' for place, part in enumerate(numbered))} SELECT"
