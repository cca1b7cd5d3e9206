"""A booking as a whole, at one moment: who travels on which flights, where they sit, and what was paid for it.

Whoever left the booking, and whatever flight was cancelled of it, is here too: what each had paid is reckoned from who
was there at first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from core.db import ReadSession
from core.money import Money
from models import (
    Airport,
    Booking,
    BookingExtra,
    BookingLine,
    BookingSegment,
    CancellationQuote,
    CancellationRule,
    ChargeBasis,
    Extra,
    FareFamily,
    Flight,
    FlightStatus,
    Passenger,
    SeatAssignment,
)
from services import fares, idempotency

LEFT = frozenset({FlightStatus.DEPARTED, FlightStatus.IN_FLIGHT, FlightStatus.LANDED, FlightStatus.DIVERTED})


@dataclass(frozen=True, kw_only=True)
class Trip:
    """A flight of a booking with the rules under which it was sold, and the countries it begins and ends in.

    `given_up` tells that the booking was cancelled in part, and nobody of it flies this one.
    """

    flight: Flight
    family: FareFamily
    countries: frozenset[str]
    given_up: bool

    @property
    def slot_id(self) -> int:
        """Its slot."""
        return self.flight.slot_id

    @property
    def departs_at(self) -> datetime:
        """When it left, or is expected to."""
        flight = self.flight
        return flight.actual_departure_at or flight.estimated_departure_at or flight.departs_at

    @property
    def cancelled(self) -> bool:
        """Whether the airline won't fly it."""
        return self.flight.status is FlightStatus.CANCELLED

    def has_left(self, moment: datetime) -> bool:
        """Whether it is too late for it, at that moment."""
        return not self.cancelled and (self.flight.status in LEFT or self.departs_at <= moment)


@dataclass(frozen=True, kw_only=True)
class Journey:
    """A booking's people, flights and price. `seats` are by (passenger, slot), charges by the label of their lines.

    `before` is what was paid for the parts that left earlier, but for extras, by the rule that was applied to them.
    `bound` are those of the extras that are not refundable.
    """

    booking: Booking
    passengers: Sequence[Passenger]
    trips: Sequence[Trip]
    lines: Sequence[BookingLine]
    seats: Mapping[tuple[UUID, int], str]
    extras: Sequence[BookingExtra]
    bound: Set[UUID] = frozenset()
    charges: Mapping[str, ChargeBasis]
    before: Mapping[CancellationRule, Money]

    @property
    def travelling(self) -> Sequence[Passenger]:
        """Who has not left it, in the order in which they were named."""
        return [one for one in self.passengers if one.cancelled_at is None]

    @property
    def flying(self) -> Sequence[Trip]:
        """The flights that have not been cancelled of it, in the order of travel."""
        return [one for one in self.trips if not one.given_up]

    def basis(self, moment: datetime) -> bytes:
        """The fingerprint of all on which a quote depends: a booking with another has changed. A flight that has left
        by that moment is nobody's to cancel any more, and each seat and each extra has a price of its own.
        """
        people = [passenger.id for passenger in self.travelling]
        flights = [[trip.slot_id, trip.family.code, trip.has_left(moment)] for trip in self.flying]
        cells = product(people, (trip.slot_id for trip in self.flying))
        places = [[*cell, self.seats[cell]] for cell in cells if cell in self.seats]
        beside = [[one.id, one.quantity, one.status] for one in self.extras]
        return idempotency.fingerprint([self.booking.status, self.booking.total, people, flights, places, beside])


async def journey_of(session: ReadSession, booking: Booking) -> Journey:
    """The journey of a booking as it is now."""
    people = select(Passenger).where(Passenger.booking_id == booking.id).order_by(Passenger.ordinal)
    lines = select(BookingLine).where(BookingLine.booking_id == booking.id).order_by(BookingLine.ordinal)
    passengers = (await session.scalars(people.execution_options(populate_existing=True))).all()
    had = select(BookingExtra).where(BookingExtra.booking_id == booking.id).order_by(BookingExtra.id)
    beside = (await session.scalars(had.execution_options(populate_existing=True))).all()
    return Journey(
        booking=booking,
        passengers=passengers,
        trips=await trips_of(session, booking.id),
        lines=(await session.scalars(lines.execution_options(populate_existing=True))).all(),
        seats=await seats_of(session, [one.id for one in passengers]),
        extras=beside,
        bound=await bound_of(session, beside),
        charges={charge.label: charge.basis for charge in await fares.charges(session)},
        before=await before_of(session, booking),
    )


async def trips_of(session: ReadSession, booking_id: UUID) -> Sequence[Trip]:
    """The flights of a booking, in the order of travel."""
    origin, destination = aliased(Airport), aliased(Airport)
    found = await session.execute(
        select(Flight, FareFamily, BookingSegment.cancelled_at, origin.country, destination.country)
        .join(BookingSegment, BookingSegment.slot_id == Flight.slot_id)
        .join(FareFamily, FareFamily.code == BookingSegment.family_code)
        .join(origin, origin.iata_code == Flight.origin_code)
        .join(destination, destination.iata_code == Flight.destination_code)
        .where(BookingSegment.booking_id == booking_id)
        .order_by(BookingSegment.ordinal)
    )
    return [
        Trip(flight=flight, family=family, countries=frozenset(countries), given_up=cancelled_at is not None)
        for flight, family, cancelled_at, *countries in found
    ]


async def seats_of(session: ReadSession, passenger_ids: Sequence[UUID]) -> dict[tuple[UUID, int], str]:
    """The seats that passengers have chosen, by (passenger, slot)."""
    chosen = select(SeatAssignment).where(
        SeatAssignment.passenger_id.in_(passenger_ids), SeatAssignment.unit.is_not(None)
    )
    return {(one.passenger_id, one.slot_id): one.unit or "" for one in await session.scalars(chosen)}


async def bound_of(session: ReadSession, beside: Sequence[BookingExtra]) -> Set[UUID]:
    """Those of a booking's extras whose price does not come back."""
    if not beside:
        return frozenset()
    kinds = select(Extra.id).where(Extra.id.in_({one.extra_id for one in beside}), Extra.refundable.is_(False))
    found = set(await session.scalars(kinds))
    return {one.id for one in beside if one.extra_id in found}


async def before_of(session: ReadSession, booking: Booking) -> dict[CancellationRule, Money]:
    """What was paid for what left the booking earlier, but for extras, by rule."""
    paid = func.sum(CancellationQuote.refund + CancellationQuote.fee - CancellationQuote.extras)
    used = select(CancellationQuote.rule, paid).where(
        CancellationQuote.booking_id == booking.id, CancellationQuote.used_at.is_not(None)
    )
    found = await session.execute(used.group_by(CancellationQuote.rule))
    return {rule: Money(int(amount), booking.currency) for rule, amount in found}
