"""What papers tell of a booking: read in a few statements, and plain from then on, so that a thread may draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from core import clock
from core.db import ReadSession
from core.money import Money
from models import (
    Booking,
    BookingLine,
    BookingSegment,
    BookingStatus,
    FareFamily,
    Passenger,
    PassengerTitle,
    PassengerType,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    SeatAssignment,
    Ticket,
    TicketStatus,
)
from services import departures
from services.departures import Departure

GOOD = frozenset({TicketStatus.OPEN, TicketStatus.USED})
"""Tickets that are, or were, good for travel."""

TAKEN = frozenset({PaymentStatus.CAPTURED, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED})
"""Payments whose money was taken."""


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
    segments = [one for one in await of_booking(session, BookingSegment, booking.id) if one.cancelled_at is None]
    flights = await departures.by_slots(session, [one.slot_id for one in segments])
    families = {one.code: one for one in await session.scalars(select(FareFamily))}
    return Record(
        pnr=booking.pnr,
        status=booking.status,
        email=booking.email,
        made_at=booking.created_at,
        drawn_at=clock.now(),
        total=Money(booking.total, booking.currency),
        lines=tuple(
            (one.label, Money(one.amount, booking.currency))
            for one in await of_booking(session, BookingLine, booking.id)
        ),
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


Part = TypeVar("Part", BookingSegment, BookingLine, Passenger)


async def of_booking(session: ReadSession, table: type[Part], booking_id: UUID) -> Sequence[Part]:
    """The rows of a booking, in their order."""
    chosen = select(table).where(table.booking_id == booking_id).order_by(table.ordinal)
    return (await session.scalars(chosen)).all()


async def travellers(session: ReadSession, booking_id: UUID) -> tuple[Traveller, ...]:
    """Who travels, in the order in which they were named; whoever left has flown some of it, or is left out."""
    people = await of_booking(session, Passenger, booking_id)
    ids = [one.id for one in people]
    places = await session.scalars(select(SeatAssignment).where(SeatAssignment.passenger_id.in_(ids)))
    seats = {(one.passenger_id, one.slot_id): one.unit for one in places}
    good = select(Ticket).where(Ticket.passenger_id.in_(ids), Ticket.status.in_(GOOD)).order_by(Ticket.number)
    tickets = (await session.scalars(good)).all()
    having = {one.passenger_id for one in tickets}
    return tuple(
        Traveller(
            name=full_name(person),
            type=person.type,
            coupons=tuple(coupon(one, seats) for one in tickets if one.passenger_id == person.id),
        )
        for person in people
        if person.cancelled_at is None or person.id in having
    )


def coupon(ticket: Ticket, seats: Mapping[tuple[UUID, int], str | None]) -> Coupon:
    """A ticket with the seat that goes with it."""
    seat = seats.get((ticket.passenger_id, ticket.slot_id))
    return Coupon(number=ticket.number, slot_id=ticket.slot_id, status=ticket.status, seat=seat)


def full_name(passenger: Passenger) -> str:
    """Title and names as people write them: `Ms Ada Lovelace`. MX is written too: it is how somebody is addressed."""
    title = "" if passenger.title is None else f"{PassengerTitle(passenger.title).capitalize()} "
    return f"{title}{passenger.first_name} {passenger.last_name}"


async def movements(session: ReadSession, booking_id: UUID) -> tuple[Movement, ...]:
    """The money that was taken for a booking and that went back, in the order of time."""
    taken = select(Payment).where(Payment.booking_id == booking_id, Payment.status.in_(TAKEN))
    payments = {one.id: one for one in await session.scalars(taken)}
    returned = select(Refund).where(Refund.payment_id.in_(payments), Refund.status == RefundStatus.SUCCEEDED)
    found = [
        Movement(
            at=one.created_at,
            label="Payment",
            reference=one.gateway_id or "",
            amount=Money(one.captured, one.currency),
        )
        for one in payments.values()
    ]
    found += [
        Movement(
            at=one.created_at,
            label="Refund",
            reference=one.gateway_id or "",
            amount=Money(-one.amount, one.currency),
        )
        for one in await session.scalars(returned)
    ]
    return tuple(sorted(found, key=lambda one: one.at))
