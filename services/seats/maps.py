"""The seat map of a flight as a shopper sees it: every seat where it stands, with its state and its charge.

What all flights of a layout have in common is made once and shared: a map of its own has only the seats that somebody
has, or had, and the rows and cabins around them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from core.money import Money
from core.rows import Reader, Written, row
from models import Cabin, SeatPosition, SeatStatus
from services import live
from services.seats.plans import Plan, Plans, Seat, Section
from services.seats.states import NOW, STATUSES, SeatState

MOST_BLANKS = 256
"""How many maps without claims a process keeps: one for each layout in use, and each table of charges."""

MOST_TAKEN = 16_384
"""How many seats that somebody has, or had, a process remembers as they are shown, in some megabytes."""


@row
class ShownSeat:
    """A seat as a shopper sees it: where it is, whether it is free, what it costs on top of the fare."""

    number: str
    column: str
    position: SeatPosition
    status: SeatStatus
    version: int
    extra_legroom: bool
    accessible: bool
    price: Money | None
    written: Written | None = field(default=None, repr=False, compare=False)


@row
class SeatRow:
    """A row of a cabin, from left to right."""

    number: int
    exit_row: bool
    seats: Sequence[ShownSeat]
    written: Written | None = field(default=None, repr=False, compare=False)


@row
class CabinMap:
    """A cabin, its rows from front to back."""

    cabin: Cabin
    columns: tuple[str, ...]
    aisles_after: tuple[str, ...]
    rows: Sequence[SeatRow]


@row
class SeatMap:
    """The seats of one flight at one moment; `cursor` is where live events go on from."""

    cursor: str
    cabins: Sequence[CabinMap]
    lasts: float | None = None
    """In how many seconds the first of the locks that it shows ends; None where it shows none."""


@dataclass(frozen=True, eq=False)
class Blank:
    """The cabins of a layout as nobody has ever taken a seat, and where among them each seat is: cabin, row, place."""

    cabins: tuple[CabinMap, ...]
    places: Mapping[str, tuple[int, int, int]]


MAP = f"""
    SELECT slots.id, slots.layout_id, ({live.HEAD}), units, statuses, versions,
           (SELECT array_agg(row(cabin, extra_legroom, currency) ORDER BY cabin) FROM seat_charges),
           extract(epoch FROM first_end - (SELECT jetway_now()))::float8
    FROM slots
    LEFT JOIN LATERAL (
        SELECT array_agg(unit) AS units, array_agg({NOW}) AS statuses, array_agg(version) AS versions,
               min(expires_at) FILTER (
                   WHERE status = 'LOCKED' AND expires_at > (SELECT jetway_now()) - interval '1 second') AS first_end
        FROM claims WHERE slot_id = slots.id
    ) taken ON true
    WHERE slots.id = ANY ($1::bigint[]) AND slots.layout_id IS NOT NULL"""  # noqa: S608 - our own columns


async def seat_map(reader: Reader, plans: Plans, slot_id: int) -> SeatMap | None:
    """The seat map of a flight; None where seats are not chosen on it."""
    return (await seat_maps(reader, plans, [slot_id])).get(slot_id)


async def seat_maps(reader: Reader, plans: Plans, slot_ids: Iterable[int]) -> dict[int, SeatMap]:
    """The seat maps of some flights, by slot; a flight on which seats are not chosen is left out.

    The cursor and the seats are of one snapshot: what changes later is told to whoever goes on from there.
    """
    found: dict[int, SeatMap] = {}
    for slot_id, layout_id, position, units, statuses, versions, charges, lasts in await reader.fetch(
        MAP, list(set(slot_ids))
    ):
        plan = await plans.get(reader, layout_id)
        blank = blank_map(plan, tuple(map(tuple, charges or ())))
        taken = zip(units, statuses, versions, strict=True) if units else ()
        found[slot_id] = SeatMap(cursor=live.cursor(position), cabins=filled(blank, taken), lasts=lasts)
    return found


@lru_cache(maxsize=MOST_BLANKS)
def blank_map(plan: Plan, charges: tuple[tuple[str, int, str], ...]) -> Blank:
    """The map of a layout without claims, at those charges: cabin, minor units, currency."""
    costs = {Cabin(cabin): Money(amount, currency).lasting() for cabin, amount, currency in charges}
    cabins = tuple(cabin_map(plan, section, {}, costs) for section in plan.sections)
    places = {
        seat.number: (index, behind, place)
        for index, cabin in enumerate(cabins)
        for behind, row_ in enumerate(cabin.rows)
        for place, seat in enumerate(row_.seats)
    }
    return Blank(cabins, places)


def filled(blank: Blank, taken: Iterable[tuple[str, str, int]]) -> Sequence[CabinMap]:
    """The cabins with those seats' states: unit, status, version. A unit that the layout has not is nowhere shown."""
    rows: dict[tuple[int, int], list[ShownSeat]] = {}
    for unit, status, version in taken:
        place = blank.places.get(unit)
        if place is None:
            continue
        cabin, behind, column = place
        seats = rows.get((cabin, behind))
        if seats is None:
            seats = rows[cabin, behind] = list(blank.cabins[cabin].rows[behind].seats)
        seats[column] = changed(blank, place, status, version)
    return with_rows(blank.cabins, rows) if rows else blank.cabins


