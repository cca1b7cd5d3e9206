"""Extras that are given up alone, while the booking stays: their price comes back by their own rules, or they are kept.

What a passenger has of an extra is given up as a whole, for it has one document. Whatever the fare says of itself, the
price of a refundable extra comes back until twelve hours before the departure of its flight, or of the journey's first;
by the 24-hour rule, or where the airline cancels, that of every extra.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from core.db import Session
from core.errors import Conflict, Invalid
from core.keys import Keyring
from core.money import Money
from models import AmendmentKind, CancellationRule, PriceLineKind
from services.amendments.drafts import Draft, Given
from services.amendments.picture import Picture, check_open
from services.amendments.pricing import case_of
from services.bookings.journey import before_of
from services.bookings.terms import returned_of_extras, rule_of
from services.extras import ExtraClosed, Owned
from services.fares import PriceLine
from services.offers import Charged

FIELD = "giveUpExtras"


@dataclass(frozen=True, kw_only=True)
class GiveUpExtras:
    """Extras that passengers have, by their keys, and are not to have any more."""

    ids: tuple[UUID, ...]


class Fewer:
    """`drafts.Kind`: extras that are given up."""

    kind = AmendmentKind.EXTRAS_GIVEN_UP

    async def draft(self, session: Session, keyring: Keyring, picture: Picture, wish: GiveUpExtras) -> Draft:
        """Raises Invalid, EXTRA_NOT_REFUNDABLE, extras.ExtraClosed, and as `check_open`."""
        chosen = chosen_from(picture, wish)
        slots = sorted({slot_id for one in chosen for slot_id in flights_of(picture, one)})
        await check_open(session, picture, slots)
        released = await is_released(session, picture)
        for one in chosen:
            check_comes_back(picture, one, released=released)
        return Draft(
            change={
                "slots": slots,
                "extras": [str(one.id) for one in chosen],
                "told": [told(picture, one) for one in chosen],
            },
            removed=[],
            added=[line(picture, one) for one in chosen],
            fee=Money(0, picture.booking.currency),
            reason="All of the price of these extras is given back.",
            in_full=True,
        )

    def classes(self, change: Mapping[str, Any]) -> Mapping[int, str]:
        """None: booking classes count seats."""
        return {}

    async def apply(self, session: Session, picture: Picture, change: Mapping[str, Any]) -> Given:
        """The passengers have them no more. What had cost nothing is worth nothing, as in a cancellation."""
        gone = [one for one in picture.extras if str(one.id) in change["extras"]]
        return Given(extras=gone, back=[one.id for one in gone if one.amount.minor_units])


def chosen_from(picture: Picture, wish: GiveUpExtras) -> Sequence[Owned]:
    """Those extras; raises Invalid for any that nobody who travels has on a flight of the booking, or not any more."""
    people, slots = {one.id for one in picture.people}, {None, *(trip.slot_id for trip in picture.trips)}
    had = [one for one in picture.extras if one.passenger_id in people and one.slot_id in slots]
    chosen = [one for one in had if one.id in wish.ids]
    if not chosen or len(chosen) != len(wish.ids):
        raise Invalid("Name extras that passengers of this booking have, each once.", field=FIELD)
    return chosen


def flights_of(picture: Picture, one: Owned) -> Sequence[int]:
    """The flights on which an extra is used, by their slots; all that are flown, where it is for the journey."""
    return [trip.slot_id for trip in picture.trips] if one.slot_id is None else [one.slot_id]


async def is_released(session: Session, picture: Picture) -> bool:
    """Whether the airline has cancelled a flight of the journey, be it one that has been given up by now."""
    if any(trip.cancelled for trip in picture.trips):
        return True
    return CancellationRule.AIRLINE in await before_of(session, picture.booking)


def check_comes_back(picture: Picture, one: Owned, *, released: bool) -> None:
    """Raises Conflict unless all of the price of an extra comes back now: nobody gives up something for nothing.

    `released`: nobody is bound to the journey any more, as in a cancellation.
    """
    case = replace(case_of(picture, flights_of(picture, one)), flight_cancelled=released, refundable=True)
    nothing = Money(0, one.amount.currency)
    rule = rule_of(case)
    if returned_of_extras(rule, one.amount, nothing if one.refundable else one.amount) == one.amount:
        return
    if rule is CancellationRule.TOO_LATE:
        raise ExtraClosed(f"Less than 12 hours before departure nothing comes back of {one.name}.")
    raise Conflict(f"The price of {one.name} does not come back.", code="EXTRA_NOT_REFUNDABLE")


def line(picture: Picture, one: Owned) -> Charged:
    """What takes the price of an extra off that of its flight, or of the booking."""
    label = f"Given up: {one.quantity} × {one.name}{where(picture, one, ', ')}"
    return Charged(
        PriceLine(kind=PriceLineKind.EXTRA, label=label, amount=Money(0, one.amount.currency) - one.amount), one.slot_id
    )


def told(picture: Picture, one: Owned) -> list[str]:
    """What somebody has no more, in words."""
    person = next(person for person in picture.people if person.id == one.passenger_id)
    what = f"{one.name}{where(picture, one, ' on ')} for {person.first_name} {person.last_name}"
    return [what, f"{one.quantity}", "given up"]


def where(picture: Picture, one: Owned, before: str) -> str:
    """The flight that an extra is for, behind those letters; nothing where it is for the journey."""
    return "".join(f"{before}{trip.flight.designator}" for trip in picture.trips_on([one.slot_id or 0]))
