"""Where a booking stands between two steps of its saga, and how a step makes sure that it still does.

A step looks, asks the gateway with nothing locked, and then writes in one transaction what came of it. Whatever may
have happened in between, it writes only if booking and payment are still as they were when it looked: otherwise
somebody else has taken the step, and there is nothing to write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from core.db import Database, Session
from core.errors import NotFound
from core.money import Money
from models import Booking, BookingStatus, Hold, HoldStatus, Payment, PaymentStatus
from services import holds, payments
from services.bookings import rows
from services.gateways import Gateway, Gateways, Order

LOOK = """
    SELECT bookings.status, bookings.pnr, bookings.hold_id, holds.status, holds.expires_at - jetway_now(),
           payments.id, payments.status, payments.gateway, payments.gateway_id,
           payments.amount, payments.currency, payments.method, payments.return_url, payments.created_at
    FROM bookings JOIN holds ON holds.id = bookings.hold_id
    LEFT JOIN payments ON payments.booking_id = bookings.id AND payments.status <> ALL ($2::text[])
    WHERE bookings.id = $1
"""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A booking with the payment that is under way or taken, as one moment showed them.

    `sold` tells that the seats were taken over from the hold; `dead` that the hold keeps nothing any more; `left` how
    far its deadline is away, negative once it has passed.
    """

    db: Database
    gateway: Gateway
    booking_id: UUID
    hold_id: UUID
    booking: BookingStatus
    payment_id: UUID
    payment: PaymentStatus
    gateway_id: str | None
    order: Order
    sold: bool
    dead: bool
    left: timedelta

    def key(self, step: str) -> str:
        """The idempotency key of a call to the gateway."""
        return f"{self.payment_id}:{step}"

    @property
    def known_to_gateway(self) -> str:
        """The gateway's id of the payment, which it has from its first answer on."""
        if self.gateway_id is None:
            raise RuntimeError(f"payment {self.payment_id} is {self.payment} without an id of the gateway's")
        return self.gateway_id


def order_of(booking: Booking, payment: Payment) -> Order:
    """What the gateway is asked to authorise; the same as often as it is asked."""
    return Order(
        payment_id=payment.id,
        booking_id=booking.id,
        pnr=booking.pnr,
        amount=Money(payment.amount, payment.currency),
        method=payment.method,
        return_url=payment.return_url,
        created_at=payment.created_at,
    )


async def look(db: Database, gateways: Gateways, booking_id: UUID) -> Situation | None:
    """The booking as the primary has it now; None where no payment of it is under way or taken. Raises NotFound."""
    found = await db.reader(primary=True).fetch(LOOK, booking_id, list(payments.OVER))
    if not found:
        raise NotFound("There is no such booking.")
    booking, pnr, hold_id, hold, left, payment_id, payment, gateway, gateway_id, *ordered = found[0]
    if payment_id is None:
        return None
    amount, currency, method, return_url, created_at = ordered
    return Situation(
        db=db,
        gateway=gateways.named(gateway),
        booking_id=booking_id,
        hold_id=hold_id,
        booking=BookingStatus(booking),
        payment_id=payment_id,
        payment=PaymentStatus(payment),
        gateway_id=gateway_id,
        order=Order(
            payment_id=payment_id,
            booking_id=booking_id,
            pnr=pnr,
            amount=Money(amount, currency),
            method=method,
            return_url=return_url,
            created_at=created_at,
        ),
        sold=hold == HoldStatus.BOOKED,
        dead=hold != HoldStatus.BOOKED and (hold != HoldStatus.ACTIVE or left <= timedelta()),
        left=left,
    )


async def unchanged(session: Session, seen: Situation) -> tuple[Booking, Payment] | None:
    """Booking and payment, locked, if they are still as they were seen; None where somebody else has gone on."""
    booking = await rows.locked(session, seen.booking_id)
    payment = await payments.locked(session, seen.booking_id)
    if payment is None or (booking.status, payment.id, payment.status) != (seen.booking, seen.payment_id, seen.payment):
        return None
    return booking, payment


async def unchanged_with_hold(session: Session, seen: Situation) -> tuple[Booking, Payment, Hold] | None:
    """The same with the hold, locked first."""
    hold = await holds.lock(session, seen.hold_id)
    rest = await unchanged(session, seen)
    if rest is None or (hold.status is HoldStatus.BOOKED) != seen.sold:
        return None
    return *rest, hold
