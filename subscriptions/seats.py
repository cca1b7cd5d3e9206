"""The seats of a slot, live, for many at once: a snapshot, then what changes.

The order is what makes it whole: subscribe, read the head, read the seats, then deltas. A fact up to the head is in the
snapshot, because it was committed before it got its position. A fact after the head reaches the mailbox, because it is
published after we subscribed. What the snapshot shows of a fact that had no position yet is told to those who were here
before, and the fact is dropped when it comes: everybody who is here knows the same, whenever he came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from core.db import Database
from core.errors import NotFound
from models import SeatStatus
from services import live, seats
from services.seats import Plans, SeatState
from subscriptions import topics
from subscriptions.hub import Hub, Mailbox
from subscriptions.logs import Log

FRESH = 0.5
"""Seconds after which a snapshot is read again, whoever was told of whatever changes: it shows locks as free whose time
is over, and what the relay has not told yet."""


@dataclass(frozen=True)
class SeatMapSnapshot:
    """Every seat, in the order of reading. `reset`: what the viewer knew before is to be forgotten."""

    cursor: str
    reset: bool
    seats: list[SeatState]


@dataclass(frozen=True)
class SeatsChanged:
    """The seats that changed, each with its newest state."""

    cursor: str
    seats: list[SeatState]


SeatMapEvent = SeatMapSnapshot | SeatsChanged


class SeatFeed:
    """The seats of a slot, as everybody here knows them: up to a position of the relay's (`engine.sharing.Feed`).

    A place is a position, or None for whoever knows nothing. Raises NotFound where the slot has no seats, Unavailable
    where the database is away or the server stops. PostgreSQL is read on the primary: a replica may not have what has
    been published already.
    """

    def __init__(self, db: Database, plans: Plans, hub: Hub, slot_id: int) -> None:
        self._db = db
        self._plans = plans
        self._hub = hub
        self._slot_id = slot_id
        self._topic = topics.slot(slot_id)
        self._log = Log([self._topic], "seat.")
        self._listening = AsyncExitStack()
        self._mailbox: Mailbox
        self._seats: dict[str, SeatState] = {}
        self._read_at = float("-inf")
        self._early: dict[str, SeatState] = {}
        """Seats that were shown before what happened to them had its position."""
        self._snapshots: dict[bool, tuple[SeatMapSnapshot]] = {}

    @property
    def here(self) -> Hashable:
        """The position up to which everything was told; None where nobody was told anything."""
        return self._log.position

    def place(self, cursor: str | None) -> int | None:
        """Raises Invalid for a malformed cursor."""
        return None if cursor is None else live.position_of(cursor)

    async def open(self, stir: Callable[[], None]) -> None:
        """Subscribe; where Valkey is away this takes a second, and there is a gap when it is back."""
        self._mailbox = await self._listening.enter_async_context(self._hub.subscribe(self._topic, stir=stir))

    async def close(self) -> None:
        """Subscribe no more."""
        await self._listening.aclose()

    async def changes(self) -> Sequence[SeatMapEvent]:
        """The newest state of each seat that changed; a snapshot with `reset` where what was missed is not known."""
        post = self._mailbox.now()
        told = await self._catch_up() if post.gap else []
        return [*told, *self._changed(self._take(self._log.take(post.facts)))]

    async def reach(self, places: Collection[Hashable]) -> Sequence[SeatMapEvent]:
        """Read what they missed, once for all of them, and a snapshot, where one is needed and the last one is old."""
        told: list[SeatMapEvent] = []
        cursors = [place for place in places if isinstance(place, int)]
        if self._log.position is None:
            async with self._db.transaction() as session:
                await self._log.begin(session, min(cursors, default=None))
        elif self._log.is_behind(cursors):
            told += await self._catch_up()
        if (since := self._log.lacks(cursors)) is not None:
            async with self._db.transaction() as session:
                await self._log.remember(session, since)
        if not all(map(self._knows, places)) and asyncio.get_running_loop().time() - self._read_at > FRESH:
            told += await self._look()
        return told

    def opening(self, place: Hashable) -> Sequence[SeatMapEvent]:
        """What changed since, or every seat; with `reset` where what changed is not known."""
        if not isinstance(place, int) or not self._knows(place):
            return self._snapshot(reset=place is not None)
        changed = {state.number: state for fact in self._log.since(place) for state in states_of(fact)}
        return self._changed(changed | self._early)

    def _knows(self, place: Hashable) -> bool:
        """Whether everything is at hand that happened between a position and here."""
        return isinstance(place, int) and self._log.knows(place)

    def _changed(self, seats: dict[str, SeatState]) -> list[SeatMapEvent]:
        """What tells that these seats changed; nothing for none."""
        return [SeatsChanged(live.cursor(self._log.position or 0), list(seats.values()))] if seats else []

    def _snapshot(self, *, reset: bool) -> tuple[SeatMapSnapshot]:
        """What tells every seat; the same object until something has changed."""
        if reset not in self._snapshots:
            snapshot = SeatMapSnapshot(live.cursor(self._log.position or 0), reset, list(self._seats.values()))
            self._snapshots[reset] = (snapshot,)
        return self._snapshots[reset]

    async def _catch_up(self) -> list[SeatMapEvent]:
        """Be where the relay is; what those who are here missed until then."""
        async with self._db.transaction() as session:
            missed = await self._log.advance(session)
        return await self._look() if missed is None else self._changed(self._take(missed))

    async def _look(self) -> list[SeatMapEvent]:
        """Read every seat; what those who are here are to be told of it, which is all, where they missed too much."""
        async with self._db.transaction() as session:
            missed = await self._log.advance(session)
            if missed is None:
                await self._log.begin(session, None)
            states = await seats.states(session, self._plans, self._slot_id)
            unplaced = await live.unplaced(session, self._topic, self._log.position or 0)
        if not states:
            raise NotFound("There is no seat map.")
        changed = self._take(missed or ()) | self._show(states, unplaced)
        return self._changed(changed) if missed is not None else [*self._snapshot(reset=True)]

    def _show(self, states: Sequence[SeatState], unplaced: Iterable[live.PlacedFact]) -> dict[str, SeatState]:
        """Take in a snapshot; the seats that it shows early, and that nobody here has been shown."""
        self._seats = {state.number: state for state in states}
        self._read_at = asyncio.get_running_loop().time()
        self._snapshots.clear()
        shown: dict[str, SeatState] = {}
        for state in (state for fact in unplaced for state in states_of(fact)):
            known, early = self._seats[state.number], self._early.get(state.number)
            if state.version <= known.version and (early is None or early.version < known.version):
                shown[state.number] = self._early[state.number] = known
        return shown

    def _take(self, facts: Iterable[live.PlacedFact]) -> dict[str, SeatState]:
        """Take in new facts, which are in order; the newest state of each seat that they change for those here."""
        changed: dict[str, SeatState] = {}
        for state in (state for fact in facts for state in states_of(fact)):
            early = self._early.get(state.number)
            if early is None or state.version > early.version:
                changed[state.number] = self._seats[state.number] = state
            if early is not None and state.version >= early.version:
                del self._early[state.number]
        if changed:
            self._snapshots.clear()
        return changed


def states_of(fact: live.PlacedFact) -> list[SeatState]:
    """The states that a fact about seats tells; nothing for other facts of the slot."""
    if not fact.kind.startswith("seat."):
        return []
    return [SeatState(seat["number"], SeatStatus(seat["status"]), seat["version"]) for seat in fact.payload["seats"]]
