"""Passengers who check in, and those who take it back: the seats of a sold hold go between BOOKED and CHECKED_IN."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from core.db import Session
from core.errors import Conflict
from models import SeatStatus
from services.holds.keeping import sold_units
from services.holds.locks import lock
from services.holds.moves import SlotUnits, move_claims


async def check_in(session: Session, hold_id: UUID, units: Sequence[SlotUnits]) -> None:
    """Mark seats that the hold has sold as CHECKED_IN; what is so already stays so. Raises SEATS_NOT_BOOKED."""
    await move(session, hold_id, units, SeatStatus.BOOKED, SeatStatus.CHECKED_IN)


async def undo_check_in(session: Session, hold_id: UUID, units: Sequence[SlotUnits]) -> None:
    """Mark seats that were checked in as BOOKED again; what is so already stays so. Raises SEATS_NOT_BOOKED."""
    await move(session, hold_id, units, SeatStatus.CHECKED_IN, SeatStatus.BOOKED)


async def move(
    session: Session, hold_id: UUID, units: Sequence[SlotUnits], came_from: SeatStatus, to: SeatStatus
) -> None:
    """Move seats of a sold hold between those two; pools count them as sold in either."""
    await lock(session, hold_id)
    wanted = {(some.slot_id, unit) for some in units for unit in some.units}
    if not wanted <= await sold_units(session, hold_id):
        raise Conflict("Some of these seats are not this booking's.", code="SEATS_NOT_BOOKED")
    await move_claims(session, [hold_id], came_from, to, units)
