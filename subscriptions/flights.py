"""The day of some flights, live, for many at once: each as it is, then each that changes.

A flight is read again, on the primary, when something about its day has changed: what is told is never older than the
fact behind it. It may be newer: then the fact tells it once more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from core.db import Database
from core.errors import Invalid, NotFound
from services import departures, live
from services.departures import Departure
from subscriptions import topics
from subscriptions.hub import Hub, Mailbox
from subscriptions.logs import Log

MOST_FLIGHTS = 100
KINDS = "flight."


@dataclass(frozen=True)
class FlightStatusChange:
    """A flight as it is now. `reset`: what happened in between is not known."""

    cursor: str
    reset: bool
    flight: Departure


class FlightsFeed:
    """Some flights, as everybody here knows them (`engine.sharing.Feed`).

    A place is a position of the relay's, or None for whoever knows nothing. Raises Invalid for no or more than 100
    flights, NotFound where there is not one of them, Unavailable where the database is away or the server stops.
    """

    def __init__(self, db: Database, hub: Hub, slot_ids: Sequence[int]) -> None:
        self._db = db
        self._hub = hub
        self._slots = {topics.slot(slot_id): slot_id for slot_id in wanted(slot_ids)}
        self._log = Log(list(self._slots), KINDS)
        self._listening = AsyncExitStack()
        self._mailbox: Mailbox
        self._flights: dict[int, Departure] = {}
        self._snapshots: dict[bool, list[FlightStatusChange]] = {}

    @property
    def here(self) -> Hashable:
        """The position up to which everything was told; None where nobody was told anything."""
        return self._log.position

    def place(self, cursor: str | None) -> int | None:
        """Raises Invalid for a malformed cursor."""
        return None if cursor is None else live.position_of(cursor)

    async def open(self, stir: Callable[[], None]) -> None:
        """Subscribe; where Valkey is away this takes a second, and there is a gap when it is back."""
        self._mailbox = await self._listening.enter_async_context(
            self._hub.subscribe(*self._slots, stir=stir, kinds=KINDS)
        )

    async def close(self) -> None:
        """Subscribe no more."""
        await self._listening.aclose()

    async def changes(self) -> Sequence[FlightStatusChange]:
        """Each flight that changed; every one with `reset` where what was missed is not known."""
        post = self._mailbox.now()
        told = await self._advance() if post.gap and self._log.position is not None else []
        return [*told, *await self._renewed(self._log.take(post.facts))]

    async def reach(self, places: Collection[Hashable]) -> Sequence[FlightStatusChange]:
        """Read the flights, where nobody has yet; and what those who come back missed, once for all of them."""
        back = [place for place in places if isinstance(place, int)]
        if self._log.position is None:
            await self._begin(min(back, default=None))
            return []
        told = await self._advance() if self._log.is_behind(back) else []
        if (since := self._log.lacks(back)) is not None:
            async with self._db.transaction() as session:
                await self._log.remember(session, since)
        return told

    def opening(self, place: Hashable) -> Sequence[FlightStatusChange]:
        """The flights that changed since; every one for whoever knows nothing, or nothing that we do."""
        if not isinstance(place, int) or not self._log.knows(place):
            return self._snapshot(reset=place is not None)
        return self._told(self._log.since(place))

    def _snapshot(self, *, reset: bool) -> Sequence[FlightStatusChange]:
        if reset not in self._snapshots:
            cursor = live.cursor(self._log.position or 0)
            told = [FlightStatusChange(cursor, reset, self._flights[slot]) for slot in self._slots.values()]
            self._snapshots[reset] = told
        return self._snapshots[reset]

    def _told(self, facts: Iterable[live.PlacedFact]) -> list[FlightStatusChange]:
        """One event for each flight that these facts are about, in the order of the last about each."""
        last = {self._slots[fact.stream]: fact.position for fact in facts}
        return [
            FlightStatusChange(live.cursor(position), False, self._flights[slot])
            for slot, position in sorted(last.items(), key=lambda item: item[1])
        ]

    async def _advance(self) -> Sequence[FlightStatusChange]:
        """Catch up with the head; what those who are here are to be told of it."""
        async with self._db.transaction() as session:
            new = await self._log.advance(session)
        if new is not None:
            return await self._renewed(new)
        await self._begin(None)
        return self._snapshot(reset=True)

    async def _renewed(self, new: Sequence[live.PlacedFact]) -> Sequence[FlightStatusChange]:
        """Read again the flights that these facts are about; what is to be told of them."""
        self._snapshots.clear()
        if new:
            self._flights |= await self._read(self._slots[fact.stream] for fact in new)
        return self._told(new)

    async def _begin(self, since: int | None) -> None:
        """Read every flight, and what happened since a position for those who come back from there."""
        log = Log(list(self._slots), KINDS)
        async with self._db.transaction() as session:
            await log.begin(session, since)
        found = await self._read(self._slots.values())
        if len(found) < len(self._slots):
            raise NotFound("There is no such flight.")
        self._log, self._flights = log, found
        self._snapshots.clear()

    async def _read(self, slot_ids: Iterable[int]) -> dict[int, Departure]:
        return await departures.by_slots(self._db.reader(primary=True), slot_ids)


def wanted(slot_ids: Sequence[int]) -> list[int]:
    """The flights asked for, each once; raises Invalid where there are none or too many."""
    unique = list(dict.fromkeys(slot_ids))
    if not 1 <= len(unique) <= MOST_FLIGHTS:
        raise Invalid(f"Watch from 1 to {MOST_FLIGHTS} flights at once.", field="flightIds")
    return unique
