"""The departures board of an airport, live, for many at once: all of it, then what changes, comes and goes.

Flights change by facts, and are read again. A board without a day moves with the time as well: once a minute it is
looked at what has come into sight, and what has gone out of it. All is read from the primary, so that what is told is
never older than the fact behind it. It may be newer: then the fact tells it once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from core import clock
from core.db import Database
from core.rows import Reader
from services import boards, live
from services.boards import Board
from services.departures import Departure
from subscriptions import topics
from subscriptions.hub import Hub, Mailbox
from subscriptions.logs import Log

LOOK_SECONDS = 60.0
"""How often it is looked at what the time alone has changed."""

Place = tuple[int, datetime]
"""Everything up to a position, of the board as it stood at a moment."""


@dataclass(frozen=True)
class BoardShown:
    """Every flight on the board. `reset`: what the viewer knew before is to be forgotten."""

    cursor: str
    reset: bool
    flights: list[Departure]


@dataclass(frozen=True)
class BoardChanged:
    """The flights that changed or came, as they are now, and the slots of those that are no longer on the board."""

    cursor: str
    flights: list[Departure]
    gone: list[int]


BoardEvent = BoardShown | BoardChanged


class BoardFeed:
    """The board of an airport, as everybody here knows it (`engine.sharing.Feed`).

    A place is a `Place`, or None for whoever knows nothing. Raises Unavailable where the database is away or the server
    stops.
    """

    def __init__(self, db: Database, hub: Hub, board: Board, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._db = db
        self._hub = hub
        self._board = board
        self._topic = topics.airport(board.place.iata_code)
        self._log = Log([self._topic])
        self._look_seconds = look_seconds
        self._listening = AsyncExitStack()
        self._mailbox: Mailbox
        self._looking: asyncio.TimerHandle | None = None
        self._is_time = False
        self._move(clock.now())
        self._flights: dict[int, Departure] = {}
        self._sights: dict[datetime, set[int]] = {}
        """Which flights, as they are known now, were in sight at the moments that somebody comes back from."""
        self._snapshots: dict[bool, tuple[BoardShown]] = {}

    @property
    def here(self) -> Hashable:
        """The place of whoever was told everything; None where nobody was told anything."""
        return None if self._log.position is None else (self._log.position, self._at)

    def place(self, cursor: str | None) -> Place | None:
        """Raises Invalid for a malformed cursor."""
        return None if cursor is None else live.place_of(cursor)

    async def open(self, stir: Callable[[], None]) -> None:
        """Subscribe; where Valkey is away this takes a second, and there is a gap when it is back."""
        self._mailbox = await self._listening.enter_async_context(self._hub.subscribe(self._topic, stir=stir))
        self._wait(stir)

    async def close(self) -> None:
        """Subscribe no more."""
        if self._looking is not None:
            self._looking.cancel()
        await self._listening.aclose()

    async def changes(self) -> Sequence[BoardEvent]:
        """What changed by facts, and by the time; the whole board with `reset` where what was missed is not known."""
        post = self._mailbox.now()
        is_time, self._is_time = self._is_time or post.gap, False
        told = await self._advance() if post.gap and self._log.position is not None else []
        return [*told, *await self._renewed(slots_of(self._log.take(post.facts)), is_time=is_time)]

    async def reach(self, places: Collection[Hashable]) -> Sequence[BoardEvent]:
        """Read the board, where nobody has yet; and what those who come back missed, once for all of them."""
        back = [place for place in places if isinstance(place, tuple)]
        positions = [position for position, _ in back]
        told: Sequence[BoardEvent] = []
        if self._log.position is None:
            await self._begin(min(positions, default=None))
        elif self._log.is_behind(positions):
            told = await self._advance()
        if (since := self._log.lacks(positions)) is not None:
            async with self._db.transaction() as session:
                await self._log.remember(session, since)
        moments = set() if self._board.day is not None else {moment for _, moment in back}
        for moment in moments - self._sights.keys() - {self._at}:
            self._sights[moment] = await boards.slots(self._reader, self._board, self._board.window(moment))
        return told

    def opening(self, place: Hashable) -> Sequence[BoardEvent]:
        """What changed, came and went since; the whole board for whoever knows nothing, or nothing that we do."""
        then = self._in_sight_from(place)
        if then is None or not isinstance(place, tuple):
            return self._snapshot(reset=place is not None)
        changed = slots_of(self._log.since(place[0]))
        told = [one for slot, one in self._flights.items() if slot in changed or slot not in then]
        return self._told(told, (set(then) | changed) - self._flights.keys())

    def _in_sight_from(self, place: Hashable) -> Collection[int] | None:
        """Which flights were in sight at a place; None where not everything is at hand that happened since."""
        if not isinstance(place, tuple) or not self._log.knows(place[0]):
            return None
        stands_still = self._board.day is not None or place[1] == self._at
        return self._flights.keys() if stands_still else self._sights.get(place[1])

    @property
    def _reader(self) -> Reader:
        return self._db.reader(primary=True)

    @property
    def _cursor(self) -> str:
        return live.moving_cursor(self._log.position or 0, self._at)

    def _wait(self, stir: Callable[[], None]) -> None:
        """Stir when it is time to look at what the time has changed, and again and again."""

        def look() -> None:
            self._is_time = True
            stir()
            self._wait(stir)

        self._looking = asyncio.get_running_loop().call_later(self._look_seconds, look)

    def _move(self, now: datetime) -> None:
        """Look from that moment on, which cursors name to the second."""
        self._at = now.replace(microsecond=0)
        self._window = self._board.window(self._at)
        self._sights = {}

    def _snapshot(self, *, reset: bool) -> tuple[BoardShown]:
        if reset not in self._snapshots:
            self._snapshots[reset] = (BoardShown(self._cursor, reset, list(self._flights.values())),)
        return self._snapshots[reset]

    def _told(self, flights: list[Departure], gone: Collection[int]) -> list[BoardChanged]:
        return [BoardChanged(self._cursor, flights, sorted(gone))] if flights or gone else []

    async def _advance(self) -> Sequence[BoardEvent]:
        """Catch up with the head; what those who are here are to be told of it."""
        async with self._db.transaction() as session:
            new = await self._log.advance(session)
        if new is not None:
            return await self._renewed(slots_of(new), is_time=False)
        await self._begin(None)
        return self._snapshot(reset=True)

    async def _begin(self, since: int | None) -> None:
        """Read the whole board, and what happened since a position for those who come back from there."""
        log, now = Log([self._topic]), clock.now()
        async with self._db.transaction() as session:
            await log.begin(session, since)
        found = await boards.flights(self._reader, self._board, self._board.window(now.replace(microsecond=0)))
        self._log, self._flights = log, by_slot(found)
        self._move(now)
        self._snapshots.clear()

    async def _renewed(self, changed: set[int], *, is_time: bool) -> list[BoardChanged]:
        """Read again the flights that changed, and with `is_time` those that the time brings; what is to be told."""
        self._snapshots.clear()
        to_read, may_be_gone = changed, changed & self._flights.keys()
        if is_time and self._log.position is not None:
            self._move(clock.now())
            in_sight = await boards.slots(self._reader, self._board, self._window)
            to_read = changed | (in_sight - self._flights.keys())
            may_be_gone = may_be_gone | (self._flights.keys() - in_sight)
        if not to_read and not may_be_gone:
            return []
        found = await boards.flights(self._reader, self._board, self._window, to_read)
        gone = may_be_gone - {one.slot_id for one in found}
        kept = {slot: one for slot, one in (self._flights | by_slot(found)).items() if slot not in gone}
        self._flights = dict(sorted(kept.items(), key=lambda item: (item[1].departs_at, item[0])))
        self._sights = {}
        return self._told(found, gone)


def by_slot(flights: Iterable[Departure]) -> dict[int, Departure]:
    """Flights by their slot, in their order."""
    return {one.slot_id: one for one in flights}


def slots_of(facts: Iterable[live.PlacedFact]) -> set[int]:
    """The flights that facts of an airport are about."""
    return {fact.payload["slot"] for fact in facts}
