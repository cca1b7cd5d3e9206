"""The notices of a user, live: which of them are to be read again.

The events carry no notice: whoever sends them reads the rows, from the primary, as their owner's.
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
class NoticesChange:
    """Some notices are to be read again: those of `ids`, and with `newest` the newest ones beside them.

    `reset`: what was missed is not known.
    """

    cursor: str
    reset: bool
    newest: bool
    ids: tuple[UUID, ...] = ()


async def notice_events(
    db: Database, hub: Hub, user_id: UUID, after: str | None
) -> AsyncGenerator[NoticesChange, None]:
    """The newest notices, then those that are written or read; with a cursor, those since.

    Ends by raising: Invalid for a malformed cursor, Unavailable where the database is away or the server stops.
    """
    view = NoticesView(db, user_id, after)
    async with aclosing(follow(hub, view, resumed=after is not None)) as events:
        async for event in events:
            yield event


class NoticesView:
    """What one viewer knows of their notices: everything up to a position."""

    def __init__(self, db: Database, user_id: UUID, after: str | None) -> None:
        self.topics = (topics.notices(user_id),)
        self._db = db
        self._position = 0 if after is None else live.position_of(after)

    async def present(self, *, reset: bool) -> NoticesChange:
        """The newest of them."""
        async with self._db.transaction() as session:
            self._position = await live.head(session)
        return NoticesChange(live.cursor(self._position), reset, newest=True)

    async def catch_up(self) -> NoticesChange | None:
        """What the viewer missed, from PostgreSQL; None where that is nothing."""
        async with self._db.transaction() as session:
            missed = await live.missed(session, self.topics, self._position)
        return await self.present(reset=True) if missed is None else self.apply(missed)

    def apply(self, facts: Iterable[live.PlacedFact]) -> NoticesChange | None:
        """Take in facts; None where they are known already."""
        known, changed, newest = self._position, dict[UUID, None](), False
        for fact in facts:
            if fact.position > self._position:
                self._position = fact.position
                newest = newest or fact.payload["notices"] is None
                changed.update(dict.fromkeys(map(UUID, fact.payload["notices"] or ())))
        if self._position == known:
            return None
        return NoticesChange(live.cursor(self._position), False, newest, tuple(changed))
