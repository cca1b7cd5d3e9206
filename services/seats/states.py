"""The state of each seat on one slot: its claim's.

A LOCKED claim whose deadline has passed is AVAILABLE, at that instant.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.rows import Reader, row
from core.states import Machine
from models import SeatStatus
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


@row
class SeatState:
    """What a seat is on one slot at one moment. A later state has a larger `version`; never taken is version 0."""

    number: str
    status: SeatStatus
    version: int


STATUSES: Mapping[str, SeatStatus] = {one.value: one for one in SeatStatus}

NOW = """
    CASE WHEN status = 'LOCKED' AND expires_at <= (SELECT jetway_now()) THEN 'AVAILABLE' ELSE status END"""
"""The status of a claim at this moment."""

TAKEN = f"SELECT unit, {NOW}, version FROM claims WHERE slot_id = $1"  # noqa: S608 - our own columns

LAYOUT = "SELECT layout_id FROM slots WHERE id = $1"


async def claimed(reader: Reader, slot_id: int) -> dict[str, SeatState]:
    """The seats of a slot that have a claim, by number; every other seat is AVAILABLE with version 0."""
    rows = await reader.fetch(TAKEN, slot_id)
    return {unit: SeatState(unit, STATUSES[status], version) for unit, status, version in rows}


async def states(reader: Reader, plans: Plans, slot_id: int) -> list[SeatState]:
    """Every seat of a slot's layout with its state, in the order of reading; empty where there is no such layout."""
    layout_id = next((one for (one,) in await reader.fetch(LAYOUT, slot_id)), None)
    if layout_id is None:
        return []
    plan = await plans.get(reader, layout_id)
    taken = await claimed(reader, slot_id)
    return [taken.get(number) or SeatState(number, SeatStatus.AVAILABLE, 0) for number in plan.seats]
