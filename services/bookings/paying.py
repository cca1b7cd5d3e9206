"""Paying: the intent is written first, with the seats kept while the bank thinks; then the saga takes its steps."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func

from core.db import Database, Session
from core.errors import Conflict, Invalid
from core.ids import uuid7
from core.money import Money
from core.states import WrongState
from models import Booking, BookingStatus, Hold, Payment, PaymentStatus
from services import holds, idempotency, jobs, payments
from services.bookings import reviewing, rows
from services.bookings.saga import work_off
from services.fraud import NOBODY, Payer
from services.gateways import Gateways
from services.holds import HoldExpired, Owner
from services.payments import PaymentDeclined
from services.transitions import Cause

METHOD = re.compile(r"[!-~]{1,255}")
MAX_URL = 2048


async def pay(
    db: Database,
    gateways: Gateways,
    booking_id: UUID,
    method: str,
    return_url: str | None,
    owner: Owner,
    idempotency_key: str,
    payer: Payer = NOBODY,
) -> Payment:
    """Pay a booking with a gateway's token for a card; the payment as it stands when it is paid or must wait.

    The same request again goes on from wherever it is (3-D Secure was passed, an answer was lost) and, once decided,
    gets the same answer. Owns its transactions; whose the booking is has been checked before.

    Raises PaymentDeclined and HoldExpired, with everything put back and nothing charged; holds.SalesClosed for a
    flight that was cancelled or has left, BOOKING_FAILED where that happened meanwhile; Conflict with
    PAYMENT_UNDER_WAY, ALREADY_PAID or BOOKING_FAILED, WrongState, Invalid, NotFound, idempotency.KeyReused;
    GatewayUnavailable where nothing is known yet: send the same request again.
    """
    check_method(method)
    check_return_url(return_url)
    async with db.transaction() as session:
        payment_id = await intend(session, gateways, booking_id, method, return_url, owner, idempotency_key, payer)
    rest = await work_off(db, gateways, booking_id)
    async with db.transaction() as session:
        payment = await session.get_one(Payment, payment_id)
        if payment.gateway in rest.away:
            raise rest.away[payment.gateway]
        await refuse_if_failed(session, payment)
    return payment


def check_method(method: str) -> None:
    """A gateway's token: printable, without spaces. Whether it is good for anything the gateway will say."""
    if not METHOD.fullmatch(method):
        raise Invalid("This is not a payment method's token.", field="paymentMethod")


def check_return_url(url: str | None) -> None:
    """Where the payer comes back to from their bank: an absolute address of the web."""
    if url is None:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        good = False
    if not good or len(url) > MAX_URL:
        raise Invalid("This is not an address to come back to.", field="returnUrl")


async def intend(
    session: Session,
    gateways: Gateways,
    booking_id: UUID,
    method: str,
    return_url: str | None,
    owner: Owner,
    key: str,
    payer: Payer,
) -> UUID:
    """Write the intent to pay, or find the payment that this request made before; the payment's key.

    A job stands behind every payment under way, for the case that whoever asked dies before it is done.
    """
    payment_id = uuid7()
    print_ = idempotency.fingerprint([booking_id, method, return_url])
    known = await idempotency.claim(session, owner.key, "payBooking", key, print_, payment_id)
    if known is not None:
        if (await session.get_one(Payment, known)).status not in payments.OVER | payments.TAKEN:
            await jobs.look_after(session, booking_id, payments.RESCUE)
        return known
    booking = await keep_seats(session, booking_id)
    gateway = gateways.route(Money(booking.total, booking.currency), method)
    cause = Cause(actor=owner.key, reason="paying")
    payment = Payment(
        id=payment_id,
        booking_id=booking_id,
        gateway=gateway.name,
        method=method,
        return_url=return_url,
        amount=booking.total,
        currency=booking.currency,
        created_at=func.jetway_now(),
    )
    if await reviewing.begin(session, payment, payer, cause):
        await rows.move(session, booking, BookingStatus.PAYMENT_PENDING, cause)
        await jobs.look_after(session, booking_id, payments.RESCUE)
    else:
        await holds.payment_failed(session, booking.hold_id)
    return payment_id


async def keep_seats(session: Session, booking_id: UUID) -> Booking:
    """Lock a booking that can be paid, with its hold's deadline moved out of the bank's way; raises SalesClosed."""
    hold_id = await rows.hold_of(session, booking_id)
    try:
        await holds.begin_payment(session, hold_id)
    except HoldExpired:
        check_payable(await rows.locked(session, booking_id))
        raise
    booking = await rows.locked(session, booking_id)
    check_payable(booking)
    await holds.check_on_sale(session, hold_id)
    return booking


def check_payable(booking: Booking) -> None:
    """Raises Conflict unless the booking waits for its money; an EXPIRED one is told by its hold."""
    match booking.status:
        case BookingStatus.SEATS_LOCKED | BookingStatus.EXPIRED:
            return
        case BookingStatus.PAYMENT_PENDING:
            raise Conflict("A payment for this booking is under way.", code="PAYMENT_UNDER_WAY")
        case BookingStatus.CONFIRMED | BookingStatus.CHECKED_IN | BookingStatus.COMPLETED | BookingStatus.NO_SHOW:
            raise Conflict("This booking is paid.", code="ALREADY_PAID")
        case other:
            raise WrongState(f"A booking that is {other} cannot be paid.")


async def refuse_if_failed(session: Session, payment: Payment) -> None:
    """Raises what became of a payment that took no money; returns for one that did, or still may."""
    if payment.decline_code is not None:
        raise PaymentDeclined(payment.decline_code)
    if payment.status is not PaymentStatus.VOIDED:
        return
    booking = await session.get_one(Booking, payment.booking_id)
    if booking.status is BookingStatus.FAILED:
        raise Conflict("The payment could not be completed; nothing was charged.", code="BOOKING_FAILED")
    raise HoldExpired((await session.get_one(Hold, booking.hold_id)).expires_at)
