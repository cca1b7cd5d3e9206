"""What papers tell of a booking: read in a few statements, and plain from then on, so that a thread may draw it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from sqlalchemy import select

from core import clock
from core.db import ReadSession
from core.money import Money
from core.rows import Reader
from models import (
    Booking,
    BookingStatus,
    FareFamily,
    Passenger,
    PassengerTitle,
    PassengerType,
    RefundStatus,
    SeatAssignment,
    Ticket,
    TicketStatus,
)
from services import bookings, departures, payments
from services.bookings import reading
from services.departures import Departure

GOOD = frozenset({TicketStatus.OPEN, TicketStatus.USED})
"""Tickets that are, or were, good for travel."""


@dataclass(frozen=True, kw_only=True)
class Coupon:
    """A ticket of one passenger for one flight; `seat` is None until one is chosen, and for whoever sits on a lap."""

    number: str
    slot_id: int
    status: TicketStatus
    seat: str | None


@dataclass(frozen=True, kw_only=True)
class Traveller:
    """Somebody who travels, with the tickets that are good."""

    name: str
    type: PassengerType
    coupons: tuple[Coupon, ...]


@dataclass(frozen=True, kw_only=True)
class BookedFlight:
    """A flight of the booking, and the rules under which it was sold."""

    departure: Departure
    cabin: str
    booking_class: str
    family: FareFamily


@dataclass(frozen=True, kw_only=True)
class Movement:
    """Money that was taken, or (less than nothing) went back, when, and under which of the gateway's ids."""

    at: datetime
    label: str
    reference: str
    amount: Money


@dataclass(frozen=True, kw_only=True)
class Record:
    """A booking as its papers tell it. `lines` add up to `total`; times are aware."""

    pnr: str
    status: BookingStatus
    email: str
    made_at: datetime
    drawn_at: datetime
    total: Money
    lines: tuple[tuple[str, Money], ...]
    travellers: tuple[Traveller, ...]
    flights: tuple[BookedFlight, ...]
    movements: tuple[Movement, ...]


async def read(session: ReadSession, booking: Booking) -> Record:
    """Everything that the papers of a booking tell."""
    booked = (await bookings.segments_by_booking_ids(session, [booking.id]))[booking.id]
    segments = [one for one in booked if one.cancelled_at is None]
    lines = (await bookings.lines_by_booking_ids(session, [booking.id]))[booking.id]
    flights = await departures.by_slots(session, [one.slot_id for one in segments])
    families = {one.code: one for one in await session.scalars(select(FareFamily))}
    return Record(
        pnr=booking.pnr,
        status=booking.status,
        email=booking.email,
        made_at=booking.created_at,
        drawn_at=clock.now(),
        total=Money(booking.total, booking.currency),
        lines=tuple((one.label, Money(one.amount, booking.currency)) for one in lines),
        travellers=await travellers(session, booking.id),
        flights=tuple(
            BookedFlight(
                departure=flights[one.slot_id],
                cabin=one.cabin,
                booking_class=one.booking_class,
                family=families[one.family_code],
            )
            for one in segments
        ),
        movements=await movements(session, booking.id),
    )


async def travellers(reader: Reader, booking_id: UUID) -> tuple[Traveller, ...]:
    """Who travels, in the order in which they were named; whoever left has flown some of it, or is left out."""
    people = (await bookings.passengers_by_booking_ids(reader, [booking_id]))[booking_id]
    ids = [one.id for one in people]
    seats = await bookings.seats_by_passenger_ids(reader, ids)
    tickets = await bookings.tickets_by_passenger_ids(reader, ids)
    found = [
        Traveller(
            name=full_name(person),
            type=person.type,
            coupons=tuple(coupon(one, seats[person.id]) for one in tickets[person.id] if one.status in GOOD),
        )
        for person in people
    ]
    return tuple(one for person, one in zip(people, found, strict=True) if person.cancelled_at is None or one.coupons)


def coupon(ticket: Ticket, seats: Iterable[SeatAssignment]) -> Coupon:
    """A ticket with the seat that goes with it."""
    seat = next((one.unit for one in seats if one.slot_id == ticket.slot_id), None)
    return Coupon(number=ticket.number, slot_id=ticket.slot_id, status=ticket.status, seat=seat)


def full_name(passenger: Passenger) -> str:
    """Title and names as people write them: `Ms Ada Lovelace`. MX is written too: it is how somebody is addressed."""
    title = "" if passenger.title is None else f"{PassengerTitle(passenger.title).capitalize()} "
    return f"{title}{passenger.first_name} {passenger.last_name}"


async def movements(reader: Reader, booking_id: UUID) -> tuple[Movement, ...]:
    """The money that was taken for a booking and that went back, in the order of time."""
    paid = (await reading.PAYMENTS.of(reader, [booking_id]))[booking_id]
    taken = [one for one in paid if one.status in payments.TAKEN]
    returned = await bookings.refunds_by_payment_ids(reader, [one.id for one in taken])
    found = [
        Movement(
            at=one.created_at,
            label="Payment",
            reference=one.gateway_id or "",
            amount=Money(one.captured, one.currency),
        )
        for one in taken
    ]
    found += [
        Movement(
            at=one.created_at,
            label="Refund",
            reference=one.gateway_id or "",
            amount=Money(-one.amount, one.currency),
        )
        for one in chain.from_iterable(returned.values())
        if one.status is RefundStatus.SUCCEEDED
    ]
    return tuple(sorted(found, key=lambda one: one.at))
