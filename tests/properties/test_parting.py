"""A booking that is cancelled bit by bit gives back what it would have given at once, and never more than was paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from core.ids import uuid7
from core.money import Money
from models import (
    Booking,
    BookingLine,
    BookingStatus,
    CancellationRule,
    ChargeBasis,
    FareFamily,
    Flight,
    FlightStatus,
    Passenger,
    PassengerType,
    PriceLineKind,
)
from services.bookings.cancellation import case_of
from services.bookings.journey import Journey, Trip
from services.bookings.parting import Part, part_of
from services.bookings.terms import terms

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHARGES = {"Tax": ChargeBasis.FARE, "Fee": ChargeBasis.PASSENGER}
Bit = tuple[Sequence[UUID] | None, Sequence[int] | None]


def money(amount: int) -> Money:
    return Money(amount, "USD")


@st.composite
def journeys(draw: Any, *, one_moment: bool) -> Journey:
    """A paid booking of a few people on a few flights; with `one_moment` all flights leave at the same time."""
    adults = draw(st.integers(1, 4))
    infants = draw(st.integers(0, adults))
    types = [PassengerType.ADULT] * adults + [PassengerType.CHILD] * draw(st.integers(0, 3))
    types += [PassengerType.INFANT] * infants
    passengers = [Passenger(id=uuid7(), ordinal=n, type=type_) for n, type_ in enumerate(types)]
    together = draw(st.integers(1, 400))
    trips, lines, seats = [], [], {}
    for slot_id in range(1, draw(st.integers(1, 3)) + 1):
        hours = together if one_moment else draw(st.integers(1, 400))
        trips.append(trip(draw, slot_id, hours))
        amounts = [(PriceLineKind.FARE, "fare"), (PriceLineKind.TAX, "Tax"), (PriceLineKind.FEE, "Fee")]
        lines += [
            BookingLine(kind=kind, label=label, amount=draw(st.integers(0, 99_999)), slot_id=slot_id)
            for kind, label in amounts
        ]
        for number, one in enumerate(passengers):
            if one.type is not PassengerType.INFANT:
                seats[one.id, slot_id] = f"{number}A"
                if draw(st.booleans()):
                    line = {"kind": PriceLineKind.SEAT, "label": "Seat", "amount": draw(st.integers(1, 5_000))}
                    lines.append(BookingLine(**line, slot_id=slot_id, unit=f"{number}A"))
    booking = Booking(
        id=uuid7(),
        status=BookingStatus.CONFIRMED,
        total=sum(line.amount for line in lines),
        currency="USD",
        created_at=NOW - timedelta(hours=draw(st.integers(0, 60))),
    )
    return Journey(
        booking=booking,
        passengers=passengers,
        trips=trips,
        lines=lines,
        seats=seats,
        extras=[],
        charges=CHARGES,
        before={},
    )


def trip(draw: Any, slot_id: int, hours: int) -> Trip:
    """A flight that leaves in so many hours."""
    family = FareFamily(
        code="FLEX",
        refundable=draw(st.sampled_from([True, True, True, False])),
        cancellation_fee=draw(st.integers(0, 20_000)),
        child_basis_points=7_500,
        infant_basis_points=1_000,
    )
    flight = Flight(slot_id=slot_id, status=FlightStatus.SCHEDULED, departs_at=NOW + timedelta(hours=hours))
    countries = frozenset({draw(st.sampled_from(["US", "DE"]))})
    return Trip(flight=flight, family=family, countries=countries, given_up=False)


def bits_of(data: st.DataObject, journey: Journey) -> Bit:
    """Some adults and children, whoever of them may go, or some of the flights, or all that is left."""
    adults = [one for one in journey.travelling if one.type is PassengerType.ADULT]
    children = [one for one in journey.travelling if one.type is PassengerType.CHILD]
    way = data.draw(st.sampled_from(["people", "flights", "all"]))
    if way == "flights":
        slots = [one.slot_id for one in journey.flying]
        return None, data.draw(st.lists(st.sampled_from(slots), min_size=1, unique=True))
    if way == "all":
        return None, None
    chosen = data.draw(st.lists(st.sampled_from(adults + children), min_size=1, unique=True))
    if children and all(one in chosen for one in adults):
        chosen = [*adults, *children]
    return [one.id for one in chosen], None


def without(journey: Journey, part: Part, before: Mapping[CancellationRule, Money]) -> Journey:
    """The journey as it is once that part has left it."""
    for one in journey.passengers:
        if one.id in part.gone:
            one.cancelled_at = NOW
    lines = [
        BookingLine(
            kind=one.kind, label="Cancelled", amount=-one.amount.minor_units, slot_id=one.slot_id, unit=one.unit
        )
        for one in part.taken
    ]
    journey.booking.total -= part.paid.minor_units
    trips = [replace(one, given_up=one.given_up or one.slot_id in part.given_up) for one in journey.trips]
    return replace(journey, trips=trips, lines=[*journey.lines, *lines], before=before)


def cancel_all(data: st.DataObject, journey: Journey) -> tuple[list[int], list[int]]:
    """Cancel bit by bit until nothing is left: what each bit gave back, and what it had cost."""
    refunds, worths = [], []
    while True:
        part = part_of(journey, *bits_of(data, journey), NOW)
        answer = terms(case_of(journey, part, NOW))
        refunds.append(answer.refund.minor_units)
        worths.append(part.paid.minor_units)
        if part.whole:
            return refunds, worths
        before = dict(journey.before)
        before[answer.rule] = before.get(answer.rule, money(0)) + part.paid
        journey = without(journey, part, before)


@settings(max_examples=80, deadline=None)
@given(journey=journeys(one_moment=True), data=st.data())
def test_bit_by_bit_gives_back_what_at_once_would(journey: Journey, data: st.DataObject) -> None:
    total = journey.booking.total
    whole = part_of(journey, None, None, NOW)
    assert (whole.whole, whole.paid) == (True, money(total))
    at_once = terms(case_of(journey, whole, NOW)).refund.minor_units
    refunds, worths = cancel_all(data, journey)
    assert (sum(refunds), sum(worths)) == (at_once, total)


@settings(max_examples=80, deadline=None)
@given(journey=journeys(one_moment=False), data=st.data())
def test_no_bit_gives_back_more_than_it_cost(journey: Journey, data: st.DataObject) -> None:
    total = journey.booking.total
    refunds, worths = cancel_all(data, journey)
    assert sum(worths) == total
    assert all(0 <= refund <= worth for refund, worth in zip(refunds, worths, strict=True))


@settings(max_examples=80, deadline=None)
@given(journey=journeys(one_moment=True), data=st.data())
def test_infants_never_stay_alone(journey: Journey, data: st.DataObject) -> None:
    part = part_of(journey, *bits_of(data, journey), NOW)
    staying = [one for one in journey.travelling if one.id not in part.gone]
    infants, adults = (
        sum(one.type is type_ for one in staying) for type_ in (PassengerType.INFANT, PassengerType.ADULT)
    )
    assert infants <= adults
    assert part.paid.minor_units >= 0
