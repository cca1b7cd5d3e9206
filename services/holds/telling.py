"""What others are told of seats and places that a hold takes, sells or gives back: one fact per slot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from core.rows import Scribe
from models import HoldItem, SeatStatus
from services import outbox

SEAT_FACTS = {
    SeatStatus.AVAILABLE: "seat.released",
    SeatStatus.LOCKED: "seat.locked",
    SeatStatus.BOOKED: "seat.booked",
    SeatStatus.CHECKED_IN: "seat.checked_in",
    SeatStatus.BLOCKED: "seat.blocked",
}

PLACES_HELD, PLACES_BOOKED, PLACES_RELEASED = "places.held", "places.booked", "places.released"
"""Facts about places without a seat, and about stock; of places that are held, `take_holds` tells."""


async def tell_seats(
    session: Scribe, to: SeatStatus, changes: Iterable[tuple[int, str, int]], hold_ids: Sequence[UUID]
) -> None:
    """One fact per slot about seats (slot, number, version) that are `to` now."""
    by_slot: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for slot_id, unit, version in changes:
        by_slot[slot_id].append({"number": unit, "status": to, "version": version})
    hold = str(hold_ids[0]) if len(hold_ids) == 1 else None
    facts = [
        outbox.Told(SEAT_FACTS[to], outbox.slot_stream(slot_id), {"slot": slot_id, "hold": hold, "seats": seats})
        for slot_id, seats in sorted(by_slot.items())
    ]
    await outbox.record_all(session, facts)


async def tell_places(session: Scribe, kind: str, moved: Iterable[tuple[HoldItem, int]]) -> None:
    """One fact per hold and slot about places without a seat: so many of each item, where there are any."""
    by_slot: dict[tuple[int, UUID], list[dict[str, Any]]] = defaultdict(list)
    for item, count in moved:
        if count:
            by_slot[item.slot_id, item.hold_id].append({"pool": item.pool, "count": count})
    facts = [
        outbox.Told(kind, outbox.slot_stream(slot_id), {"slot": slot_id, "hold": str(hold_id), "places": places})
        for (slot_id, hold_id), places in sorted(by_slot.items())
    ]
    await outbox.record_all(session, facts)


def unseated(held: Iterable[HoldItem]) -> list[tuple[HoldItem, int]]:
    """Items with how much each of them keeps without a seat, before any of it is given back."""
    return [(item, item.quantity - len(item.units)) for item in held]
