"""Sweeping what is due, past what cannot be swept.

A row that fails to be swept (somebody repaired by hand what it counts in, and wrongly) is a fault of ours and keeps no
other row waiting: it is found by halves, logged, counted, set aside for ten seconds, and then tried again.
"""

from __future__ import annotations

import time
from abc import ABC
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, Protocol, TypeVar
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError

from core.db import Session, is_away
from core.log import logger

SET_ASIDE_SECONDS = 10.0
"""How long a row that could not be swept is left alone: so many of them never fill up a sweep."""

PASSING = {"40001", "40P01", "55P03"}
"""What PostgreSQL says of a transaction that was in another's way: a serialization failure, a deadlock, a lock that was
waited for too long. No fault of a row: the whole sweep is tried again."""


class HasId(Protocol):
    """A row that is swept."""

    id: UUID


Row = TypeVar("Row", bound=HasId)

Write = Callable[[Session, Sequence[Row]], Awaitable[int]]
"""Writes down what is due of locked rows; how many were."""

Relock = Callable[[Session, Sequence[UUID]], Awaitable[Sequence[Row]]]
"""Locks rows by id and reads them as they are now."""


class Broken(ABC):
    """The rows of one kind that could not be swept, for as long as they are set aside.

    One per sweeper, for its whole life. A subclass says what they are, and counts them.
    """

    what: ClassVar[str]
    failures: ClassVar[Counter]

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[UUID, float] = {}
        self._log = logger(f"{self.what}s")

    def add(self, row_id: UUID, error: Exception) -> None:
        """Set a row aside, and tell whoever keeps Jetway running."""
        self._until[row_id] = self._clock() + SET_ASIDE_SECONDS
        self.failures.inc()
        named = {self.what: str(row_id)}
        self._log.error(f"{self.what}.expiry_failed", **named, again_in=SET_ASIDE_SECONDS, exc_info=error)

    @property
    def ids(self) -> list[UUID]:
        """Those that are set aside now."""
        moment = self._clock()
        self._until = {row_id: until for row_id, until in self._until.items() if until > moment}
        return list(self._until)


async def all_but(
    session: Session,
    rows: Sequence[Row],
    write: Write[Row],
    relock: Relock[Row],
    broken: Broken,
    before_halves: Callable[[Session, Sequence[UUID]], Awaitable[None]] | None = None,
) -> int:
    """Write down what is due of locked rows, except for those that fail, which go to `broken`; how many were.

    Where all of them together fail, `before_halves` may lock what the halves would otherwise lock in another order.
    Whoever was merely in the way fails the whole sweep, which is tried again.
    """
    ids = [row.id for row in rows]
    try:
        async with session.attempt():
            return await write(session, rows)
    except Exception as error:
        if is_passing(error):
            raise
        if before_halves is not None:
            await before_halves(session, ids)
        return await by_halves(session, ids, write, relock, broken, error)


async def by_halves(
    session: Session,
    ids: Sequence[UUID],
    write: Write[Row],
    relock: Relock[Row],
    broken: Broken,
    error: Exception,
) -> int:
    """The same for rows that failed together with that error; all that they need is locked."""
    if len(ids) == 1:
        broken.add(ids[0], error)
        return 0
    written, middle = 0, len(ids) // 2
    for half in (ids[:middle], ids[middle:]):
        try:
            async with session.attempt():
                written += await write(session, await relock(session, half))
        except Exception as reason:
            if is_passing(reason):
                raise
            written += await by_halves(session, half, write, relock, broken, reason)
    return written


def is_passing(error: Exception) -> bool:
    """Whether it is no row's fault: the database is away, or somebody else was in the way."""
    told = error.orig if isinstance(error, DBAPIError) else error
    return is_away(error) or getattr(told, "sqlstate", None) in PASSING
