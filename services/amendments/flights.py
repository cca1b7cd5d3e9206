"""Another flight, or another day: an offer with a hold of its seats takes the place of some or all of the flights.

The offer is priced as any that is booked: its price is kept until it expires. It goes from where the replaced flights
began to where they ended, in the same currency, for the same people. Those flights must follow one another, and the
journey stays in order of time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select

from core.db import ReadSession, Session
from core.errors import Conflict, Invalid
from core.keys import Keyring
from core.money import Money, add
from models import AmendmentKind, BookingSegment, Cabin, Flight, Passenger, PassengerType, SeatAssignment
from services import offers
from services.amendments.drafts import Draft, Given, SeatWish, held
from services.amendments.picture import Picture, check_open
from services.amendments.pricing import free
from services.bookings import rules
from services.bookings.rules import PassengerDetails, SeatChoice
from services.itineraries.combining import BETWEEN
from services.offers import Offer

SEGMENT = ("slot_id", "cabin", "booking_class", "family_code")
"""The columns of a flight of the booking that say what was sold."""


@dataclass(frozen=True, kw_only=True)
class ChangeFlights:
    """Other flights: those of an offer, by its token, instead of those of `replaces`, by slot; of all, with none."""

    offer_token: str
    hold_id: UUID
    replaces: tuple[int, ...]
    seats: tuple[SeatWish, ...]


class Flights:
    """`drafts.Kind`: other flights."""

    kind = AmendmentKind.FLIGHT

    async def draft(self, session: Session, keyring: Keyring, picture: Picture, wish: ChangeFlights) -> Draft:
        """Raises offers.PriceChanged, INVALID_OFFER, NOT_CHANGEABLE, OTHER_JOURNEY, PASSENGERS_DO_NOT_MATCH, and what
        `check_open` and `rules.check_seats` raise."""
        offer = offers.read(keyring, wish.offer_token)
        replaced = replaced_by(picture, wish.replaces)
        slots = [one.slot_id for one in replaced]
        await check_open(session, picture, slots)
        check_rules(picture, slots)
        check_offer(picture, replaced, offer)
        await offers.check(session, keyring, offer)
        journey = await journey_with(session, picture, replaced, offer)
        check_order(journey)
        check_ages(picture.people, journey[0].local_date)
        hold, items = await held(session, wish.hold_id)
        check_places(picture, offer, wish.seats, items)
        units = [(item.slot_id, unit) for item in items for unit in item.units]
        trips = picture.trips_on(slots)
        lapsing = [one for one in picture.extras if one.slot_id in slots]
        lost = [] if free(picture, slots) else [one for one in lapsing if not one.refundable]
        forfeit = add((one.amount for one in lost), picture.booking.currency)
        return Draft(
            change={
                "slots": slots,
                "segments": [[getattr(one, name) for name in SEGMENT] for one in offer.segments],
                "seats": [[str(one.passenger_id), one.slot_id, one.unit] for one in wish.seats if one.unit],
                "back": [str(one.id) for one in lapsing if one not in lost],
                "told": [told([trip.flight for trip in trips], journey, offer)],
            },
            removed=[line for line in picture.lines if line.slot_id in slots],
            added=[*offers.by_flight(offer), *await offers.seat_lines(session, units)],
            fee=Money(max(trip.family.change_fee for trip in trips), picture.booking.currency),
            reason="The fare asks a fee for a change.",
            forfeit=forfeit if forfeit.minor_units else None,
            hold=hold,
        )

    def classes(self, change: Mapping[str, Any]) -> Mapping[int, str]:
        """Those of the offer."""
        return {slot_id: booking_class for slot_id, _, booking_class, _ in change["segments"]}

    async def apply(self, session: Session, picture: Picture, change: Mapping[str, Any]) -> Given:
        """The flights and places of the booking are the new ones."""
        gone: Sequence[int] = change["slots"]
        people = [one.id for one in picture.people]
        at = [one.slot_id for one in picture.segments].index(gone[0])
        kept = [segment_row(one) for one in picture.segments if one.slot_id not in gone]
        new = [dict(zip(SEGMENT, one, strict=True)) for one in change["segments"]]
        await write_segments(session, picture, [*kept[:at], *new, *kept[at:]])
        await session.execute(
            delete(SeatAssignment).where(SeatAssignment.passenger_id.in_(people), SeatAssignment.slot_id.in_(gone))
        )
        await session.execute(insert(SeatAssignment), place_rows(picture.people, change))
        return Given(
            places=[one for one in picture.places if one.slot_id in gone],
            extras=[one for one in picture.extras if one.slot_id in gone],
            back=[UUID(id_) for id_ in change["back"]],
            slots=gone,
        )


def replaced_by(picture: Picture, wanted: Sequence[int]) -> Sequence[BookingSegment]:
    """The flights that are to be replaced, all where none is named; raises Invalid unless they follow one another."""
    if not wanted:
        return picture.segments
    known = [one.slot_id for one in picture.segments]
    if not set(wanted) <= set(known):
        raise Invalid("Name flights of this booking.", field="flights.replaces")
    first = min(known.index(slot_id) for slot_id in wanted)
    chosen = picture.segments[first : first + len(set(wanted))]
    if {one.slot_id for one in chosen} != set(wanted):
        raise Invalid("Flights that are changed together follow one another.", field="flights.replaces")
    return chosen


def check_rules(picture: Picture, slots: Sequence[int]) -> None:
    """Raises NOT_CHANGEABLE where the fare of one of those flights allows none, unless the airline won't fly it."""
    for trip in picture.trips_on(slots):
        if not trip.family.changeable and not trip.cancelled:
            raise Conflict(f"The fare {trip.family.name} cannot be changed.", code="NOT_CHANGEABLE")


