"""Bookings that nobody paid in time. Deadlines have decided it already; here it is written down.

A booking that cannot be expired keeps no other booking from being expired (`services/sweeping.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import func, or_, select

from core.db import Session
from core.rows import Reader
from models import Booking, BookingStatus, Hold, HoldStatus
from services import sweeping
from services.bookings import rows
from services.transitions import Cause

DEADLINE = Cause(actor="deadline", reason="nobody paid in time")

ABANDONED = """
    SELECT FROM bookings JOIN holds ON holds.id = bookings.hold_id
    WHERE bookings.status = 'SEATS_LOCKED'
      AND (holds.status <> 'ACTIVE' OR holds.expires_at <= (SELECT jetway_now())) LIMIT 1
"""

FAILURES = Counter("jetway_booking_expiry_failures_total", "Bookings that could not be expired; alert on any.")


class Broken(sweeping.Broken):
    """The bookings that could not be expired, for as long as they are set aside."""

    what = "booking"
    failures = FAILURES


async def any_abandoned(reader: Reader) -> bool:
    """Whether there is a booking that `expire_abandoned` would look at. A plain statement, for whoever looks often."""
    return bool(await reader.fetch(ABANDONED))


async def expire_abandoned(session: Session, limit: int, broken: Broken | None = None) -> int:
    """Expire up to `limit` bookings that wait for a payment nobody has begun, and whose hold is dead; how many were.

    A hold that has died never lives again, so its row needs no lock. Bookings with a payment under way are the saga's:
    a job stands behind each of them. One that cannot be expired goes to `broken`, and those that are there already are
    passed over.
    """
    broken = broken or Broken()
    dead = or_(Hold.status != HoldStatus.ACTIVE, Hold.expires_at <= select(func.jetway_now()).scalar_subquery())
    chosen = (
        select(Booking)
        .join(Hold, Hold.id == Booking.hold_id)
        .where(Booking.status == BookingStatus.SEATS_LOCKED, dead, Booking.id.not_in(broken.ids))
        .limit(limit)
        .with_for_update(of=Booking, skip_locked=True)
    )
    abandoned = (await session.scalars(chosen)).all()
    return await sweeping.all_but(session, abandoned, expire, relock, broken) if abandoned else 0


async def expire(session: Session, bookings: Sequence[Booking]) -> int:
    """Expire locked bookings that wait for a payment nobody has begun; how many they are."""
    for booking in bookings:
        await rows.move(session, booking, BookingStatus.EXPIRED, DEADLINE)
    await session.flush()
    return len(bookings)


async def relock(session: Session, ids: Sequence[UUID]) -> Sequence[Booking]:
    """Those bookings, which are locked already, as they are now: an attempt that failed has left them behind."""
    chosen = select(Booking).where(Booking.id.in_(ids)).order_by(Booking.id)
    return (await session.scalars(chosen.execution_options(populate_existing=True))).all()
