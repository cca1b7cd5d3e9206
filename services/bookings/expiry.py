"""Bookings that nobody paid in time. Deadlines have decided it already; here it is written down."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from core.db import Session
from models import Booking, BookingStatus, Hold, HoldStatus
from services.bookings import rows
from services.transitions import Cause

DEADLINE = Cause(actor="deadline", reason="nobody paid in time")


async def expire_abandoned(session: Session, limit: int) -> int:
    """Expire up to `limit` bookings that wait for a payment nobody has begun, and whose hold is dead; how many were.

    A hold that has died never lives again, so its row needs no lock. Bookings with a payment under way are the saga's:
    a job stands behind each of them.
    """
    dead = or_(Hold.status != HoldStatus.ACTIVE, Hold.expires_at <= select(func.jetway_now()).scalar_subquery())
    chosen = (
        select(Booking)
        .join(Hold, Hold.id == Booking.hold_id)
        .where(Booking.status == BookingStatus.SEATS_LOCKED, dead)
        .limit(limit)
        .with_for_update(of=Booking, skip_locked=True)
    )
    abandoned = (await session.scalars(chosen)).all()
    for booking in abandoned:
        await rows.move(session, booking, BookingStatus.EXPIRED, DEADLINE)
    return len(abandoned)
