"""Confirming a quote: what costs nothing is done at once, in one transaction; what is due is paid by the saga first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func

from core.db import Database, Session
from core.errors import Conflict, Invalid
from core.ids import uuid7
from core.log import logger
from core.money import Money
from models import Amendment, AmendmentStatus, Hold, Payment, PaymentStatus
from services import holds, idempotency, jobs, payments
from services.amendments import rows
from services.amendments.applying import apply
from services.amendments.kinds import KINDS
from services.amendments.picture import check_changeable, check_open, look
from services.amendments.purpose import Locked, lock
from services.bookings import reviewing
from services.bookings.cancellation import QuoteExpired
from services.bookings.paying import check_method, check_return_url
from services.bookings.saga import work_off
from services.extras import ExtraSoldOut
from services.fraud import NOBODY, Payer
from services.gateways import Gateways
from services.holds import ClassClosed, Owner, StockGone
from services.payments import PaymentDeclined
from services.transitions import Cause

OVER = frozenset({AmendmentStatus.APPLIED, AmendmentStatus.PAYMENT_PENDING, AmendmentStatus.FAILED})
"""The quote was taken up, whatever became of it."""

log = logger("amendments")


async def confirm(
    db: Database,
    gateways: Gateways,
    quote_id: UUID,
    booking_id: UUID,
    method: str | None,
    return_url: str | None,
    owner: Owner,
    key: str,
    payer: Payer = NOBODY,
) -> Amendment:
    """Have a booking changed as quoted; the amendment as it stands when that is done, or must wait for its payer.

    `method` is a gateway's token for what is due, if anything is. The same request again goes on from wherever it is
    and, once decided, gets the same answer. Owns its transactions; whose the booking is has been checked before.

    Raises QuoteExpired (QUOTE_EXPIRED, QUOTE_SPENT), PAYMENT_UNDER_WAY, CHANGES_CLOSED, CHECKED_IN, WrongState,
    holds.HoldExpired, HOLD_BOOKED, holds.SalesClosed, holds.ClassClosed, extras.ExtraSoldOut, NotFound, Invalid,
    idempotency.KeyReused;
    PaymentDeclined and CHANGE_FAILED, with the booking as it was and nothing charged; GatewayUnavailable where nothing
    is known yet: send the same request again.
    """
    if method is not None:
        check_method(method)
    check_return_url(return_url)
    command = Command(
        quote_id=quote_id,
        booking_id=booking_id,
        method=method,
        return_url=return_url,
        gateways=gateways,
        owner=owner,
        key=key,
        payer=payer,
    )
    try:
        async with db.transaction() as session:
            payment_id = await begin(session, command)
    except (ClassClosed, StockGone) as refusal:
        full = refusal.pools if isinstance(refusal, ClassClosed) else [refusal.pool]
        async with db.transaction() as session:
            await holds.expire_due_in(session, full)
        try:
            async with db.transaction() as session:
                payment_id = await begin(session, command)
        except StockGone as gone:
            raise ExtraSoldOut.of(gone.pool, gone.left) from None
    rest = await work_off(db, gateways, booking_id)
    async with db.transaction() as session:
        amendment = await session.get_one(Amendment, quote_id)
        payment = await session.get(Payment, payment_id)
        if payment is None:
            for name in rest.away:
                log.warning("refund.delayed", booking=str(booking_id), gateway=name)
        elif payment.gateway in rest.away:
            raise rest.away[payment.gateway]
        else:
            await refuse_if_failed(session, amendment, payment)
    return amendment


@dataclass(frozen=True, kw_only=True)
class Command:
    """A confirmation as it was asked for."""

    quote_id: UUID
    booking_id: UUID
    method: str | None
    return_url: str | None
    gateways: Gateways
    owner: Owner
    key: str
    payer: Payer

    @property
    def cause(self) -> Cause:
        """Who changes the booking."""
        return Cause(actor=self.owner.key, reason="changed by its owner")


async def begin(session: Session, command: Command) -> UUID:
    """Apply what is free of charge, and begin to pay what is not, unless that was done before; the payment's key.

    There is no such payment where nothing was due. A job stands behind every payment under way.
    """
    payment_id = uuid7()
    print_ = idempotency.fingerprint([command.quote_id, command.method, command.return_url])
    known = await idempotency.claim(session, command.owner.key, "confirmChange", command.key, print_, payment_id)
    if known is not None:
        payment = await session.get(Payment, known)
        if payment is not None and payment.status not in payments.OVER | payments.TAKEN:
            await jobs.look_after(session, command.booking_id, payments.RESCUE)
        return known
    found = await lock(session, command.booking_id, command.quote_id)
    amendment, booking = found.amendment, found.booking
    picture = await look(session, booking)
    check_good(amendment, picture.moment)
    check_changeable(booking)
    if await rows.pending(session, booking.id) is not None:
        raise Conflict("A payment for another change is under way.", code="PAYMENT_UNDER_WAY")
    if picture.basis != amendment.basis:
        raise QuoteExpired("The booking has changed since this quote. Ask for a new one.")
    await check_open(session, picture, amendment.change["slots"])
    if found.other is not None:
        await holds.attach(session, holds.Locked(found.other, picture.moment), booking.id)
        await holds.check_on_sale(session, found.other.id)
    else:
        found = replace(found, other=await hold_stock(session, found))
    if amendment.due > 0:
        await begin_payment(session, command, found, payment_id)
    else:
        await apply(session, picture, amendment, found.hold, found.other, command.cause)
    return payment_id


async def hold_stock(session: Session, found: Locked) -> Hold | None:
    """A hold of the counted extras that a locked amendment is to add; None where it adds none."""
    stock = {(slot_id, pool): count for slot_id, pool, count in found.amendment.change.get("stock", ())}
    if not stock:
        return None
    kept = await holds.items(session, found.hold.id)
    other = await holds.hold_stock(session, found.booking, stock, [(item.slot_id, item.pool) for item in kept])
    await holds.check_on_sale(session, other.id)
    found.amendment.hold_id = other.id
    await session.flush()
    return other


def check_good(amendment: Amendment, moment: datetime) -> None:
    """Raises QuoteExpired unless the quote can be taken up."""
    if amendment.status in OVER:
        raise QuoteExpired("This quote was used.", code="QUOTE_SPENT")
    if amendment.status is AmendmentStatus.EXPIRED or amendment.expires_at <= moment:
        raise QuoteExpired("This quote has expired. Ask for a new one.")


async def begin_payment(session: Session, command: Command, found: Locked, payment_id: UUID) -> None:
    """Write the intent to pay what is due; the new places are kept meanwhile, and counted in their booking classes.

    A payment that is refused at once, as fraud, puts the quote back, as one that its bank refuses does.
    """
    amendment, other = found.amendment, found.other
    if command.method is None:
        raise Invalid("Say how to pay what is due.", field="paymentMethod")
    gateway = command.gateways.route(Money(amendment.due, amendment.currency), command.method)
    await jobs.look_after(session, amendment.booking_id, payments.RESCUE)
    if other is not None:
        await holds.begin_payment(session, other.id)
        await holds.assign_classes(session, other, KINDS[amendment.kind].classes(amendment.change))
    payment = Payment(
        id=payment_id,
        booking_id=amendment.booking_id,
        amendment_id=amendment.id,
        gateway=gateway.name,
        method=command.method,
        return_url=command.return_url,
        amount=amendment.due,
        currency=amendment.currency,
        created_at=func.jetway_now(),
    )
    cause = Cause(actor=command.owner.key, reason="paying a change")
    agreed = await reviewing.begin(session, payment, command.payer, cause)
    await rows.move(session, amendment, AmendmentStatus.PAYMENT_PENDING, command.cause)
    if not agreed:
        await reviewing.refuse(session, payment, last=True)


async def refuse_if_failed(session: Session, amendment: Amendment, payment: Payment) -> None:
    """Raises what became of a payment that took no money, or gave it back; returns for one that did, or still may."""
    if payment.decline_code is not None:
        raise PaymentDeclined(payment.decline_code)
    if amendment.status is AmendmentStatus.FAILED:
        raise Conflict("The change could not be completed; nothing was charged.", code="CHANGE_FAILED")
    if payment.status is PaymentStatus.VOIDED:
        raise QuoteExpired("The change was not paid in time. Ask for a new quote.")
