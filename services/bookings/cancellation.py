"""Cancelling, whole or in part: first what comes back, kept at that for a quarter of an hour; then it is done.

Seats return to everybody at once. The money follows: the refund is written with the cancellation, and the gateway is
asked for it afterwards, by the request or by a job. A booking that is not paid yet is abandoned in the same way, and
only as a whole. One that was cancelled in part stays CONFIRMED with who and what is left, at what those have paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, update

from core.db import Database, Session
from core.errors import Conflict, NotFound
from core.log import logger
from core.money import Money
from core.states import WrongState
from models import (
    Booking,
    BookingExtra,
    BookingLine,
    BookingSegment,
    BookingStatus,
    CancellationQuote,
    CancellationRule,
    ExtraStatus,
    Passenger,
    PostingKind,
    PriceLineKind,
    SeatAssignment,
    TicketStatus,
)
from services import extras, holds, idempotency, jobs, ledger, notices, outbox, payments, refunds, tickets
from services.bookings import purposes, reading, rows
from services.bookings.journey import Journey, journey_of
from services.bookings.parting import Part, Taken, part_of
from services.bookings.saga import advance
from services.bookings.terms import Case, Terms, returned_of_extras, terms
from services.gateways import Gateways, GatewayUnavailable
from services.holds import Owner
from services.transitions import Cause

QUOTE_LIFETIME = timedelta(minutes=15)

CANCELLED_LINES = {
    PriceLineKind.FARE: "fare",
    PriceLineKind.TAX: "taxes",
    PriceLineKind.FEE: "fees",
    PriceLineKind.SEAT: "seats",
    PriceLineKind.EXTRA: "extras",
    PriceLineKind.PROMOTION: "promotion",
}
"""How the line names what it takes off the price."""

log = logger("bookings")


class QuoteExpired(Conflict):
    """The quote is not good any more: QUOTE_EXPIRED by time or by a change of the booking, QUOTE_SPENT by its use."""

    default_code = "QUOTE_EXPIRED"


async def quote_cancellation(
    session: Session,
    booking: Booking,
    passenger_ids: Sequence[UUID] | None = None,
    slot_ids: Sequence[int] | None = None,
) -> CancellationQuote:
    """What cancelling now would give back, and why; good for fifteen minutes.

    Of a paid booking some of the passengers or some of the flights may be cancelled, with neither all of it. Raises
    PAYMENT_UNDER_WAY, FLIGHT_DEPARTED, MinorsAlone, Invalid (`passengerIds`, `flightIds`), and WrongState for a booking
    that is over, or not paid and to be cancelled in part.
    """
    fresh = await session.get_one(Booking, booking.id, populate_existing=True)
    moment = await holds.now(session)
    check_cancellable(fresh)
    journey = await journey_of(session, fresh)
    part = part_of(journey, passenger_ids, slot_ids, moment)
    paid, answer = Money(0, fresh.currency), Terms(refund=Money(0, fresh.currency), rule=CancellationRule.NOT_PAID)
    if fresh.status is BookingStatus.CONFIRMED:
        paid, answer = part.paid, terms_of(journey, part, moment)
    elif not part.whole:
        raise WrongState("A booking that is not paid is abandoned as a whole.")
    quote = CancellationQuote(
        booking_id=fresh.id,
        passengers=[one.id for one in part.passengers] if part.gone else None,
        slots=part.slots if part.given_up and not part.whole else None,
        rule=answer.rule,
        refund=answer.refund.minor_units,
        fee=(paid - answer.refund).minor_units,
        extras=part.beside.minor_units if fresh.status is BookingStatus.CONFIRMED else 0,
        currency=fresh.currency,
        reason=answer.reason,
        basis=journey.basis(moment),
        created_at=moment,
        expires_at=moment + QUOTE_LIFETIME,
    )
    session.add(quote)
    await session.flush()
    return quote


def terms_of(journey: Journey, part: Part, moment: datetime) -> Terms:
    """What comes back of a part, and by which rule: of its fares, taxes, fees and seats, and of its extras."""
    answer = terms(case_of(journey, part, moment))
    return replace(answer, refund=answer.refund + returned_of_extras(answer.rule, part.beside, part.bound))


def case_of(journey: Journey, part: Part, moment: datetime) -> Case:
    """The facts on which the terms depend. The strictest family of the journey rules, and the largest fee.

    Once the airline has cancelled a flight of a journey, nobody is bound to the rest of it.
    """
    cancelled = any(trip.cancelled for trip in journey.flying) or CancellationRule.AIRLINE in journey.before
    return Case(
        paid=part.paid - part.beside,
        fee=Money(max(trip.family.cancellation_fee for trip in journey.trips), journey.booking.currency),
        refundable=all(trip.family.refundable for trip in journey.trips),
        in_us=any("US" in trip.countries for trip in journey.trips),
        flight_cancelled=cancelled,
        booked_at=journey.booking.created_at,
        departs_at=min(trip.departs_at for trip in part.trips),
        moment=moment,
        before=journey.before,
    )


def check_cancellable(booking: Booking) -> None:
    """Raises Conflict unless a booking in that state can be cancelled."""
    if booking.status is BookingStatus.PAYMENT_PENDING:
        raise Conflict("A payment for this booking is under way.", code="PAYMENT_UNDER_WAY")
    if not rows.BOOKING.allows(booking.status, BookingStatus.CANCELLED):
        raise WrongState(f"A booking that is {booking.status} cannot be cancelled.")


async def cancel(db: Database, gateways: Gateways, quote_id: UUID, booking_id: UUID, owner: Owner, key: str) -> Booking:
    """Cancel a booking, or a part of it, on the terms of a quote; the same request again: the booking as it is.

    Returns when that is cancelled and its seats are free, though the refund may still be on its way. Owns its
    transactions; whose the booking is has been checked before. Raises NotFound (the quote), QuoteExpired,
    PAYMENT_UNDER_WAY, SEATS_NOT_BOOKED for whoever has checked in, WrongState, holds.HoldExpired,
    idempotency.KeyReused; nothing changes then.
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
    """In one transaction: the quote is spent, what it is for cancelled, its refund requested, its seats given back."""
    held = await rows.holds_of(session, booking_id)
    await holds.lock_many(session, held)
    booking = await rows.locked(session, booking_id)
    moment = await holds.now(session)
    quote = await spend(session, quote_id, booking_id, moment)
    check_cancellable(booking)
    journey = await journey_of(session, booking)
    if quote.basis != journey.basis(moment):
        raise QuoteExpired("The booking has changed since this quote. Ask for a new one.")
    part = part_of(journey, quote.passengers, quote.slots, moment)
    if booking.status is not BookingStatus.CONFIRMED:
        await rows.move(session, booking, BookingStatus.CANCELLED, cause)
        await holds.release(session, booking.hold_id, cause, booked=True)
        return
    check_priced(quote, part)
    await purposes.end_amendments(session, booking_id, held, cause)
    if part.whole:
        await rows.move(session, booking, BookingStatus.CANCELLED, cause)
    else:
        await take_off(session, journey, part, moment)
    await pay_back(session, quote, cause)
    to = TicketStatus.REFUNDED if quote.refund else TicketStatus.VOID
    people = [one.id for one in part.passengers]
    await tickets.close(session, booking_id, to, cause, people, part.slots)
    places = await reading.places_of(session, booking_id, people, part.slots)
    await withdraw(session, journey, part, quote, cause)
    if not part.whole:
        await leave(session, booking, quote, part, cause)
    await holds.give_back(session, booking.hold_id, places.seats, places.unseated)


