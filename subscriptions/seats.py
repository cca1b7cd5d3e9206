"""The seats of a slot, live, for many at once: a snapshot, then what changes.

The order is what makes it whole: subscribe, read the head, read the seats, then deltas. A fact up to the head is in the
snapshot, because it was committed before it got its position. A fact after the head reaches the mailbox, because it is
published after we subscribed. What the snapshot shows of a fact that had no position yet is told to those who were here
before, and the fact is dropped when it comes: everybody who is here knows the same, whenever he came.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from operator import attrgetter

from core.db import Database
from core.errors import NotFound
from models import SeatStatus
from services import live, seats
from services.seats import Plans, SeatState
from subscriptions import topics
from subscriptions.hub import Hub, Mailbox

FRESH = 0.5
"""Seconds after which a snapshot is read again, whoever was told of whatever changes: it shows locks as free whose time
is over, and what the relay has not told yet."""

LOGGED = 256
"""Facts that are kept for those who come back; older ones are read from PostgreSQL."""

POSITION = attrgetter("position")


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

    A place is a position, or None for whoever knows nothing. `log` has what happened after `floor`. Raises NotFound
    where the slot has no seats, Unavailable where the database is away or the server stops.
    """

    def __init__(self, db: Database, plans: Plans, hub: Hub, slot_id: int) -> None:
        self._db = db
        self._plans = plans
        self._hub = hub
        self._slot_id = slot_id
        self._topic = topics.slot(slot_id)
        self._listening = AsyncExitStack()
        self._mailbox: Mailbox
        self._position: int | None = None
        self._log: list[live.PlacedFact] = []
        self._floor = 0
        self._bottom = 0
        """Below this nothing can be told of what happened."""
        self._seats: dict[str, SeatState] = {}
        self._read_at = float("-inf")
        self._early: dict[str, SeatState] = {}
        """Seats that were shown before what happened to them had its position."""
        self._snapshots: dict[bool, tuple[SeatMapSnapshot]] = {}

    @property
    def here(self) -> Hashable:
        """The position up to which everything was told; None where nobody was told anything."""
        return self._position

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
        told = await self._read(self._position, whole=False) if post.gap else []
        changed = self._take(post.facts)
        if len(self._log) > 2 * LOGGED:
            self._floor = self._log[-LOGGED - 1].position
            self._log = self._log[-LOGGED:]
        return [*told, self._changed(changed)] if changed else told

    async def reach(self, places: Collection[Hashable]) -> Sequence[SeatMapEvent]:
        """Read what they missed, once for all of them, and a snapshot, where one is needed and the last one is old."""
        told: list[SeatMapEvent] = []
        cursors = [place for place in places if isinstance(place, int)]
        if self._position is None:
            await self._read(min(cursors, default=None), whole=None in places)
        elif missed := [place for place in cursors if self._bottom <= place and not self._knows(place)]:
            told += await self._read(min(*missed, self._position), whole=False)
        if not all(map(self._knows, places)) and asyncio.get_running_loop().time() - self._read_at > FRESH:
            told += await self._read(self._position, whole=True)
        return told

    def opening(self, place: Hashable) -> Sequence[SeatMapEvent]:
        """What changed since, or every seat; with `reset` where what changed is not known."""
        if not isinstance(place, int) or not self._knows(place):
            return self._snapshot(reset=place is not None)
        facts = self._log[bisect_right(self._log, place, key=POSITION) :]
        changed = {state.number: state for fact in facts for state in states_of(fact)} | self._early
        return [self._changed(changed)] if changed else []

    def _knows(self, place: Hashable) -> bool:
        """Whether everything is at hand that happened between a position and here."""
        return isinstance(place, int) and self._position is not None and self._floor <= place <= self._position

    def _changed(self, seats: dict[str, SeatState]) -> SeatsChanged:
        return SeatsChanged(live.cursor(self._position or 0), list(seats.values()))

    def _snapshot(self, *, reset: bool) -> tuple[SeatMapSnapshot]:
        if reset not in self._snapshots:
            snapshot = SeatMapSnapshot(live.cursor(self._position or 0), reset, list(self._seats.values()))
            self._snapshots[reset] = (snapshot,)
        return self._snapshots[reset]

    async def _read(self, since: int | None, *, whole: bool) -> list[SeatMapEvent]:
        """Take from PostgreSQL what happened since a position, and with `whole` every seat; what is to be told of it.

        From the primary: a replica may not have what has been published already.
        """
        async with self._db.transaction() as session:
            head = await live.head(session)
            states = await seats.states(session, self._plans, self._slot_id) if whole else []
            unplaced = await live.unplaced(session, self._topic, head) if whole else []
            past = await live.history(session, self._topic, head if since is None else since)
        if whole and not states:
            raise NotFound("There is no seat map.")
        is_lost = self._position is not None and past.floor > self._position
        if is_lost and not whole:
            return await self._read(since, whole=True)
        changed = self._learn(past, head, since)
        if whole:
            changed |= self._show(states, unplaced)
        self._snapshots.clear()
        if is_lost:
            return [*self._snapshot(reset=True)]
        return [self._changed(changed)] if changed else []

    def _learn(self, past: live.History, head: int, since: int | None) -> dict[str, SeatState]:
        """Take in what happened up to `head`; the seats that it changed for those who are here."""
        if since is not None and past.floor > since:
            self._bottom = past.floor
        placed = [fact for fact in past.facts if fact.position <= head]
        if self._position is None:
            self._position, self._floor, self._log = head, past.floor, placed
            return {}
        if past.floor < self._floor or past.floor > self._position:
            self._floor, self._log = past.floor, [fact for fact in placed if fact.position <= self._position]
        changed = self._take(placed)
        self._position = max(self._position, head)
        return changed

    def _show(self, states: Sequence[SeatState], unplaced: Iterable[live.PlacedFact]) -> dict[str, SeatState]:
        """Take in a snapshot; the seats that it shows early, and that nobody here has been shown."""
        self._seats = {state.number: state for state in states}
        self._read_at = asyncio.get_running_loop().time()
        shown: dict[str, SeatState] = {}
        for state in (state for fact in unplaced for state in states_of(fact)):
            known, early = self._seats[state.number], self._early.get(state.number)
            if state.version <= known.version and (early is None or early.version < known.version):
                shown[state.number] = self._early[state.number] = known
        return shown

    def _take(self, facts: Iterable[live.PlacedFact]) -> dict[str, SeatState]:
        """Take in facts, which are in order; the newest state of each seat that they change for those who are here."""
        changed: dict[str, SeatState] = {}
        for fact in facts:
            if self._position is None or fact.position <= self._position:
                continue
            self._position = fact.position
            self._log.append(fact)
            for state in states_of(fact):
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
