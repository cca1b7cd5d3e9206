"""A booking as it is when it is about to be changed: who travels on what, where they sit, and what they paid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from core.db import ReadSession
from core.errors import Conflict
from core.states import WrongState
from models import (
    Base,
    Booking,
    BookingLine,
    BookingSegment,
    BookingStatus,
    Claim,
    Passenger,
    PassengerType,
    SeatAssignment,
    SeatStatus,
)
from services import extras, holds, idempotency
from services.bookings.journey import LEFT, Trip, trips_of
from services.extras import Owned
from services.fares import Party

Row = TypeVar("Row", bound=Base)

NEVER = datetime.max.replace(tzinfo=UTC)

CLOSES = timedelta(hours=1)
"""How long before its departure a flight, a seat on it, or the name of who flies can be changed no more."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A booking at one moment, without whoever and whatever left it before. All of it in order."""

    booking: Booking
    people: Sequence[Passenger]
    segments: Sequence[BookingSegment]
    trips: Sequence[Trip]
    places: Sequence[SeatAssignment]
    lines: Sequence[BookingLine]
    extras: Sequence[Owned]
    moment: datetime

    @property
    def party(self) -> Party:
        """Who travels, as a price knows them."""
        count = Counter(one.type for one in self.people)
        return Party(
            adults=count[PassengerType.ADULT], children=count[PassengerType.CHILD], infants=count[PassengerType.INFANT]
        )

    @property
    def basis(self) -> bytes:
        """The fingerprint of all that a change is made of: a booking with another has changed."""
        people = [[one.id, one.title, one.first_name, one.last_name, one.date_of_birth] for one in self.people]
        flights = [[one.slot_id, one.cabin, one.booking_class, one.family_code] for one in self.segments]
        places = [[one.passenger_id, one.slot_id, one.pool, one.unit] for one in self.places]
        lines = [[one.kind, one.label, one.amount, one.slot_id, one.unit] for one in self.lines]
        beside = [[one.id, one.quantity] for one in self.extras]
        parts = [people, flights, places, lines, beside]
        return idempotency.fingerprint([self.booking.status, self.booking.total, *parts])

    def trips_on(self, slot_ids: Collection[int]) -> list[Trip]:
        """The flights of those slots."""
        return [trip for trip in self.trips if trip.slot_id in slot_ids]


async def look(session: ReadSession, booking: Booking) -> Picture:
    """The booking, whose row is fresh, as the transaction sees it."""
    people = await rows(session, select(Passenger).where(Passenger.booking_id == booking.id), Passenger.ordinal)
    of_booking = select(BookingSegment).where(BookingSegment.booking_id == booking.id)
    segments = await rows(session, of_booking, BookingSegment.ordinal)
    staying = [one for one in people if one.cancelled_at is None]
    flown = [one for one in segments if one.cancelled_at is None]
    slots = {one.slot_id for one in flown}
    places = select(SeatAssignment).where(
        SeatAssignment.passenger_id.in_([one.id for one in staying]), SeatAssignment.slot_id.in_(slots)
    )
    lines = select(BookingLine).where(BookingLine.booking_id == booking.id)
    return Picture(
        booking=booking,
        people=staying,
        segments=flown,
        trips=[trip for trip in await trips_of(session, booking.id) if not trip.given_up],
        places=await rows(session, places, SeatAssignment.passenger_id, SeatAssignment.slot_id),
        lines=await rows(session, lines, BookingLine.ordinal),
        extras=await extras.owned_by(session, booking.id),
        moment=await holds.now(session),
    )


async def rows(session: ReadSession, chosen: Select[Row], *order: InstrumentedAttribute[Any]) -> Sequence[Row]:
    """Rows as they are now, in order."""
    found = await session.scalars(chosen.order_by(*order).execution_options(populate_existing=True))
    return found.all()


def check_changeable(booking: Booking) -> None:
    """Raises Conflict unless a booking in that state can be changed."""
    match booking.status:
        case BookingStatus.CONFIRMED:
            return
        case BookingStatus.PAYMENT_PENDING:
            raise Conflict("A payment for this booking is under way.", code="PAYMENT_UNDER_WAY")
        case other:
            raise WrongState(f"A booking that is {other} cannot be changed.")


def closes_at(trips: Sequence[Trip]) -> datetime:
    """Until when those flights can be changed: an hour before the first of them leaves that the airline still flies."""
    return min((trip.departs_at for trip in trips if not trip.cancelled), default=NEVER) - CLOSES


async def check_open(session: ReadSession, picture: Picture, slot_ids: Collection[int]) -> None:
    """Raises CHANGES_CLOSED where one of those flights has left or leaves within the hour, and CHECKED_IN where
    somebody of the booking has checked in for one. A flight that the airline won't fly is never too late to change."""
    for trip in picture.trips_on(slot_ids):
        if not trip.cancelled and (trip.flight.status in LEFT or trip.departs_at - CLOSES <= picture.moment):
            message = f"{trip.flight.designator} leaves within the hour, or has left: it cannot be changed any more."
            raise Conflict(message, code="CHANGES_CLOSED")
    if await checked_in(session, picture.booking.hold_id, slot_ids):
        raise Conflict("Somebody has checked in for this flight: undo that first.", code="CHECKED_IN")


async def checked_in(session: ReadSession, hold_id: UUID, slot_ids: Collection[int]) -> bool:
    """Whether a seat that a booking's hold has on those flights is checked in."""
    chosen = select(Claim.unit).where(
        Claim.hold_id == hold_id, Claim.slot_id.in_(slot_ids), Claim.status == SeatStatus.CHECKED_IN
    )
    return await session.scalar(chosen.limit(1)) is not None