def check_priced(quote: CancellationQuote, part: Part) -> None:
    """Raises QuoteExpired unless a quote gives back and keeps just what the part takes off the price: how a price is
    split among people is reckoned anew, and staff may have changed the charges meanwhile."""
    if (quote.refund + quote.fee, quote.extras) != (part.paid.minor_units, part.beside.minor_units):
        raise QuoteExpired("Its price is split in another way since this quote. Ask for a new one.")


async def pay_back(session: Session, quote: CancellationQuote, cause: Cause) -> None:
    """Keep what the quote keeps, and request what it gives back; a job looks after it."""
    if quote.fee:
        await ledger.post(session, PostingKind.KEPT, quote.booking_id, quote.id, Money(quote.fee, quote.currency))
    refund = Money(quote.refund, quote.currency)
    if await refunds.give_back(session, quote.booking_id, refund, quote.reason, cause):
        await jobs.look_after(session, quote.booking_id, payments.RESCUE)


async def withdraw(session: Session, journey: Journey, part: Part, quote: CancellationQuote, cause: Cause) -> None:
    """Withdraw the extras of a part: REFUNDED where the quote gives their price back, VOID otherwise."""
    booking_id = journey.booking.id
    back = {one.id for one in part.extras if comes_back(one, journey, quote.rule)}
    await extras.close(session, booking_id, ExtraStatus.REFUNDED, cause, back)
    await extras.close(session, booking_id, ExtraStatus.VOID, cause, {one.id for one in part.extras} - back)


