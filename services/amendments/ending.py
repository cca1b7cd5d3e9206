"""Amendments that come to nothing: their booking ended or changed before them, or nobody took them up in time."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from core.db import Session
from core.errors import Conflict
from core.rows import Reader
from models import Amendment, AmendmentStatus, Booking, Hold, HoldStatus
from services import holds
from services.amendments import rows
from services.bookings import purposes
from services.holds import SlotUnits
from services.transitions import Cause

DEADLINE = Cause(actor="deadline", reason="nobody confirmed it in time")

DUE = """
    SELECT FROM amendments WHERE status = 'QUOTED' AND expires_at <= (SELECT jetway_now()) LIMIT 1
"""


async def call_off(session: Session, booking_id: UUID, locked: Collection[UUID], cause: Cause) -> None:
    """End the amendment of a locked booking that waits for its payment; the saga calls the payment off afterwards.

    `locked` are the holds that were locked, before the booking: see `services.bookings.rows.holds_of`. Raises
    PAYMENT_UNDER_WAY where that payment was begun since then.
    """
    amendment = await rows.pending(session, booking_id)
    if amendment is None:
        return
    if amendment.hold_id is not None and amendment.hold_id not in locked:
        raise Conflict("A payment for this booking has just been begun.", code="PAYMENT_UNDER_WAY")
    await rows.move(session, amendment, AmendmentStatus.FAILED, cause)
    if amendment.hold_id is not None:
        own = await session.get_one(Booking, booking_id)
        kept = [item for one in (own.hold_id, amendment.hold_id) for item in await holds.items(session, one)]
        await holds.lock_pools(session, {(item.slot_id, item.pool) for item in kept})
        await give_up(session, await session.get_one(Hold, amendment.hold_id), cause)


async def give_up(session: Session, hold: Hold, cause: Cause) -> None:
    """Return all that a locked hold keeps for an amendment to everybody, whether it has sold that or not."""
    if hold.status is not HoldStatus.BOOKED:
        await holds.abandon(session, hold.id, cause)
        return
    kept = await holds.items(session, hold.id)
    seats = [SlotUnits(slot_id=item.slot_id, units=tuple(item.units)) for item in kept]
    places = {(item.slot_id, item.pool): item.quantity - len(item.units) for item in kept}
    await holds.give_back(session, hold.id, seats, places)


async def any_due(reader: Reader) -> bool:
    """Whether there is a quote that `expire_due` would look at. A plain statement, for whoever looks often."""
    return bool(await reader.fetch(DUE))


async def expire_due(session: Session, limit: int) -> int:
    """Write down that up to `limit` quotes have expired which nobody took up; how many did.

    A booking that somebody is at work on is left for the next time.
    """
    due = (
        select(Amendment)
        .join(Booking, Booking.id == Amendment.booking_id)
        .where(
            Amendment.status == AmendmentStatus.QUOTED,
            Amendment.expires_at <= select(func.jetway_now()).scalar_subquery(),
        )
        .order_by(Amendment.expires_at)
        .limit(limit)
        .with_for_update(of=(Booking, Amendment), skip_locked=True)
    )
    found = (await session.scalars(due.execution_options(populate_existing=True))).all()
    for amendment in found:
        await rows.move(session, amendment, AmendmentStatus.EXPIRED, DEADLINE)
    return len(found)


purposes.ended_by(call_off)
