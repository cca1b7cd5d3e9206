"""Flights, live: which of them is to be read again, because something about its day has changed.

The events carry no flight: whoever sends them reads its row, from the primary, so that what is sent is never older than
what it announces.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass

from core.db import Database
from core.errors import Invalid
from services import live
from subscriptions import topics
from subscriptions.hub import Hub

MOST_FLIGHTS = 100


@dataclass(frozen=True)
class FlightStatusChange:
    """The flight of a slot is to be read again. `reset`: what happened in between is not known."""

    cursor: str
    reset: bool
    slot_id: int


async def flight_status_events(
    db: Database, hub: Hub, slot_ids: Sequence[int], after: str | None
) -> AsyncGenerator[FlightStatusChange, None]:
    """One event for each flight, then one for each change; with a cursor the flights that changed since.

    Several changes of a flight that wait together are one event. Ends by raising: Invalid for a malformed cursor, or
    for no or more than 100 flights; Unavailable where the database is away or the server stops.
    """
    view = FlightsView(db, wanted(slot_ids), None if after is None else live.position_of(after))
    async with hub.subscribe(*view.topics) as mailbox:
        for event in await (view.present(reset=False) if after is None else view.catch_up()):
            yield event
        while True:
            post = await mailbox.take()
            if post.gap:
                for event in await view.catch_up():
                    yield event
            for event in view.apply(post.facts):
                yield event


def wanted(slot_ids: Sequence[int]) -> list[int]:
    """The flights asked for, each once; raises Invalid where there are none or too many."""
    unique = list(dict.fromkeys(slot_ids))
    if not 1 <= len(unique) <= MOST_FLIGHTS:
        raise Invalid(f"Watch from 1 to {MOST_FLIGHTS} flights at once.", field="flightIds")
    return unique


class FlightsView:
    """What one viewer knows of some flights: everything up to a position."""

    def __init__(self, db: Database, slot_ids: Sequence[int], position: int | None) -> None:
        self.topics = {topics.slot(slot_id): slot_id for slot_id in slot_ids}
        self._db = db
        self._position = position or 0

    async def present(self, *, reset: bool) -> list[FlightStatusChange]:
        """One event for each flight."""
        async with self._db.transaction() as session:
            self._position = await live.head(session)
        cursor = live.cursor(self._position)
        return [FlightStatusChange(cursor, reset, slot_id) for slot_id in self.topics.values()]

    async def catch_up(self) -> list[FlightStatusChange]:
        """The flights that changed since, from PostgreSQL; all of them where that is not known."""
        async with self._db.transaction() as session:
            missed = await live.missed(session, list(self.topics), self._position)
        return await self.present(reset=True) if missed is None else self.apply(missed)

    def apply(self, facts: Iterable[live.PlacedFact]) -> list[FlightStatusChange]:
        """Take in facts; one event for each flight that they change, in the order of its last change."""
        changed: dict[int, int] = {}
        for fact in facts:
            if fact.position > self._position:
                self._position = fact.position
                if fact.kind.startswith("flight."):
                    slot_id = self.topics[fact.stream]
                    changed.pop(slot_id, None)
                    changed[slot_id] = fact.position
        return [FlightStatusChange(live.cursor(position), False, slot_id) for slot_id, position in changed.items()]
