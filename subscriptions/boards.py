"""The departures board of an airport, live: what is on it, then what changes, comes and goes.

Flights change by facts. A board without a day moves with the time as well: once a minute it is looked at what has come
into sight, and what has gone out of it. Flights are read from the primary when they are told, so that what is told is
never older than the fact behind it; a viewer costs this process the numbers of the flights in sight, not the flights.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from core import clock
from core.db import Database
from core.rows import Reader
from services import boards, live
from services.boards import Board
from services.departures import Departure
from subscriptions import topics
from subscriptions.hub import Hub, Mailbox, Post

LOOK_SECONDS = 60.0
"""How often it is looked at what the time alone has changed."""


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


async def board_events(
    db: Database, hub: Hub, board: Board, after: str | None, *, look_seconds: float = LOOK_SECONDS
) -> AsyncGenerator[BoardEvent, None]:
    """The whole board, then what changes; with a cursor what was missed, or the whole with `reset`.

    Ends by raising: Invalid for a malformed cursor, Unavailable where the database is away or the server stops.
    """
    view = BoardView(db, board, after)
    async with hub.subscribe(topics.airport(board.place.iata_code)) as mailbox:
        event = await (view.present(reset=False) if after is None else view.come_back())
        if event is not None:
            yield event
        now = asyncio.get_running_loop().time
        look_at = now() + look_seconds
        while True:
            post = await taken(mailbox, look_at)
            if post is None:
                look_at = now() + look_seconds
            event = await (view.look() if post is None else view.catch_up() if post.gap else view.apply(post.facts))
            if event is not None:
                yield event
            if post is not None and post.gap:
                event = await view.apply(post.facts)
                if event is not None:
                    yield event


async def taken(mailbox: Mailbox, until: float) -> Post | None:
    """What waits in the mailbox; None where nothing has come until then, by the loop's clock."""
    with suppress(TimeoutError):
        async with asyncio.timeout_at(until):
            return await mailbox.take()
    return None


class BoardView:
    """What one viewer knows of a board: which flights were in sight at a moment, and all about them to a position."""

    def __init__(self, db: Database, board: Board, after: str | None) -> None:
        self._db = db
        self._board = board
        self._slots: set[int] = set()
        self._position, self._at = (0, clock.now()) if after is None else live.place_of(after)
        self._window = board.window(self._at)

    @property
    def _reader(self) -> Reader:
        return self._db.reader(primary=True)

    @property
    def _cursor(self) -> str:
        return live.moving_cursor(self._position, self._at)

    async def present(self, *, reset: bool) -> BoardShown:
        """The board as it is now."""
        async with self._db.transaction() as session:
            self._position = await live.head(session)
        self._move(clock.now())
        found = await boards.flights(self._reader, self._board, self._window)
        self._slots = {one.slot_id for one in found}
        return BoardShown(self._cursor, reset, found)

    async def come_back(self) -> BoardEvent | None:
        """What a viewer with a cursor missed; None where that is nothing."""
        self._slots = await boards.slots(self._reader, self._board, self._window)
        return await self.catch_up()

    async def catch_up(self) -> BoardEvent | None:
        """What the viewer missed, by facts and by the time; None where that is nothing."""
        async with self._db.transaction() as session:
            missed = await live.missed(session, [topics.airport(self._board.place.iata_code)], self._position)
        if missed is None:
            return await self.present(reset=True)
        return await self._renewed(self._changed_by(missed), clock.now())

    async def look(self) -> BoardChanged | None:
        """What the time alone has changed; None where that is nothing."""
        return await self._renewed(set(), clock.now())

    async def apply(self, facts: Iterable[live.PlacedFact]) -> BoardChanged | None:
        """What facts change, which are in order; None where that is nothing."""
        changed = self._changed_by(facts)
        return await self._told(changed, self._slots & changed) if changed else None

    def _changed_by(self, facts: Iterable[live.PlacedFact]) -> set[int]:
        """The flights that are to be read again for facts that are not known yet."""
        new = [fact for fact in facts if fact.position > self._position]
        if new:
            self._position = new[-1].position
        return {fact.payload["slot"] for fact in new}

    async def _renewed(self, changed: set[int], now: datetime) -> BoardChanged | None:
        """What has changed with these flights and with the time."""
        self._move(now)
        in_sight = await boards.slots(self._reader, self._board, self._window)
        known = self._slots
        return await self._told(changed | (in_sight - known), (known - in_sight) | changed)

    async def _told(self, to_read: Collection[int], may_be_gone: Collection[int]) -> BoardChanged | None:
        """Those flights as they are now; gone are those that may be, and are not among them."""
        found = await boards.flights(self._reader, self._board, self._window, to_read)
        slots = {one.slot_id for one in found}
        gone = sorted(set(may_be_gone) - slots)
        self._slots = (self._slots | slots) - set(gone)
        return BoardChanged(self._cursor, found, gone) if found or gone else None

    def _move(self, now: datetime) -> None:
        """Look from that moment on."""
        self._at, self._window = now, self._board.window(now)
