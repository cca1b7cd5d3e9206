"""What a change costs, and how far one name is from another: true of whatever is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from core.money import Money
from models import BookingLine, PriceLineKind
from services.amendments.drafts import Draft
from services.amendments.names import distance
from services.amendments.picture import Picture
from services.amendments.pricing import Settled, settle
from services.fares import PriceLine
from services.offers import Charged

NOON = datetime(2026, 12, 15, 12, tzinfo=UTC)
NOTHING = Money(0, "USD")


@dataclass(frozen=True)
class Family:
    refundable: bool


@dataclass(frozen=True)
class Trip:
    family: Family
    departs_at: datetime
    cancelled: bool
    countries: frozenset[str]


@dataclass(frozen=True)
class Booking:
    currency: str
    created_at: datetime


@dataclass(frozen=True)
class Picked:
    """As much of a picture as prices need."""

    booking: Booking
    trips: list[Trip]
    moment: datetime = NOON
    lines: list[BookingLine] = field(default_factory=list)

    def trips_on(self, _: object) -> list[Trip]:
        return self.trips


def settled(
    old: int, new: int, fee: int, forfeit: int, hours: int, booked: int, refundable: bool, cancelled: bool, us: bool
) -> Settled:
    """What it comes to that `new` takes the place of `old`, so many hours before departure and after booking."""
    trip = Trip(Family(refundable), NOON + timedelta(hours=hours), cancelled, frozenset({"US" if us else "DE"}))
    picture = Picked(Booking("USD", NOON - timedelta(hours=booked)), [trip])
    fare = PriceLine(PriceLineKind.FARE, "new", Money(new, "USD"))
    draft = Draft(
        change={"slots": [1]},
        removed=[BookingLine(amount=old)],
        added=[Charged(fare, 1)],
        fee=Money(fee, "USD"),
        reason="",
        forfeit=Money(forfeit, "USD") if forfeit else None,
    )
    return settle(cast("Picture", picture), draft)


amounts = st.integers(0, 10**7)


@given(amounts, amounts, amounts, amounts, st.integers(2, 400), st.integers(0, 400), *[st.booleans()] * 3)
def test_a_change_adds_up_and_gives_back_no_more_than_it_leaves(
    old: int, new: int, fee: int, forfeit: int, hours: int, booked: int, refundable: bool, cancelled: bool, us: bool
) -> None:
    found = settled(old, new, fee, forfeit, hours, booked, refundable, cancelled, us)
    assert found.difference == Money(new - old, "USD")
    assert found.due == found.difference + found.penalty
    assert not found.penalty < NOTHING
    assert not found.due < Money(min(0, new - old), "USD")
    by_law = us and booked <= 24 and hours + booked >= 7 * 24
    if cancelled or by_law:
        assert found.penalty == Money(forfeit, "USD")
        return
    assert not found.penalty < Money(fee + forfeit, "USD")
    if not refundable or hours < 12:
        assert not found.due < NOTHING


@given(amounts, amounts, st.integers(25, 400), st.integers(25, 400))
def test_a_refundable_fare_gives_back_what_the_fee_leaves(old: int, new: int, hours: int, booked: int) -> None:
    found = settled(old, new, 30_00, 0, hours, booked, True, False, True)
    assert (found.penalty, found.due) == (Money(30_00, "USD"), Money(new - old + 30_00, "USD"))


letters = st.text("abcd", max_size=7)


@given(letters, letters)
def test_names_are_as_far_apart_either_way_and_never_further_than_the_longer(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one) <= max(len(one), len(other))
    assert (distance(one, other) == 0) is (one == other)


@given(letters, st.data())
def test_one_slip_of_the_pen_is_one_letter(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name)))
    assert distance(name, name[:at] + "x" + name[at:]) == 1
    if at < len(name):
        assert distance(name, name[:at] + name[at + 1 :]) == 1
        assert distance(name, name[:at] + "x" + name[at + 1 :]) == 1
    if at + 1 < len(name) and name[at] != name[at + 1]:
        assert distance(name, name[:at] + name[at + 1] + name[at] + name[at + 2 :]) == 1
