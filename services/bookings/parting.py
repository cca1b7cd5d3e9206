"""Who leaves a booking that is cancelled, from which flights, and what was paid for them; asks no database.

A booking has one journey for all who travel: either some of the people leave it, from every flight still ahead, or some
of the flights do, for everybody. The simple fare table prices each flight by itself, so any of them may be given up.

What was paid is told by the lines of the price. Each kind of line is split among those whom it is for: fares by what
the family asks of adults, children and infants; taxes and fees as they were reckoned, on the fare or a head; seats and
extras are their passenger's own. Whoever leaves last takes what is left, so no unit is ever lost or paid twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from uuid import UUID

from core.errors import Conflict, Invalid
from core.money import Money, add
from models import BookingExtra, BookingLine, ChargeBasis, ExtraStatus, Passenger, PassengerType, PriceLineKind
from services.bookings.journey import Journey, Trip

Cell = tuple[UUID, int]
"""A passenger on a flight, by its slot."""

ADULT = 10_000
"""What an adult pays of the fare, in basis points of it."""

FOR_THE_JOURNEY = (None, PriceLineKind.EXTRA)
"""Lines of extras that are sold once for the whole journey: insurance."""

MINORS = frozenset({PassengerType.CHILD, PassengerType.INFANT})


class MinorsAlone(Conflict):
    """Children would be left without an adult: they leave too, or an adult stays. `left` are those children."""

    default_code = "MINORS_ALONE"

    def __init__(self, left: Sequence[UUID]) -> None:
        super().__init__("Children do not travel without an adult of the booking.")
        self.left = tuple(left)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What was paid, of one kind of line, for what is cancelled on a flight; `slot_id` None: for the whole booking.

    Seats are told one by one by their `unit`, so that the price of one that is given up is not given back again when
    somebody else of the booking has had it.
    """

    slot_id: int | None
    kind: PriceLineKind
    amount: Money
    unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is cancelled: those passengers on those flights, with their extras. `whole`: nothing is left of the booking.

    `bound` is what was paid for those of the extras that are not refundable. `gone` are those of the passengers who
    leave it, `given_up` the flights that nobody of it flies any more.
    """

    passengers: Sequence[Passenger]
    trips: Sequence[Trip]
    taken: Sequence[Taken]
    gone: Sequence[UUID]
    given_up: Sequence[int]
    whole: bool
    paid: Money
    extras: Sequence[BookingExtra]
    bound: Money

    @property
    def beside(self) -> Money:
        """What was paid for its extras, of `paid`."""
        return add((one.amount for one in self.taken if one.kind is PriceLineKind.EXTRA), self.paid.currency)

    @property
    def slots(self) -> list[int]:
        """The flights, by their slots."""
        return [trip.slot_id for trip in self.trips]


def part_of(
    journey: Journey, passenger_ids: Sequence[UUID] | None, slot_ids: Sequence[int] | None, moment: datetime
) -> Part:
    """The part of a journey that is to be cancelled at that moment: some people, some flights, or with neither all.

    Infants leave with the adult on whose lap they sit. Raises Invalid for whoever or whatever is not of the booking any
    more, FLIGHT_DEPARTED, MinorsAlone.
    """
    if passenger_ids is not None and slot_ids is not None:
        raise Invalid("All passengers have one journey: name passengers or flights.", field="flightIds")
    people, trips = journey.travelling, journey.flying
    if passenger_ids is not None:
        people = chosen_people(journey, passenger_ids)
        ahead = [trip for trip in trips if not trip.has_left(moment)]
        trips = ahead or trips
    elif slot_ids is not None:
        trips = chosen_trips(journey, slot_ids)
    for trip in trips:
        if trip.has_left(moment):
            raise Conflict(f"{trip.flight.designator} has left.", code="FLIGHT_DEPARTED")
    everybody = len(people) == len(journey.travelling)
    leaving = set(product((one.id for one in people), (trip.slot_id for trip in trips)))
    taken = taken_from(journey, leaving)
    return Part(
        passengers=people,
        trips=trips,
        taken=taken,
        gone=[] if everybody else [one.id for one in people],
        given_up=[trip.slot_id for trip in trips] if everybody else [],
        whole=everybody and len(trips) == len(journey.flying),
        paid=add((one.amount for one in taken), journey.booking.currency),
        extras=(beside := extras_of(journey, leaving)),
        bound=Money(
            sum(one.quantity * one.unit_amount for one in beside if one.id in journey.bound), journey.booking.currency
        ),
    )


def extras_of(journey: Journey, leaving: Collection[Cell]) -> Sequence[BookingExtra]:
    """The extras that go with those passengers on those flights; those for the journey with who flies no more."""
    gone = {passenger for passenger, _ in lost_altogether(journey, leaving)}
    return [
        one
        for one in journey.extras
        if one.status is ExtraStatus.ISSUED
        and (one.passenger_id in gone if one.slot_id is None else (one.passenger_id, one.slot_id) in leaving)
    ]


def chosen_people(journey: Journey, ids: Sequence[UUID]) -> Sequence[Passenger]:
    """Those passengers with their infants; raises Invalid, MinorsAlone."""
    known = {one.id for one in journey.travelling}
    if not ids or not known.issuperset(ids):
        raise Invalid("Name passengers who travel on this booking.", field="passengerIds")
    laps = laps_of(journey.passengers)
    leaving = [one for one in journey.travelling if one.id in ids or laps.get(one.id) in ids]
    staying = [one for one in journey.travelling if one not in leaving]
    if staying and all(one.type in MINORS for one in staying) and any(one.type not in MINORS for one in leaving):
        raise MinorsAlone([one.id for one in staying])
    return leaving


def laps_of(passengers: Sequence[Passenger]) -> Mapping[UUID, UUID]:
    """By each infant the adult on whose lap it sits: the one it names, or else the first who has none."""
    named = {one.id: one.accompanied_by for one in passengers if one.accompanied_by is not None}
    free = (one.id for one in passengers if one.type is PassengerType.ADULT and one.id not in named.values())
    unnamed = (one.id for one in passengers if one.type is PassengerType.INFANT and one.id not in named)
    return {**named, **dict(zip(unnamed, free, strict=False))}


def chosen_trips(journey: Journey, slot_ids: Sequence[int]) -> Sequence[Trip]:
    """Those flights; raises Invalid."""
    chosen = [trip for trip in journey.flying if trip.slot_id in slot_ids]
    if not chosen or len(chosen) != len(set(slot_ids)):
        raise Invalid("Name flights of this booking.", field="flightIds")
    return chosen


def taken_from(journey: Journey, leaving: Collection[Cell]) -> Sequence[Taken]:
    """What was paid for those passengers on those flights, by flight, kind of line and seat, in the order of lines."""
    groups: dict[tuple[int | None, PriceLineKind], list[BookingLine]] = {}
    for line in journey.lines:
        groups.setdefault((line.slot_id, line.kind), []).append(line)
    taken = []
    for (slot_id, kind), lines in groups.items():
        total = Money(sum(line.amount for line in lines), journey.booking.currency)
        cells = [cell for cell in cells_of(journey) if slot_id in (None, cell[1])]
        parts = zip(cells, total.allocate(weights(journey, kind, lines, cells)), strict=True) if cells else ()
        lost = leaving if (slot_id, kind) != FOR_THE_JOURNEY else lost_altogether(journey, leaving)
        lost_parts = {cell: part for cell, part in parts if cell in lost}
        for unit, amount in by_unit(journey, kind, lines, lost_parts).items():
            if amount:
                taken.append(Taken(slot_id=slot_id, kind=kind, amount=Money(amount, total.currency), unit=unit))
    return taken


def by_unit(
    journey: Journey, kind: PriceLineKind, lines: Sequence[BookingLine], parts: Mapping[Cell, Money]
) -> Mapping[str | None, int]:
    """What was paid, in minor units, by seat: as far as lines charge that seat; the rest, and other kinds, by None."""
    charged = charges_of_seats(lines) if kind is PriceLineKind.SEAT else {}
    found: Counter[str | None] = Counter()
    for (passenger_id, slot_id), part in parts.items():
        unit = journey.seats.get((passenger_id, slot_id))
        of_seat = min(part.minor_units, charged.get((slot_id, unit), 0))
        found[unit] += of_seat
        found[None] += part.minor_units - of_seat
    return found


def charges_of_seats(lines: Iterable[BookingLine]) -> Mapping[tuple[int | None, str | None], int]:
    """What each seat costs, by slot and unit, once what was given back of it is taken off; never below nothing."""
    found: Counter[tuple[int | None, str | None]] = Counter()
    for line in lines:
        if line.unit is not None:
            found[line.slot_id, line.unit] += line.amount
    return +found


def lost_altogether(journey: Journey, leaving: Collection[Cell]) -> Collection[Cell]:
    """Those of the cells whose passengers have none that stays: what is sold for a journey lasts as long as it does."""
    staying = {passenger for passenger, _ in set(cells_of(journey)).difference(leaving)}
    return {cell for cell in leaving if cell[0] not in staying}


def cells_of(journey: Journey) -> list[Cell]:
    """Everybody who travels on every flight that is flown."""
    return list(product((one.id for one in journey.travelling), (trip.slot_id for trip in journey.flying)))


def weights(
    journey: Journey, kind: PriceLineKind, lines: Sequence[BookingLine], cells: Sequence[Cell]
) -> Sequence[int]:
    """How lines of one kind, for one flight or for the whole booking, are split among those passengers."""
    match kind:
        case PriceLineKind.FARE | PriceLineKind.PROMOTION:
            found = [fare_weight(journey, cell) for cell in cells]
        case PriceLineKind.TAX | PriceLineKind.FEE:
            found = charge_weights(journey, lines, cells)
        case PriceLineKind.SEAT:
            charged = charges_of_seats(lines)
            found = [charged.get((cell[1], journey.seats.get(cell)), 0) for cell in cells]
        case PriceLineKind.EXTRA:
            found = [extra_weight(journey, cell, lines[0].slot_id) for cell in cells]
    return found if any(found) else [1] * len(cells)


def fare_weight(journey: Journey, cell: Cell) -> int:
    """What a passenger pays of the fare of a flight, in basis points."""
    family = next(trip.family for trip in journey.trips if trip.slot_id == cell[1])
    shares = {
        PassengerType.ADULT: ADULT,
        PassengerType.CHILD: family.child_basis_points,
        PassengerType.INFANT: family.infant_basis_points,
    }
    return shares[type_of(journey, cell)]


def charge_weights(journey: Journey, lines: Iterable[BookingLine], cells: Sequence[Cell]) -> list[int]:
    """What those passengers paid of taxes and fees at first: each line as it was reckoned, unknown ones on the fare."""
    cells_then = list(product((one.id for one in journey.passengers), {cell[1] for cell in cells}))
    total = dict.fromkeys(cells_then, 0)
    for line in lines:
        per_head = journey.charges.get(line.label) is ChargeBasis.PASSENGER
        share: Callable[[Journey, Cell], int] = head_weight if per_head else fare_weight
        shares = [share(journey, cell) for cell in cells_then]
        if line.amount > 0 and any(shares):
            parts = Money(line.amount, journey.booking.currency).allocate(shares)
            for cell, part in zip(cells_then, parts, strict=True):
                total[cell] += part.minor_units
    return [total[cell] for cell in cells]


def head_weight(journey: Journey, cell: Cell) -> int:
    """Everybody with a seat counts as one."""
    return int(type_of(journey, cell) is not PassengerType.INFANT)


def extra_weight(journey: Journey, cell: Cell, slot_id: int | None) -> int:
    """What a passenger paid for the extras that they have on a flight, or, with none, for the whole journey.

    What lapsed was settled by then, with the line that charged it.
    """
    has = (one for one in journey.extras if one.status is ExtraStatus.ISSUED and one.passenger_id == cell[0])
    return sum(one.quantity * one.unit_amount for one in has if one.slot_id == slot_id)


def type_of(journey: Journey, cell: Cell) -> PassengerType:
    """As whom the passenger travels."""
    return next(one.type for one in journey.passengers if one.id == cell[0])
