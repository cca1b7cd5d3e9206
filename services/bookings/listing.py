"""A person's bookings, page by page, and everything that happened to one.

Pages go from the newest to the oldest: a booking's key is a UUIDv7, so its order is that in which bookings were made,
and a cursor stays good whatever is booked meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select, union_all
from sqlalchemy import Text as SqlText
from sqlalchemy import cast as as_type

from core.db import ReadSession
from core.paging import Page, check_first, key_of, newest_page
from models import (
    Amendment,
    Booking,
    BookingExtra,
    BookingSegment,
    BookingStatus,
    Flight,
    Hold,
    Passenger,
    Payment,
    PaymentStatus,
    Refund,
    Ticket,
    Transition,
)
from services.bookings.paying import PAYER

WAITING = frozenset({BookingStatus.SEATS_LOCKED, BookingStatus.PAYMENT_PENDING})
"""Bookings that end with their hold's deadline, unless they are paid."""


@dataclass(frozen=True, kw_only=True)
class BookingFilter:
    """Bookings in one of these states, with a flight that leaves in these days, by the local date at its origin."""

    statuses: Sequence[BookingStatus] | None = None
    departs_from: date | None = None
    departs_until: date | None = None


@dataclass(frozen=True)
class Dated:
    """A booking, and the deadline of its hold while it waits for its money."""

    booking: Booking
    expires_at: datetime | None


async def of_owner(
    session: ReadSession, owner_id: UUID, chosen: BookingFilter, first: int, after: str | None
) -> Page[Dated]:
    """A page of a person's bookings, the newest first. Raises Invalid: `first` (1 to 100), `after`."""
    check_first(first)
    conditions = [Booking.owner_id == owner_id, *conditions_of(chosen)]
    total = await session.scalar(select(func.count()).select_from(Booking).where(*conditions))
    if after is not None:
        conditions.append(Booking.id < key_of(after))
    rows = await session.execute(
        select(Booking, func.coalesce(Hold.expires_before_review, Hold.expires_at))
        .join(Hold, Hold.id == Booking.hold_id)
        .where(*conditions)
        .order_by(Booking.id.desc())
        .limit(first + 1)
    )
    found = [Dated(booking, expires_at if booking.status in WAITING else None) for booking, expires_at in rows]
    return newest_page(found, lambda one: one.booking.id, first, after, total or 0)


def conditions_of(chosen: BookingFilter) -> list[ColumnElement[bool]]:
    """What a filter asks for."""
    conditions: list[ColumnElement[bool]] = []
    if chosen.statuses is not None:
        conditions.append(Booking.status.in_(chosen.statuses))
    days = []
    if chosen.departs_from is not None:
        days.append(Flight.local_date >= chosen.departs_from)
    if chosen.departs_until is not None:
        days.append(Flight.local_date <= chosen.departs_until)
    if days:
        leaves = select(BookingSegment.slot_id).join(Flight, Flight.slot_id == BookingSegment.slot_id)
        flown = BookingSegment.booking_id == Booking.id, BookingSegment.cancelled_at.is_(None)
        conditions.append(exists(leaves.where(*flown, *days)))
    return conditions


class TimelineSubject(StrEnum):
    """Of what a line of a booking's timeline tells."""

    BOOKING = "BOOKING"
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    TICKET = "TICKET"
    AMENDMENT = "AMENDMENT"
    EXTRA = "EXTRA"


class TimelineActor(StrEnum):
    """Who caused it."""

    OWNER = "OWNER"
    PAYER = "PAYER"
    STAFF = "STAFF"
    GATEWAY = "GATEWAY"
    JETWAY = "JETWAY"


@dataclass(frozen=True)
class TimelineEntry:
    """A change of status of a booking, or of something that belongs to it. `key` is a ticket's number, else None.

    Reasons are not told: what a bank said of a card stays in the history.
    """

    at: datetime
    subject: TimelineSubject
    key: str | None
    came_from: str | None
    to: str
    actor: TimelineActor


async def timeline(session: ReadSession, booking: Booking) -> list[TimelineEntry]:
    """Everything that happened to a booking, its payments, refunds, tickets, extras and changes, in order."""
    mine = union_all(
        select(as_type(Booking.id, SqlText)).where(Booking.id == booking.id),
        select(as_type(Payment.id, SqlText)).where(Payment.booking_id == booking.id),
        select(as_type(Amendment.id, SqlText)).where(Amendment.booking_id == booking.id),
        select(as_type(BookingExtra.id, SqlText)).where(BookingExtra.booking_id == booking.id),
        select(as_type(Refund.id, SqlText))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.booking_id == booking.id),
        select(as_type(Ticket.number, SqlText))
        .join(Passenger, Passenger.id == Ticket.passenger_id)
        .where(Passenger.booking_id == booking.id),
    )
    rows = await session.scalars(select(Transition).where(Transition.subject_id.in_(mine)).order_by(Transition.id))
    return [told(row, booking) for row in rows if not says_nothing(row)]


def says_nothing(row: Transition) -> bool:
    """Whether a line would say that what was PROCESSING became PROCESSING: its owner is not told of reviews."""
    return {row.from_status, row.to_status} == {PaymentStatus.PROCESSING, PaymentStatus.REVIEW}


def told(row: Transition, booking: Booking) -> TimelineEntry:
    """A line of history, as the booking's owner is told it. That staff look at a payment is theirs to know."""
    review = PaymentStatus.REVIEW
    secret = review in (row.from_status, row.to_status)
    return TimelineEntry(
        at=row.at,
        subject=TimelineSubject(row.machine.upper()),
        key=row.subject_id if row.machine == "ticket" else None,
        came_from=PaymentStatus.PROCESSING if row.from_status == review else row.from_status,
        to=PaymentStatus.PROCESSING if row.to_status == review else row.to_status,
        actor=TimelineActor.GATEWAY if secret else actor_of(row.actor, booking),
    )


def actor_of(actor: str, booking: Booking) -> TimelineActor:
    """Whose doing a line of history is, as the booking's owner is told."""
    if actor == "guest" or actor == f"user:{booking.owner_id}":
        return TimelineActor.OWNER
    if actor.startswith("user:"):
        return TimelineActor.STAFF
    if actor == PAYER:
        return TimelineActor.PAYER
    return TimelineActor.GATEWAY if actor == "gateway" else TimelineActor.JETWAY
