"""Another seat on a flight that is booked: it is held like any other, in the cabin that was sold.

A seat of its own price replaces the old one's. Whoever had no seat yet may choose one. The fare's rules ask no fee.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import update

from core.db import Session
from core.errors import Conflict, Invalid
from core.keys import Keyring
from core.money import Money
from models import AmendmentKind, HoldItem, PriceLineKind, SeatAssignment
from services import offers
from services.amendments.drafts import Draft, Given, SeatWish, held
from services.amendments.picture import Picture, check_open

FIELD = "seats.seats"

Moves = Sequence[tuple[SeatAssignment, str]]
"""Places, each with the seat that it is to be."""


@dataclass(frozen=True, kw_only=True)
class ChangeSeats:
    """Other seats, which a hold keeps, for some passengers on some of their flights."""

    hold_id: UUID
    seats: tuple[SeatWish, ...]


class Seats:
    """`drafts.Kind`: other seats."""

    kind = AmendmentKind.SEAT

    async def draft(self, session: Session, keyring: Keyring, picture: Picture, wish: ChangeSeats) -> Draft:
        """Raises SEAT_NOT_HELD, SEAT_GIVEN_TWICE, WRONG_CABIN, PASSENGERS_DO_NOT_MATCH, and as `check_open`."""
        hold, items = await held(session, wish.hold_id)
        moves = moves_of(picture, wish.seats)
        slots = sorted({place.slot_id for place, _ in moves})
        await check_open(session, picture, slots)
        check_held(moves, items)
        left = {(place.slot_id, place.unit) for place, _ in moves}
        return Draft(
            change={
                "slots": slots,
                "seats": [[str(place.passenger_id), place.slot_id, unit] for place, unit in moves],
                "told": [told(picture, place, unit) for place, unit in moves],
            },
            removed=[
                one for one in picture.lines if one.kind is PriceLineKind.SEAT and (one.slot_id, one.unit) in left
            ],
            added=await offers.seat_lines(session, [(place.slot_id, unit) for place, unit in moves]),
            fee=Money(0, picture.booking.currency),
            reason="Another seat costs no fee.",
            hold=hold,
        )

    def classes(self, change: Mapping[str, Any]) -> Mapping[int, str]:
        """None: the new seat counts where the old one did."""
        return {}

    async def apply(self, session: Session, picture: Picture, change: Mapping[str, Any]) -> Given:
        """Everybody sits in their new seat."""
        units = {(UUID(passenger), slot_id): unit for passenger, slot_id, unit in change["seats"]}
        left = []
        for place in picture.places:
            unit = units.get((place.passenger_id, place.slot_id))
            if unit is None:
                continue
            left.append(
                SeatAssignment(passenger_id=place.passenger_id, slot_id=place.slot_id, pool=place.pool, unit=place.unit)
            )
            mine = SeatAssignment.passenger_id == place.passenger_id, SeatAssignment.slot_id == place.slot_id
            await session.execute(update(SeatAssignment).where(*mine).values(unit=unit))
        return Given(places=left)


def moves_of(picture: Picture, seats: Sequence[SeatWish]) -> Moves:
    """The places that are to be other seats; raises Invalid for whoever has no place there, or keeps theirs."""
    places = {(one.passenger_id, one.slot_id): one for one in picture.places}
    keys = [(one.passenger_id, one.slot_id) for one in seats]
    if not keys or not set(keys) <= places.keys() or max(Counter(keys).values()) > 1:
        raise Invalid("Name passengers who have a place on a flight of this booking, each once.", field=FIELD)
    moves = [(places[one.passenger_id, one.slot_id], one.unit) for one in seats]
    chosen = [(place, unit) for place, unit in moves if unit is not None and unit != place.unit]
    if len(chosen) < len(moves):
        raise Invalid("Choose another seat for each of them.", field=FIELD)
    return chosen


def check_held(moves: Moves, items: Sequence[HoldItem]) -> None:
    """The hold keeps those seats, in the cabins that were sold, and nothing else."""
    kept = {(item.slot_id, unit): item.pool for item in items for unit in item.units}
    taken: set[tuple[int, str]] = set()
    for place, unit in moves:
        seat = place.slot_id, unit
        if seat not in kept:
            raise Invalid(f"The hold does not keep seat {unit}.", field=FIELD, code="SEAT_NOT_HELD")
        if kept[seat] != place.pool:
            raise Invalid(f"Seat {unit} is not in the cabin that is booked.", field=FIELD, code="WRONG_CABIN")
        if seat in taken:
            raise Invalid(f"Seat {unit} is given to two passengers.", field=FIELD, code="SEAT_GIVEN_TWICE")
        taken.add(seat)
    if sum(item.quantity for item in items) > len(taken):
        raise Conflict("The hold keeps more than these seats.", code="PASSENGERS_DO_NOT_MATCH")


def told(picture: Picture, place: SeatAssignment, unit: str) -> list[str]:
    """A seat before and after, in words."""
    person = next(one for one in picture.people if one.id == place.passenger_id)
    (trip,) = picture.trips_on([place.slot_id])
    what = f"seat of {person.first_name} {person.last_name} on {trip.flight.designator}"
    return [what, place.unit or "to be chosen", unit]
