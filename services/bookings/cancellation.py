"""Cancelling: first what comes back, kept at that for a quarter of an hour; then it is done.

Seats return to everybody at once. The money follows: the refund is written with the cancellation, and the gateway is
asked for it afterwards, by the request or by a job. A booking that is not paid yet is abandoned in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.db import Database, ReadSession, Session
from core.errors import Conflict, NotFound
from core.log import logger
from core.money import Money
from core.states import WrongState
from models import (
    Airport,
    Booking,
    BookingSegment,
    BookingStatus,
    CancellationQuote,
    CancellationRule,
    FareFamily,
    Flight,
    FlightStatus,
    PostingKind,
    TicketStatus,
)
from services import holds, idempotency, jobs, ledger, payments, refunds, tickets
from services.bookings import reading, rows
from services.bookings.saga import advance
from services.bookings.terms import Case, Terms, terms
from services.gateways import Gateways, GatewayUnavailable
from services.holds import Owner
from services.transitions import Cause

QUOTE_LIFETIME = timedelta(minutes=15)
LEFT = frozenset({FlightStatus.DEPARTED, FlightStatus.IN_FLIGHT, FlightStatus.LANDED, FlightStatus.DIVERTED})

log = logger("bookings")


class QuoteExpired(Conflict):
    """The quote is not good any more: QUOTE_EXPIRED by time or by a change of the booking, QUOTE_SPENT by its use."""

    default_code = "QUOTE_EXPIRED"


@dataclass(frozen=True, kw_only=True)
class Trip:
    """A flight of a booking with the rules under which it was sold, and the countries it begins and ends in."""

    flight: Flight
    family: FareFamily
    countries: frozenset[str]

    @property
    def departs_at(self) -> datetime:
        """When it left, or is expected to."""
        flight = self.flight
        return flight.actual_departure_at or flight.estimated_departure_at or flight.departs_at

    @property
    def cancelled(self) -> bool:
        """Whether the airline won't fly it."""
        return self.flight.status is FlightStatus.CANCELLED


async def quote_cancellation(session: Session, booking: Booking) -> CancellationQuote:
    """What cancelling the booking now would give back, and why; good for fifteen minutes.

    Raises PAYMENT_UNDER_WAY, FLIGHT_DEPARTED, and WrongState for a booking that is over.
    """
    fresh = await session.get_one(Booking, booking.id, populate_existing=True)
    moment = await holds.now(session)
    trips = await trips_of(session, fresh.id)
    check_cancellable(fresh, trips, moment)
    paid = Money(await refunds.left_of(session, fresh.id), fresh.currency)
    answer = Terms(refund=Money(0, fresh.currency), rule=CancellationRule.NOT_PAID)
    if fresh.status is BookingStatus.CONFIRMED:
        answer = terms(case_of(fresh, trips, paid, moment))
    quote = CancellationQuote(
        booking_id=fresh.id,
        rule=answer.rule,
        refund=answer.refund.minor_units,
        fee=(paid - answer.refund).minor_units,
        currency=fresh.currency,
        reason=answer.reason,
        basis=b"",
        created_at=moment,
        expires_at=moment + QUOTE_LIFETIME,
    )
    session.add(quote)
    await session.flush()
    return quote


def case_of(booking: Booking, trips: Sequence[Trip], paid: Money, moment: datetime) -> Case:
    """The facts on which the terms depend. The strictest family of the journey rules, and the largest fee."""
    return Case(
        paid=paid,
        fee=Money(max(trip.family.cancellation_fee for trip in trips), booking.currency),
        refundable=all(trip.family.refundable for trip in trips),
        in_us=any("US" in trip.countries for trip in trips),
        flight_cancelled=any(trip.cancelled for trip in trips),
        booked_at=booking.created_at,
        departs_at=min(trip.departs_at for trip in trips),
        moment=moment,
    )


async def trips_of(session: ReadSession, booking_id: UUID) -> Sequence[Trip]:
    """The flights of a booking, in the order of travel."""
    origin, destination = aliased(Airport), aliased(Airport)
    found = await session.execute(
        select(Flight, FareFamily, origin.country, destination.country)
        .join(BookingSegment, BookingSegment.slot_id == Flight.slot_id)
        .join(FareFamily, FareFamily.code == BookingSegment.family_code)
        .join(origin, origin.iata_code == Flight.origin_code)
        .join(destination, destination.iata_code == Flight.destination_code)
        .where(BookingSegment.booking_id == booking_id)
        .order_by(BookingSegment.ordinal)
    )
    return [Trip(flight=flight, family=family, countries=frozenset(countries)) for flight, family, *countries in found]


