"""Having a gateway let go of a payment: what it promised is freed, what it took is sent back.

An orphan is a payment that was given up here before its gateway's answer came: whoever asked may have been slow, or may
have died. A job looks for it and calls it off, as often as it takes until the gateway has said yes.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from core.db import Database
from core.log import logger
from models import Booking, Payment, PostingKind
from services import jobs, ledger, notices, payments
from services.bookings import rows
from services.bookings.situation import Attempt, order_of
from services.gateways import Captured, Gateway, GatewayRefused, Gateways, Outcome, RefundAnswer, RefundOutcome, Voided

BUSY = timedelta(minutes=1)
"""When a gateway is asked again that is not ready to be told our next step, or may not have heard of the last."""

log = logger("bookings")


async def called_off(
    db: Database, gateway: Gateway, gateway_id: str, payment_id: UUID, undue: UUID | None = None
) -> bool:
    """Have a payment called off; False where the gateway can't yet, because a bank is at work on it: ask again later.

    Money that was taken meanwhile is sent back, and posted: as the payment's own, or as `undue`. Where the gateway
    refuses that, for somebody has sent it back by hand, it is posted as owed, for a person. Raises GatewayUnavailable.
    """
    try:
        await gateway.void(gateway_id)
    except GatewayRefused as refusal:
        outcome = await known(gateway, gateway_id)
        found = type(outcome).__name__
        log.warning("void.refused", payment=str(payment_id), code=refusal.code, found=found)
        if not isinstance(outcome, Captured):
            return isinstance(outcome, Voided)
        answer = await sent_back(gateway, outcome, f"{undue or payment_id}:refund")
        await post(db, payment_id, undue or payment_id, outcome, answer)
    return True


async def known(gateway: Gateway, gateway_id: str) -> Outcome | None:
    """Where a payment stands that could not be called off; None where the gateway refuses to tell."""
    try:
        return await gateway.fetch(gateway_id)
    except GatewayRefused as refusal:
        log.error("fetch.refused", gateway=gateway.name, gateway_id=gateway_id, code=refusal.code)
        return None


async def sent_back(gateway: Gateway, taken: Captured, key: str) -> RefundAnswer | None:
    """Have money sent back that was taken, once for a key; None where the gateway refuses."""
    try:
        found = await gateway.find_refund(taken.gateway_id, key)
        return found or await gateway.refund(taken.gateway_id, taken.amount, key)
    except GatewayRefused as refusal:
        log.error("refund.refused", gateway=gateway.name, gateway_id=taken.gateway_id, code=refusal.code)
        return None


async def post(db: Database, payment_id: UUID, undue: UUID, taken: Captured, answer: RefundAnswer | None) -> None:
    """Post money that was taken for a payment that is given up, or a second time, and that it was sent back."""
    sent = answer is not None and answer.outcome is not RefundOutcome.FAILED
    if not sent:
        log.error("undue.not_returned", payment=str(payment_id), gateway_id=taken.gateway_id)
    async with db.transaction() as session:
        payment = await session.get_one(Payment, payment_id)
        await rows.locked(session, payment.booking_id)
        for kind in (PostingKind.UNDUE, PostingKind.UNDUE_RETURNED)[: 1 + sent]:
            await ledger.post_once(session, kind, payment.booking_id, undue, taken.amount)
        if sent:
            await notices.of_money_returned(session, payment, taken.amount, undue)


async def drop_orphan(db: Database, seen: Attempt, gateway_id: str) -> None:
    """Call off what the gateway promised for a payment that was given up while we asked; nothing where it was not."""
    async with db.transaction() as session:
        payment = await session.get_one(Payment, seen.id, with_for_update=True)
        if payment.status not in payments.OVER:
            return
        payment.gateway_id = gateway_id
        await jobs.drop_payment(session, payment.id, payments.RESCUE)
    log.warning("payment.orphan", payment=str(seen.id), status=payment.status)
    await called_off(db, seen.gateway, gateway_id, seen.id)


async def drop(db: Database, gateways: Gateways, payment_id: UUID, stray: str | None = None) -> timedelta | None:
    """Have nothing left at the gateway of a payment that is over; after how long to try again, None when it is done.

    `stray`: not of that payment itself, over or not, but of another one at the gateway that was made for it. Raises
    GatewayUnavailable.
    """
    async with db.transaction() as session:
        payment = await session.get_one(Payment, payment_id)
        booking = await session.get_one(Booking, payment.booking_id)
    if stray is not None:
        undue = payments.stray_id(payment_id, stray)
        done = await called_off(db, gateways.named(payment.gateway), stray, payment_id, undue)
        return None if done else BUSY
    if payment.status not in payments.OVER:
        return None
    gateway, gateway_id = gateways.named(payment.gateway), payment.gateway_id
    if gateway_id is None:
        found = await gateway.find(order_of(booking, payment))
        gateway_id = None if found is None else found.gateway_id
    if gateway_id is None or await called_off(db, gateway, gateway_id, payment_id):
        return None
    return BUSY