@lru_cache(maxsize=MOST_TAKEN)
def changed(blank: Blank, place: tuple[int, int, int], status: str, version: int) -> ShownSeat:
    """The seat in that place with another state: it lasts until the seat changes again."""
    cabin, behind, column = place
    free = blank.cabins[cabin].rows[behind].seats[column]
    return ShownSeat(
        free.number,
        free.column,
        free.position,
        STATUSES[status],
        version,
        free.extra_legroom,
        free.accessible,
        free.price,
        {},
    )


def with_rows(cabins: Sequence[CabinMap], changed: Mapping[tuple[int, int], Sequence[ShownSeat]]) -> Sequence[CabinMap]:
    """The cabins with other seats in some of their rows, by cabin and row."""
    new = {index: list(cabins[index].rows) for index, _ in changed}
    for (index, behind), seats in changed.items():
        before = new[index][behind]
        new[index][behind] = SeatRow(before.number, before.exit_row, seats)
    return [
        CabinMap(one.cabin, one.columns, one.aisles_after, new[index]) if index in new else one
        for index, one in enumerate(cabins)
    ]


def cabin_map(plan: Plan, section: Section, taken: Mapping[str, SeatState], costs: Mapping[Cabin, Money]) -> CabinMap:
    """One cabin of a seat map."""
    cabin = Cabin(section.section)
    rows: dict[int, list[ShownSeat]] = {}
    exits = set()
    for seat in plan.seats.values():
        if seat.section == section.section:
            rows.setdefault(seat.row_number, []).append(show(seat, taken, costs.get(cabin)))
            if seat.exit_row:
                exits.add(seat.row_number)
    return CabinMap(
        cabin=cabin,
        columns=section.columns,
        aisles_after=section.aisles_after,
        rows=[
            SeatRow(number=number, exit_row=number in exits, seats=seats, written=None if taken else {})
            for number, seats in rows.items()
        ],
    )


@lru_cache(maxsize=64)
def nothing(currency: str) -> Money:
    """What most seats cost on top of the fare."""
    return Money(0, currency).lasting()


def show(seat: Seat, taken: Mapping[str, SeatState], legroom: Money | None) -> ShownSeat:
    """A seat with its state and its charge: nothing for a seat without extra legroom."""
    state = taken.get(seat.number)
    free = None if legroom is None else nothing(legroom.currency)
    return ShownSeat(
        number=seat.number,
        column=seat.column,
        position=seat.position,
        status=state.status if state else SeatStatus.AVAILABLE,
        version=state.version if state else 0,
        extra_legroom=seat.extra_legroom,
        accessible=seat.accessible,
        price=legroom if seat.extra_legroom else free,
        written=None if state else {},
    )
