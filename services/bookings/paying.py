"""Paying: the intent is written first, with the seats kept while the bank thinks; then the saga takes its steps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func

from core.db import Database
from core.errors import Conflict, Invalid, NotFound
from core.ids import uuid7
from core.money import Money
from core.rows import Reader, Scribe
from models import Booking, BookingStatus, Payment, PaymentStatus
from services import holds, idempotency, jobs, payments
from services.bookings import reviewing, rows, splitting
from services.bookings.saga import work_off
from services.fraud import NOBODY, Payer
from services.gateways import Gateways
from services.holds import HoldExpired, Owner
from services.payments import PaymentDeclined
from services.transitions import Cause

METHOD = re.compile(r"[!-~]{1,255}")
MAX_URL = 2048

PAYER = "payer"
"""How history names whoever pays with a link."""


@dataclass(frozen=True, kw_only=True)
class Paying:
    """Somebody who pays, and what: `share_id` None is all of the price, `by_link` that they came with a payment link.

    `method` is a gateway's token, `payer` what is known of them. `retry` tells that they are not there, that they had
    stored the method, and that a bank which says no for a reason that may pass is to be asked again (`retrying.py`).
    Keys of links are apart from those of owners, and history names whoever uses them PAYER.
    """

    booking_id: UUID
    method: str
    return_url: str | None
    owner: Owner
    idempotency_key: str
    share_id: UUID | None = None
    by_link: bool = False
    retry: bool = False
    payer: Payer = NOBODY

    @property
    def operation(self) -> str:
        """How its idempotency key is kept."""
        return "payByLink" if self.by_link else "payBooking"

    @property
    def fingerprint(self) -> bytes:
        """What is the same where the same is asked again."""
        share = [] if self.share_id is None else [self.share_id]
        retry = ["retry"] if self.retry else []
        return idempotency.fingerprint([self.booking_id, self.method, self.return_url, *share, *retry])


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
    """Have all of a booking's price paid by its owner: see `pay_as`."""
    asked = Paying(
        booking_id=booking_id,
        method=method,
        return_url=return_url,
        owner=owner,
        idempotency_key=idempotency_key,
        payer=payer,
    )
    return await pay_as(db, gateways, asked)


async def pay_as(db: Database, gateways: Gateways, asked: Paying) -> Payment:
    """Pay a booking, or a share of it; the payment as it stands when it is paid or must wait.

    The same request again goes on from wherever it is (3-D Secure was passed, an answer was lost) and, once decided,
    gets the same answer. Owns its transactions; whose the booking is has been checked before.

    Raises PaymentDeclined and HoldExpired, with everything put back and nothing charged; holds.SalesClosed for a
    flight that was cancelled or has left, BOOKING_FAILED where that happened meanwhile, or another share could not be
    taken; what `splitting.price_of` raises, Invalid, NotFound, idempotency.KeyReused; GatewayUnavailable where nothing
    is known yet: send the same request again.
    """
    check_method(asked.method)
    check_return_url(asked.return_url)
    async with db.writing() as scribe:
        payment_id = await intend(scribe, gateways, asked)
    rest = await work_off(db, gateways, asked.booking_id)
    reader = db.reader(primary=True)
    payment = await payments.by_id(reader, payment_id)
    if payment.gateway in rest.away:
        raise rest.away[payment.gateway]
    await refuse_if_failed(reader, payment)
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


async def intend(scribe: Scribe, gateways: Gateways, asked: Paying) -> UUID:
    """Write the intent to pay, or find the payment that this request made before; the payment's key.

    A job stands behind every payment under way, for the case that whoever asked dies before it is done.
    """
    payment_id = uuid7()
    owner, key = asked.owner.key, asked.idempotency_key
    known = await idempotency.claim(scribe, owner, asked.operation, key, asked.fingerprint, payment_id)
    if known is not None:
        if (await payments.by_id(scribe, known)).status not in payments.OVER | payments.TAKEN:
            await jobs.look_after(scribe, asked.booking_id, payments.RESCUE)
        return known
    booking, price = await keep_seats(scribe, asked.booking_id, asked.share_id)
    gateway = gateways.route(price, asked.method)
    cause = Cause(actor=PAYER if asked.by_link else owner, reason="paying")
    payment = Payment(
        id=payment_id,
        booking_id=booking.id,
        share_id=asked.share_id,
        by_link=asked.by_link,
        gateway=gateway.name,
        method=asked.method,
        return_url=asked.return_url,
        off_session=asked.retry,
        amount=price.minor_units,
        currency=price.currency,
        created_at=func.jetway_now(),
    )
    agreed = await reviewing.begin(scribe, payment, asked.payer, cause)
    first = booking.status is not BookingStatus.PAYMENT_PENDING
    if first:
        await rows.move(scribe, booking, BookingStatus.PAYMENT_PENDING, cause)
    if agreed:
        await jobs.look_after(scribe, booking.id, payments.RESCUE)
    else:
        await reviewing.refuse(scribe, payment, last=first)
    return payment_id


async def keep_seats(scribe: Scribe, booking_id: UUID, share_id: UUID | None) -> tuple[Booking, Money]:
    """Lock a booking that can be paid, with its hold's deadline moved out of the bank's way; and what is to be paid.

    That is done for the first share that is paid: the others keep to its deadline. Raises SalesClosed.
    """
    booking, locked = await rows.locked_with_hold(scribe, booking_id)
    price = await splitting.price_of(scribe, booking, share_id)
    await holds.keep_for_payment(scribe, locked)
    await holds.check_on_sale(scribe, booking.hold_id)
    return booking, price


async def refuse_if_failed(reader: Reader, payment: Payment) -> None:
    """Raises what became of a payment that was made for nothing; returns for one that was not, or may still not be."""
    if payment.decline_code is not None:
        raise PaymentDeclined(payment.decline_code)
    if payment.status is PaymentStatus.CAPTURED and payment.share_id is None:
        return
    booking = await rows.by_id(reader, payment.booking_id)
    if booking.status is BookingStatus.FAILED:
        raise Conflict("The payment could not be completed; whatever was charged goes back.", code="BOOKING_FAILED")
    if booking.status is BookingStatus.EXPIRED or payment.status is PaymentStatus.VOIDED:
        hold = await holds.by_id(reader, booking.hold_id)
        if hold is None:
            raise NotFound("There is no such hold.")
        raise HoldExpired(hold.told_until)
