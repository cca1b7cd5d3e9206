"""A viewer of a seat map who does what docs/live.md tells clients to do, and notes where the server breaks its word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from core.db import Database
from engine.sharing import Live
from models import SeatStatus
from services import seats
from services.seats import Plans
from subscriptions.hub import Hub
from subscriptions.seats import SeatFeed, SeatMapEvent, SeatMapSnapshot

Seats = dict[str, tuple[SeatStatus, int]]


@dataclass
class Viewer:
    """What a viewer knows. `wrong` says what an event should not have said."""

    seats: Seats = field(default_factory=dict)
    cursor: str | None = None
    events: list[SeatMapEvent] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def see(self, event: SeatMapEvent) -> None:
        """Take in an event: a snapshot replaces all, a change replaces older states."""
        self.events.append(event)
        self.cursor = event.cursor
        if isinstance(event, SeatMapSnapshot):
            self.seats = {seat.number: (seat.status, seat.version) for seat in event.seats}
            return
        for seat in event.seats:
            if seat.version <= self.seats[seat.number][1]:
                self.wrong.append(f"{seat} after {self.seats[seat.number]}")
            else:
                self.seats[seat.number] = (seat.status, seat.version)


@asynccontextmanager
async def watching(viewer: Viewer, db: Database, plans: Plans, hub: Hub, slot_id: int) -> AsyncIterator[Viewer]:
    """Watch a slot, from the viewer's cursor where it has one, until the block ends."""

    async def watch() -> None:
        async with aclosing(aiter(Live(SeatFeed(db, plans, hub, slot_id), viewer.cursor))) as events:
            async for event in events:
                viewer.see(event)

    task = asyncio.create_task(watch())
    try:
        yield viewer
    finally:
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled() and (error := task.exception()):
            raise error


async def fresh(db: Database, plans: Plans, slot_id: int) -> Seats:
    """The seats of a slot as a new snapshot would show them."""
    async with db.transaction() as session:
        return {seat.number: (seat.status, seat.version) for seat in await seats.states(session, plans, slot_id)}
