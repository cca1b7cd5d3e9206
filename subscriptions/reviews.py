"""Payments that wait for staff, live: which of them are to be read again.

The events carry no review: whoever sends them asks anew whether the viewer works here, and reads the rows.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from core.db import Database
from services import live
from subscriptions import topics
from subscriptions.following import follow
from subscriptions.hub import Hub


@dataclass(frozen=True)
class ReviewsChange:
    """The reviews of some payments have begun or were decided; with `whole`, the list is to be read from its beginning.

    `reset`: what was missed is not known.
    """

    cursor: str
    reset: bool
    whole: bool
    payments: tuple[UUID, ...] = ()


async def review_events(db: Database, hub: Hub, after: str | None) -> AsyncGenerator[ReviewsChange, None]:
    """The list, then what begins and what is decided; with a cursor, what did since.

    Ends by raising: Invalid for a malformed cursor, Unavailable where the database is away or the server stops.
    """
    view = ReviewsView(db, after)
    async with aclosing(follow(hub, view, resumed=after is not None)) as events:
        async for event in events:
            yield event


class ReviewsView:
    """What one viewer knows of what waits: everything up to a position."""

    def __init__(self, db: Database, after: str | None) -> None:
        self.topics = (topics.reviews(),)
        self._db = db
        self._position = 0 if after is None else live.position_of(after)

    async def present(self, *, reset: bool) -> ReviewsChange:
        """The list."""
        async with self._db.transaction() as session:
            self._position = await live.head(session)
        return ReviewsChange(live.cursor(self._position), reset, whole=True)

    async def catch_up(self) -> ReviewsChange | None:
        """What the viewer missed, from PostgreSQL; None where that is nothing."""
        async with self._db.transaction() as session:
            missed = await live.missed(session, self.topics, self._position)
        return await self.present(reset=True) if missed is None else self.apply(missed)

    def apply(self, facts: Iterable[live.PlacedFact]) -> ReviewsChange | None:
        """Take in facts; None where they are known already."""
        changed: dict[UUID, None] = {}
        for fact in facts:
            if fact.position > self._position:
                self._position = fact.position
                changed[UUID(fact.payload["payment"])] = None
        if not changed:
            return None
        return ReviewsChange(live.cursor(self._position), False, whole=False, payments=tuple(changed))