def check_offer(picture: Picture, replaced: Sequence[BookingSegment], offer: Offer) -> None:
    """The offer is for the booking's people and in its currency, and is another than what is booked."""
    if offer.party != picture.party:
        raise Conflict("The offer was made for other passengers.", code="PASSENGERS_DO_NOT_MATCH")
    if offer.currency != picture.booking.currency:
        raise Conflict(f"This booking was paid in {picture.booking.currency}.", code="OTHER_JOURNEY")
    before = [(one.slot_id, one.family_code) for one in replaced]
    if before == [(one.slot_id, one.family_code) for one in offer.segments]:
        raise Invalid("This is what is booked.", field="flights.offerId")
    kept = {one.slot_id for one in picture.segments} - {one.slot_id for one in replaced}
    if kept & {one.slot_id for one in offer.segments}:
        raise Invalid("A flight of this offer is booked already.", field="flights.offerId")


async def journey_with(
    session: ReadSession, picture: Picture, replaced: Sequence[BookingSegment], offer: Offer
) -> list[Flight]:
    """The flights of the booking after the change, in order; raises OTHER_JOURNEY where they go elsewhere."""
    found = await offers.flights_of(session, offer)
    new = [found[one.slot_id] for one in offer.segments]
    old = [trip.flight for trip in picture.trips_on([one.slot_id for one in replaced])]
    if (new[0].origin_code, new[-1].destination_code) != (old[0].origin_code, old[-1].destination_code):
        raise Conflict("The offer goes from or to another place.", code="OTHER_JOURNEY")
    at = [trip.flight.slot_id for trip in picture.trips].index(old[0].slot_id)
    flights = [trip.flight for trip in picture.trips]
    return [*flights[:at], *new, *flights[at + len(old) :]]


def check_order(journey: Sequence[Flight]) -> None:
    """Raises OTHER_JOURNEY where there is no time to change from one flight to the next."""
    for before, after in pairwise(journey):
        if after.departs_at < before.arrives_at + BETWEEN:
            message = f"{after.designator} would leave within an hour of when {before.designator} arrives, or before."
            raise Conflict(message, code="OTHER_JOURNEY")


