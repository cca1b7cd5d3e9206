"""Bookings whose journey is over: COMPLETED, or NO_SHOW; what they paid is earned, once.

A job looks at a flight's bookings once the flight has landed. A booking whose passengers have checked in is COMPLETED
when the last of its flights has landed, and its tickets are USED. One that nobody of has checked in is a NO_SHOW, and
its tickets are VOID; but only where check-in was kept on each of its flights, because somebody of another booking did
check in: where nobody does, nothing is known of who flew, and the booking stays CONFIRMED.

What was paid for a booking is owed until then (UNEARNED), whatever part of its journey was flown before.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select

from core.db import Session
from core.money import Money
from models import (
    Booking,
    BookingSegment,
    BookingStatus,
    Claim,
    Flight,
    FlightStatus,
    Passenger,
    PostingKind,
    SeatAssignment,
    SeatStatus,
    Ticket,
    TicketStatus,
)
from services import ledger, tickets
from services.bookings import rows
from services.transitions import Cause

BATCH = 100
"""How many bookings of a flight are finished in one transaction."""

CAUSE = Cause(actor="flight", reason="its last flight has landed")

ENDS = {
    BookingStatus.CHECKED_IN: (BookingStatus.COMPLETED, TicketStatus.USED),
    BookingStatus.CONFIRMED: (BookingStatus.NO_SHOW, TicketStatus.VOID),
}
"""How a booking in a state ends, and what becomes of its tickets."""


async def finish(session: Session, slot_id: int, after: UUID | None = None) -> UUID | None:
    """Finish the next bookings of a flight whose journey is over, in the order of their keys, behind `after`.

    Returns the key of the last, None when there are no more. Doing it again changes nothing. Locks each booking, then
    its tickets.
    """
    flies = exists().where(leg(), BookingSegment.slot_id == slot_id)
    chosen = select(Booking).where(flies, ~exists().where(leg(), still_ahead()), or_(came(), nobody_came()))
    if after is not None:
        chosen = chosen.where(Booking.id > after)
    locked = chosen.order_by(Booking.id).limit(BATCH).with_for_update()
    found = (await session.scalars(locked.execution_options(populate_existing=True))).all()
    for booking in found:
        await end(session, booking)
    return found[-1].id if len(found) == BATCH else None


async def end(session: Session, booking: Booking) -> None:
    """Finish a locked booking, and post what was earned."""
    to, ticket = ENDS[booking.status]
    await rows.move(session, booking, to, CAUSE)
    await tickets.close(session, booking.id, ticket, CAUSE)
    if booking.total:
        earned = Money(booking.total, booking.currency)
        await ledger.post(session, PostingKind.EARNED, booking.id, booking.id, earned)


def leg() -> ColumnElement[bool]:
    """A condition: the segment is flown for the booking."""
    return and_(BookingSegment.booking_id == Booking.id, BookingSegment.cancelled_at.is_(None))


def still_ahead() -> ColumnElement[bool]:
    """A condition: the segment's flight has not landed."""
    return exists().where(Flight.slot_id == BookingSegment.slot_id, Flight.status != FlightStatus.LANDED)


def came() -> ColumnElement[bool]:
    """A condition: everybody of the booking has checked in."""
    return Booking.status == BookingStatus.CHECKED_IN


def nobody_came() -> ColumnElement[bool]:
    """A condition: nobody of a confirmed booking checked in, on flights on which others did."""
    seen = exists().where(Claim.slot_id == BookingSegment.slot_id, Claim.status == SeatStatus.CHECKED_IN)
    used = exists().where(
        Ticket.passenger_id == Passenger.id,
        Passenger.booking_id == Booking.id,
        Ticket.status == TicketStatus.USED,
    )
    theirs = exists().where(
        Passenger.booking_id == Booking.id,
        SeatAssignment.passenger_id == Passenger.id,
        Claim.slot_id == SeatAssignment.slot_id,
        Claim.unit == SeatAssignment.unit,
        Claim.status == SeatStatus.CHECKED_IN,
    )
    kept = ~exists().where(leg(), ~seen)
    return and_(Booking.status == BookingStatus.CONFIRMED, kept, ~theirs, ~used)