def check_cancellable(booking: Booking, trips: Sequence[Trip], moment: datetime) -> None:
    """Raises Conflict unless the booking can be cancelled at that moment."""
    if booking.status is BookingStatus.PAYMENT_PENDING:
        raise Conflict("A payment for this booking is under way.", code="PAYMENT_UNDER_WAY")
    if not rows.BOOKING.allows(booking.status, BookingStatus.CANCELLED):
        raise WrongState(f"A booking that is {booking.status} cannot be cancelled.")
    for trip in trips:
        if not trip.cancelled and (trip.flight.status in LEFT or trip.departs_at <= moment):
            raise Conflict(f"{trip.flight.designator} has left.", code="FLIGHT_DEPARTED")


async def cancel(db: Database, gateways: Gateways, quote_id: UUID, booking_id: UUID, owner: Owner, key: str) -> Booking:
    """Cancel a booking on the terms of a quote; the same request again: the booking as it is.

    Returns when the booking is cancelled and its seats are free, though the refund may still be on its way. Owns its
    transactions; whose the booking is has been checked before. Raises NotFound (the quote), QuoteExpired,
    PAYMENT_UNDER_WAY, FLIGHT_DEPARTED, WrongState, holds.HoldExpired, idempotency.KeyReused; nothing changes then.
    """
    async with db.transaction() as session:
        print_ = idempotency.fingerprint([quote_id, booking_id])
        known = await idempotency.claim(session, owner.key, "cancelBooking", key, print_, booking_id)
        if known is None:
            await cancel_once(session, quote_id, booking_id, Cause(actor=owner.key, reason="cancelled by its owner"))
    try:
        await advance(db, gateways, booking_id)
    except GatewayUnavailable:
        log.warning("refund.delayed", booking=str(booking_id))
    async with db.transaction() as session:
        return await session.get_one(Booking, booking_id)


async def cancel_once(session: Session, quote_id: UUID, booking_id: UUID, cause: Cause) -> None:
    """In one transaction: the quote is spent, the booking cancelled, its refund requested, its seats given back."""
    await holds.lock(session, await rows.hold_of(session, booking_id))
    booking = await rows.locked(session, booking_id)
    moment = await holds.now(session)
    quote = await spend(session, quote_id, booking_id, moment)
    check_cancellable(booking, await trips_of(session, booking_id), moment)
    if quote.refund + quote.fee != await refunds.left_of(session, booking_id):
        raise QuoteExpired("The booking has changed since this quote. Ask for a new one.")
    was_paid = booking.status is BookingStatus.CONFIRMED
    await rows.move(session, booking, BookingStatus.CANCELLED, cause)
    if not was_paid:
        await holds.release(session, booking.hold_id, cause, booked=True)
        return
    if quote.fee:
        await ledger.post(session, PostingKind.KEPT, booking_id, quote.id, Money(quote.fee, quote.currency))
    refund = Money(quote.refund, quote.currency)
    if await refunds.give_back(session, booking_id, refund, quote.reason, cause):
        await jobs.look_after(session, booking_id, payments.RESCUE)
    await tickets.close(session, booking_id, TicketStatus.REFUNDED if quote.refund else TicketStatus.VOID, cause)
    places = await reading.places_of(session, booking_id)
    await holds.give_back(session, booking.hold_id, places.seats, places.unseated)


async def spend(session: Session, quote_id: UUID, booking_id: UUID, moment: datetime) -> CancellationQuote:
    """The booking's quote, locked and marked as used; raises NotFound and QuoteExpired."""
    quote = await session.get(CancellationQuote, quote_id, with_for_update=True)
    if quote is None or quote.booking_id != booking_id:
        raise NotFound("There is no such quote.")
    if quote.used_at is not None:
        raise QuoteExpired("This quote was used.", code="QUOTE_SPENT")
    if quote.expires_at <= moment:
        raise QuoteExpired("This quote has expired. Ask for a new one.")
    quote.used_at = moment
    await session.flush()
    return quote
