"""Late money: what becomes of a booking whose hold had died when its money came (docs/decisions/0025).

Its places are found again where they are still to be had. A passenger whose seat is somebody else's by now has a place
without one in the same cabin, and what that seat would have cost is not taken: its line goes, the booking costs less,
and the payments waive it between them. Whoever booked is told which it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select, tuple_, update

from core.db import Session
from core.money import Money
from models import Booking, BookingLine, BookingStatus, NoticeKind, Passenger, Payment, PriceLineKind, SeatAssignment
from services import extras, holds, notices, outbox, payments, tickets
from services.bookings import rows
from services.notices import Message
from services.transitions import Cause

Unit = tuple[int, str]
"""A seat, by slot and number."""


async def sell_again(session: Session, booking_id: UUID, hold_id: UUID, cause: Cause) -> bool:
    """Find again what a booking's dead hold kept, sell it, and issue every ticket and extra; first in its transaction.

    False where somebody else has gone on: the transaction must end without a commit then, as it must where this raises:
    holds.HoldExpired, with the full pools as holds.PlacesGone, where the places are not all to be had, and
    holds.SalesClosed.
    """
    found = await holds.find_again(session, hold_id)
    if found is None:
        return False
    booking = await rows.locked(session, booking_id)
    if booking.status is not BookingStatus.PAYMENT_PENDING:
        return False
    await holds.check_on_sale(session, hold_id)
    lost = [(some.slot_id, unit) for some in found.lost for unit in some.units]
    paying = await payments.lock_live(session, booking_id, None)
    if lost:
        waive(paying, await give_up_seats(session, booking, lost))
    await tell(session, booking, lost)
    await tickets.issue(session, booking_id, cause)
    await extras.issue(session, booking_id, cause)
    await holds.sell_found(session, found, cause)
    return True


async def give_up_seats(session: Session, booking: Booking, lost: Sequence[Unit]) -> Money:
    """Leave the passengers of those seats a place without one; what a locked booking costs less for it."""
    people = select(Passenger.id).where(Passenger.booking_id == booking.id)
    theirs = tuple_(SeatAssignment.slot_id, SeatAssignment.unit).in_(lost)
    await session.execute(
        update(SeatAssignment).where(SeatAssignment.passenger_id.in_(people), theirs).values(unit=None)
    )
    charged = tuple_(BookingLine.slot_id, BookingLine.unit).in_(lost)
    of_seats = BookingLine.booking_id == booking.id, BookingLine.kind == PriceLineKind.SEAT, charged
    gone = await session.scalars(delete(BookingLine).where(*of_seats).returning(BookingLine.amount))
    less = sum(gone.all())
    booking.total -= less
    await session.flush()
    return Money(less, booking.currency)


def waive(paying: Sequence[Payment], less: Money) -> None:
    """Have locked payments take `less` between them, each in proportion to its amount."""
    shares = less.allocate([payment.amount for payment in paying])
    for payment, share in zip(paying, shares, strict=True):
        payment.waived += share.minor_units


async def tell(session: Session, booking: Booking, lost: Sequence[Unit]) -> None:
    """A fact, and a notice to whoever booked, that a locked booking has its places again, without the seats `lost`."""
    payload = {
        "booking": str(booking.id),
        "total": booking.total,
        "currency": booking.currency,
        "lost": [{"slot": slot_id, "number": unit} for slot_id, unit in lost],
    }
    await outbox.record(session, "booking.seats_found", outbox.booking_stream(booking.id), payload)
    kind, text = NoticeKind.SEATS_FOUND_AGAIN, "It came late, and your seats were still free: they are yours."
    if lost:
        seats = ", ".join(unit for _, unit in lost)
        kind = NoticeKind.SEATS_CHANGED
        text = f"It came late, and {seats} went to somebody else. You have places without a seat, and pay no charge."
    message = Message(kind=kind, text=f"The payment for your booking {booking.pnr} is here. {text}", source="late")
    await notices.write(session, [booking], message)