def comes_back(one: BookingExtra, journey: Journey, rule: CancellationRule) -> bool:
    """Whether the price of an extra that is withdrawn comes back by that rule."""
    price = Money(one.quantity * one.unit_amount, journey.booking.currency)
    bound = price if one.id in journey.bound else Money(0, price.currency)
    return price.minor_units > 0 and returned_of_extras(rule, price, bound) == price


async def take_off(session: Session, journey: Journey, part: Part, moment: datetime) -> None:
    """Take a part off a booking: its price, by a line for each kind and seat; who leaves it; what is flown no more."""
    booking, named = journey.booking, {trip.slot_id: trip.flight.designator for trip in journey.trips}
    next_line = max((line.ordinal for line in journey.lines), default=-1) + 1
    session.add_all(
        BookingLine(
            booking_id=booking.id,
            ordinal=ordinal,
            kind=taken.kind,
            label=" ".join(filter(None, ("Cancelled:", named.get(taken.slot_id or 0), what_of(taken)))),
            amount=-taken.amount.minor_units,
            slot_id=taken.slot_id,
            unit=taken.unit,
        )
        for ordinal, taken in enumerate(part.taken, next_line)
    )
    booking.total -= part.paid.minor_units
    await session.flush()
    await session.execute(update(Passenger).where(Passenger.id.in_(part.gone)).values(cancelled_at=moment))
    of_booking = BookingSegment.booking_id == booking.id
    flights = update(BookingSegment).where(of_booking, BookingSegment.slot_id.in_(part.given_up))
    await session.execute(flights.values(cancelled_at=moment))


def what_of(taken: Taken) -> str:
    """How a line names what it takes off."""
    return CANCELLED_LINES[taken.kind] if taken.unit is None else f"seat {taken.unit}"


async def leave(session: Session, booking: Booking, quote: CancellationQuote, part: Part, cause: Cause) -> None:
    """Tell that a part has left the booking, and that its places are nobody's of it."""
    people = [one.id for one in part.passengers]
    await session.execute(
        delete(SeatAssignment).where(SeatAssignment.passenger_id.in_(people), SeatAssignment.slot_id.in_(part.slots))
    )
    facts = rows.payload(booking) | {
        "quote": str(quote.id),
        "passengers": [str(id_) for id_ in part.gone],
        "slots": list(part.given_up),
        "refund": quote.refund,
        "fee": quote.fee,
        "actor": cause.actor,
        "reason": cause.reason,
    }
    await outbox.record(session, "booking.partly_cancelled", outbox.booking_stream(booking.id), facts)
    left = [f"{one.first_name} {one.last_name}" for one in part.passengers if part.gone]
    await notices.of_part(session, booking, left or [trip.flight.designator for trip in part.trips], quote.id)


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
