"""The seats of a slot, live: a snapshot, then what changes.

The order is what makes it whole: subscribe, read the head, read the seats, then deltas. A fact up to the head is in the
snapshot, because it was committed before it got its position. A fact after the head reaches the mailbox, because it is
published after we subscribed; it may be in the snapshot too, so a seat only changes to a later version. A seat's facts
are in order of position, because each is written while the seat is locked.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from core.db import Database
from core.errors import NotFound
from models import SeatStatus
from services import live, seats
from services.seats import Plans, SeatState
from subscriptions import topics
from subscriptions.hub import Hub


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


async def seat_map_events(
    db: Database, plans: Plans, hub: Hub, slot_id: int, after: str | None
) -> AsyncGenerator[SeatMapEvent, None]:
    """A snapshot, then deltas; with a cursor what was missed since, or a snapshot with `reset` where that is not known.

    Nothing is missed and no seat goes back. Ends by raising: Invalid for a malformed cursor, NotFound where the slot
    has no seats, Unavailable where the database is away or the server stops.
    """
    view = SeatView(db, plans, slot_id, None if after is None else live.position_of(after))
    async with hub.subscribe(topics.slot(slot_id)) as mailbox:
        if after is None:
            yield await view.snapshot(reset=False)
        else:
            event = await view.catch_up()
            if event is not None:
                yield event
        while True:
            post = await mailbox.take()
            if post.gap:
                event = await view.catch_up()
                if event is not None:
                    yield event
            event = view.apply(post.facts)
            if event is not None:
                yield event


class SeatView:
    """What one viewer knows of a slot: everything up to a position, and the version of every seat ever taken."""

    def __init__(self, db: Database, plans: Plans, slot_id: int, position: int | None) -> None:
        self._db = db
        self._plans = plans
        self._slot_id = slot_id
        self._position = position or 0
        self._versions: dict[str, int] = {}

    async def snapshot(self, *, reset: bool) -> SeatMapSnapshot:
        """Every seat as it is now, from the primary: a replica may not have what has been published already."""
        async with self._db.transaction() as session:
            position = await live.head(session)
            states = await seats.states(session, self._plans, self._slot_id)
        if not states:
            raise NotFound("There is no seat map.")
        self._position = position
        self._versions = {state.number: state.version for state in states if state.version}
        return SeatMapSnapshot(live.cursor(position), reset, states)

    async def catch_up(self) -> SeatMapEvent | None:
        """What the viewer missed, from PostgreSQL; None where that is nothing."""
        async with self._db.transaction() as session:
            missed = await live.missed(session, [topics.slot(self._slot_id)], self._position)
        return await self.snapshot(reset=True) if missed is None else self.apply(missed)

    def apply(self, facts: Iterable[live.PlacedFact]) -> SeatsChanged | None:
        """Take in facts, which are in order; the newest state of each seat that they change, None where they don't."""
        changed: dict[str, SeatState] = {}
        for fact in facts:
            if fact.position <= self._position:
                continue
            self._position = fact.position
            for state in states_of(fact):
                if state.version > self._versions.get(state.number, 0):
                    self._versions[state.number] = state.version
                    changed[state.number] = state
        return SeatsChanged(live.cursor(self._position), list(changed.values())) if changed else None


def states_of(fact: live.PlacedFact) -> list[SeatState]:
    """The states that a fact about seats tells; nothing for other facts of the slot."""
    if not fact.kind.startswith("seat."):
        return []
    return [SeatState(seat["number"], SeatStatus(seat["status"]), seat["version"]) for seat in fact.payload["seats"]]
