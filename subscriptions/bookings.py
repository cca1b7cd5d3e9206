"""A booking and its payments, live: what has happened to it, and that it is to be read again.

The events carry neither the booking nor its payments: whoever sends them reads the rows, from the primary, and asks
anew whether the viewer may see them. What waits together is one event.
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

NOTIFIED = "booking.notified"
OF_PAYMENTS = ("payment.", "refund.")


@dataclass(frozen=True)
class BookingChange:
    """A booking is to be read again. `reset`: what happened in between is not known.

    `happened` has the kinds of facts since the last event, each once, in the order of their last; `payments` the
    payments that they are about, `notices` the notices that were written.
    """

    cursor: str
    reset: bool
    happened: tuple[str, ...] = ()
    payments: tuple[UUID, ...] = ()
    notices: tuple[UUID, ...] = ()


async def booking_events(
    db: Database, hub: Hub, booking_id: UUID, after: str | None
) -> AsyncGenerator[BookingChange, None]:
    """One event for the booking as it is, then one for each change; with a cursor, what happened since.

    Ends by raising: Invalid for a malformed cursor, Unavailable where the database is away or the server stops.
    """
    view = BookingView(db, booking_id, after)
    async with aclosing(follow(hub, view, resumed=after is not None)) as events:
        async for event in events:
            yield event


async def payment_events(
    db: Database, hub: Hub, booking_id: UUID, after: str | None
) -> AsyncGenerator[BookingChange, None]:
    """The same for the booking's payments: only what happens to them and to their refunds is an event."""
    view = BookingView(db, booking_id, after, OF_PAYMENTS)
    async with aclosing(follow(hub, view, resumed=after is not None)) as events:
        async for event in events:
            yield event


class BookingView:
    """What one viewer knows of a booking: everything up to a position. `kinds`: how the facts begin that matter."""

    def __init__(self, db: Database, booking_id: UUID, after: str | None, kinds: tuple[str, ...] = ("",)) -> None:
        self.topics = (topics.booking(booking_id),)
        self._db = db
        self._kinds = kinds
        self._position = 0 if after is None else live.position_of(after)

    async def present(self, *, reset: bool) -> BookingChange:
        """The booking as it is now."""
        async with self._db.transaction() as session:
            self._position = await live.head(session)
        return BookingChange(live.cursor(self._position), reset)

    async def catch_up(self) -> BookingChange | None:
        """What the viewer missed, from PostgreSQL; None where that is nothing."""
        async with self._db.transaction() as session:
            missed = await live.missed(session, self.topics, self._position)
        return await self.present(reset=True) if missed is None else self.apply(missed)

    def apply(self, facts: Iterable[live.PlacedFact]) -> BookingChange | None:
        """Take in facts; None where none of them matters."""
        happened: dict[str, None] = {}
        payments: dict[UUID, None] = {}
        notices: dict[UUID, None] = {}
        for fact in facts:
            if fact.position <= self._position:
                continue
            self._position = fact.position
            if not fact.kind.startswith(self._kinds):
                continue
            happened.pop(fact.kind, None)
            happened[fact.kind] = None
            if "payment" in fact.payload:
                payments[UUID(fact.payload["payment"])] = None
            if fact.kind == NOTIFIED:
                notices[UUID(fact.payload["notice"])] = None
        if not happened:
            return None
        return BookingChange(live.cursor(self._position), False, tuple(happened), tuple(payments), tuple(notices))
