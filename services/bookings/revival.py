"""Bookings that wait for a gateway with nobody behind them. Each had a job once; this is for jobs that were lost.

A job is lost when it failed so often that it was held for a person, when somebody removed it, or when it ended in the
moment in which a new one was asked for. Running this twice, or at once with another, changes nothing.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from core import clock
from core.db import Session
from core.log import logger
from models import Booking, Payment, Refund, RefundStatus
from services import jobs, payments

PATIENCE = timedelta(minutes=1)
"""How old a payment or a refund is before anybody misses the job behind it."""

log = logger("bookings")


async def revive(session: Session, limit: int) -> int:
    """Put a job behind up to `limit` bookings that have a payment or a refund under way and no job; how many were."""
    missed = await unpaid(session, limit)
    missed += await unrefunded(session, limit - len(missed))
    for booking_id in missed:
        log.warning("booking.revived", booking=str(booking_id))
        await jobs.look_after(session, booking_id, timedelta())
    return len(missed)


async def unpaid(session: Session, limit: int) -> list[UUID]:
    """Bookings with a payment under way for longer than a minute."""
    chosen = (
        select(Booking.id)
        .join(Payment, Payment.booking_id == Booking.id)
        .where(
            Payment.status.not_in(payments.OVER | payments.TAKEN),
            Payment.created_at <= select(func.jetway_now()).scalar_subquery() - PATIENCE,
            ~jobs.looked_after(Booking.id),
        )
        .distinct()
    )
    return list(await session.scalars(chosen.order_by(Booking.id).limit(limit)))


async def unrefunded(session: Session, limit: int) -> list[UUID]:
    """Bookings that have been waiting for money to go back for longer than a minute."""
    chosen = (
        select(Booking.id)
        .join(Payment, Payment.booking_id == Booking.id)
        .join(Refund, Refund.payment_id == Payment.id)
        .where(
            Refund.status == RefundStatus.REQUESTED,
            Refund.created_at <= clock.now() - PATIENCE,
            ~jobs.looked_after(Booking.id),
        )
        .distinct()
    )
    return list(await session.scalars(chosen.order_by(Booking.id).limit(limit)))