def check_ages(people: Sequence[Passenger], day: date) -> None:
    """Everybody still travels as who they were priced, by their age on the day on which the journey begins."""
    for one in people:
        age = rules.age_on(one.date_of_birth, day)
        if rules.type_of(age) is not one.type:
            message = f"By then {one.first_name} {one.last_name} is {age} and travels as {rules.type_of(age)}."
            raise Conflict(message, code="PASSENGERS_DO_NOT_MATCH")


def check_places(picture: Picture, offer: Offer, seats: Sequence[SeatWish], items: Sequence[Any]) -> None:
    """The hold keeps a place for each passenger on each new flight, and nothing else: see `rules.check_seats`."""
    known = {one.id for one in picture.people}
    if not {one.passenger_id for one in seats} <= known:
        raise Invalid("Name passengers of this booking.", field="flights.seats")
    details = [
        PassengerDetails(
            type=one.type,
            title=one.title,
            first_name=one.first_name,
            last_name=one.last_name,
            date_of_birth=one.date_of_birth,
            seats=tuple(
                SeatChoice(slot_id=seat.slot_id, unit=seat.unit) for seat in seats if seat.passenger_id == one.id
            ),
        )
        for one in picture.people
    ]
    cabins = {one.slot_id: one.cabin for one in offer.segments}
    kept = {(item.slot_id, unit): item.pool for item in items for unit in item.units}
    unseated = {(item.slot_id, item.pool): item.quantity - len(item.units) for item in items}
    try:
        rules.check_seats(details, cabins, kept, unseated)
    except Invalid as refusal:
        raise Invalid(refusal.message, field="flights.seats", code=refusal.code) from None


def told(before: Sequence[Flight], journey: Sequence[Flight], offer: Offer) -> list[str]:
    """The flights before and after, in words."""
    new = {one.slot_id for one in offer.segments}
    return ["flights", flights_in_words(before), flights_in_words([one for one in journey if one.slot_id in new])]


def flights_in_words(flights: Sequence[Flight]) -> str:
    """Designators and local dates: `UA1 on 2026-12-01, UA7 on 2026-12-02`."""
    return ", ".join(f"{one.designator} on {one.local_date}" for one in flights)


def segment_row(segment: BookingSegment) -> dict[str, Any]:
    """What stays of a flight of the booking, whatever its place in the order."""
    return {name: getattr(segment, name) for name in SEGMENT}


async def write_segments(session: Session, picture: Picture, segments: Sequence[Mapping[str, Any]]) -> None:
    """Have the booking fly those, in that order; what was cancelled of it before stays, behind them."""
    of_booking = BookingSegment.booking_id == picture.booking.id
    chosen = select(BookingSegment).where(of_booking, BookingSegment.cancelled_at.is_not(None))
    left = (await session.scalars(chosen.order_by(BookingSegment.ordinal))).all()
    gone = [{**segment_row(one), "cancelled_at": one.cancelled_at} for one in left]
    await session.execute(delete(BookingSegment).where(of_booking))
    rows: list[dict[str, Any]] = [{**one, "cancelled_at": None} for one in segments]
    numbered = [
        {**row, "booking_id": picture.booking.id, "ordinal": ordinal} for ordinal, row in enumerate([*rows, *gone])
    ]
    await session.execute(insert(BookingSegment), numbered)


def place_rows(people: Sequence[Passenger], change: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A place for everybody who takes one on every new flight, with the seat that they chose, if any."""
    units = {(UUID(passenger), slot_id): unit for passenger, slot_id, unit in change["seats"]}
    return [
        {
            "passenger_id": one.id,
            "slot_id": slot_id,
            "pool": Cabin(cabin),
            "unit": units.get((one.id, slot_id)),
        }
        for one in people
        if one.type is not PassengerType.INFANT
        for slot_id, cabin, _, _ in change["segments"]
    ]
