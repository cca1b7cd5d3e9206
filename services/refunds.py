"""Refunds: money on its way back, tracked to the end.

The intent is written with whatever made it necessary; the gateway is asked afterwards, with the refund's key, as often
as it takes. What a payment has refunded is always the sum of its refunds that succeeded.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from core import clock
from core.db import Database, Session
from core.log import logger
from core.money import Money
from core.states import Machine
from models import Booking, Payment, PaymentStatus, PostingKind, Refund, RefundStatus
from services import ledger, outbox, payments, transitions
from services.gateways import GatewayRefused, Gateways, RefundAnswer, RefundOutcome
from services.transitions import Cause

REFUND = Machine(
    "refund",
    RefundStatus,
    RefundStatus.REQUESTED,
    {
        RefundStatus.REQUESTED: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
        RefundStatus.SUCCEEDED: frozenset({RefundStatus.FAILED}),
        RefundStatus.FAILED: frozenset(),
    },
)
"""A refund that succeeded may still come back from the payer's bank."""

FRESH = timedelta(hours=12)
"""For how long a refund's key alone keeps it from being paid twice; Stripe forgets keys after a day."""

GATEWAY = Cause(actor="gateway", reason="the gateway said so")

log = logger("refunds")


async def request(session: Session, payment: Payment, amount: Money, reason: str, cause: Cause) -> Refund:
    """Write that `amount`, more than nothing, of a locked, captured payment is to go back."""
    refund = Refund(
        payment_id=payment.id,
        status=REFUND.initial,
        amount=amount.minor_units,
        currency=amount.currency,
        reason=reason,
        created_at=clock.now(),
    )
    session.add(refund)
    await session.flush()
    stream, facts = outbox.booking_stream(payment.booking_id), payload(refund, payment)
    await transitions.begin(session, REFUND, refund.id, stream, "refund.requested", facts, cause)
    await ledger.post(session, PostingKind.OWED, payment.booking_id, refund.id, amount)
    return refund


def payload(refund: Refund, payment: Payment) -> dict[str, object]:
    """What a fact says of a refund beside its status. Amounts are minor units."""
    return {
        "refund": str(refund.id),
        "payment": str(payment.id),
        "booking": str(payment.booking_id),
        "amount": refund.amount,
        "currency": refund.currency,
    }


async def settle(db: Database, gateways: Gateways, booking_id: UUID) -> bool:
    """Ask the gateway for every refund of a booking that has not failed, and write what it says; whether all are done.

    Raises GatewayUnavailable; asked again it goes on with the same keys.
    """
    async with db.transaction() as session:
        rows = await session.execute(
            select(Refund, Payment)
            .join(Payment, Payment.id == Refund.payment_id)
            .where(Payment.booking_id == booking_id, Refund.status != RefundStatus.FAILED)
            .order_by(Refund.id)
        )
        due = [(refund, payment) for refund, payment in rows]
    done = True
    for refund, payment in due:
        answer = await ask(gateways, refund, payment)
        done = done and status_of(answer) is not None
        async with db.transaction() as session:
            await write(session, booking_id, refund.id, answer)
    return done


async def ask(gateways: Gateways, refund: Refund, payment: Payment) -> RefundAnswer | None:
    """Where a refund stands at its gateway; it is asked for where it was not yet. None where it was refused.

    One that may have been asked for longer ago than gateways remember keys is looked for first.
    """
    gateway = gateways.named(payment.gateway)
    if refund.gateway_id is not None:
        return await gateway.fetch_refund(refund.gateway_id)
    if payment.gateway_id is None:
        raise RuntimeError(f"payment {payment.id} was captured without a gateway")
    if clock.now() - refund.created_at > FRESH:
        found = await gateway.find_refund(payment.gateway_id, str(refund.id))
        if found is not None:
            return found
    try:
        return await gateway.refund(payment.gateway_id, Money(refund.amount, refund.currency), str(refund.id))
    except GatewayRefused as error:
        log.error("refund.refused", refund=str(refund.id), code=error.code)
        return None


async def write(session: Session, booking_id: UUID, refund_id: UUID, answer: RefundAnswer | None) -> None:
    """Write what the gateway says of a refund, and what that makes of its payment. Locks booking, payment, refund."""
    await session.execute(select(Booking.id).where(Booking.id == booking_id).with_for_update())
    payment = await payments.locked(session, booking_id)
    refund = await session.get_one(Refund, refund_id, with_for_update=True)
    if payment is None:
        raise RuntimeError(f"booking {booking_id} has a refund and no payment")
    if answer is not None:
        refund.gateway_id = answer.gateway_id
    to = status_of(answer)
    if to is None or to is refund.status or not REFUND.allows(refund.status, to):
        return
    stream, facts = outbox.booking_stream(booking_id), payload(refund, payment)
    posting = posting_of(refund.status, to)
    await transitions.advance(session, REFUND, refund, refund.id, to, stream, f"refund.{to.lower()}", facts, GATEWAY)
    if posting is not None:
        await ledger.post(session, posting, booking_id, refund.id, Money(refund.amount, refund.currency))
    await recount(session, payment)


def status_of(answer: RefundAnswer | None) -> RefundStatus | None:
    """The status that an answer gives a refund; None where there is nothing to say yet."""
    if answer is None or answer.outcome is RefundOutcome.FAILED:
        return RefundStatus.FAILED
    return RefundStatus.SUCCEEDED if answer.outcome is RefundOutcome.SUCCEEDED else None


def posting_of(came_from: RefundStatus, to: RefundStatus) -> PostingKind | None:
    """What a refund's change moves; None where no money moved: a refund that was refused is owed as before."""
    if to is RefundStatus.SUCCEEDED:
        return PostingKind.REFUNDED
    return PostingKind.RETURNED if came_from is RefundStatus.SUCCEEDED else None


async def recount(session: Session, payment: Payment) -> None:
    """Give a locked payment the sum of its refunds that succeeded, and the status that goes with it."""
    await session.flush()
    total = select(func.coalesce(func.sum(Refund.amount), 0)).where(
        Refund.payment_id == payment.id, Refund.status == RefundStatus.SUCCEEDED
    )
    payment.refunded = int((await session.execute(total)).scalar_one())
    if payment.refunded == payment.captured:
        to = PaymentStatus.REFUNDED
    else:
        to = PaymentStatus.PARTIALLY_REFUNDED if payment.refunded else PaymentStatus.CAPTURED
    if to is not payment.status:
        fact = "payment.refund_returned" if to is PaymentStatus.CAPTURED else "payment.refunded"
        await payments.move(session, payment, to, fact, GATEWAY)
