"""The state of each seat on one slot: its claim's.

A LOCKED claim whose deadline has passed is AVAILABLE, at that instant.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, text

from core.db import ReadSession
from core.states import Machine
from models import SeatStatus, Slot
from services.seats.plans import Plans

SEAT = Machine(
    "seat",
    SeatStatus,
    SeatStatus.AVAILABLE,
    {
        SeatStatus.AVAILABLE: frozenset({SeatStatus.LOCKED, SeatStatus.BLOCKED}),
        SeatStatus.LOCKED: frozenset({SeatStatus.AVAILABLE, SeatStatus.BOOKED, SeatStatus.LOCKED}),
        SeatStatus.BOOKED: frozenset({SeatStatus.AVAILABLE, SeatStatus.CHECKED_IN}),
        SeatStatus.CHECKED_IN: frozenset({SeatStatus.AVAILABLE, SeatStatus.BOOKED}),
        SeatStatus.BLOCKED: frozenset({SeatStatus.AVAILABLE}),
    },
)
"""LOCKED may follow LOCKED: an expired lock is taken over in the statement that asks for the seat."""


@dataclass(frozen=True)
class SeatState:
    """What a seat is on one slot at one moment. A later state has a larger `version`; never taken is version 0."""

    number: str
    status: SeatStatus
    version: int


TAKEN = text(
    """
    SELECT unit,
           CASE WHEN status = 'LOCKED' AND expires_at <= jetway_now() THEN 'AVAILABLE' ELSE status END AS status,
           version
    FROM claims WHERE slot_id = :slot_id
    """
)


async def claimed(session: ReadSession, slot_id: int) -> dict[str, SeatState]:
    """The seats of a slot that have a claim, by number; every other seat is AVAILABLE with version 0."""
    rows = await session.execute(TAKEN, {"slot_id": slot_id})
    return {row.unit: SeatState(row.unit, SeatStatus(row.status), row.version) for row in rows}


async def states(session: ReadSession, plans: Plans, slot_id: int) -> list[SeatState]:
    """Every seat of a slot's layout with its state, in the order of reading; empty where there is no such layout."""
    layout_id = (await session.execute(select(Slot.layout_id).where(Slot.id == slot_id))).scalar_one_or_none()
    if layout_id is None:
        return []
    plan = await plans.get(session, layout_id)
    taken = await claimed(session, slot_id)
    return [taken.get(number) or SeatState(number, SeatStatus.AVAILABLE, 0) for number in plan.seats]
