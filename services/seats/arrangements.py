"""The best arrangement of a party in a cabin: which seats, who sits in which, and why these. Pure: no I/O, no chance.

`best()` weighs, in this order: a child sits beside an adult; few groups; nobody who must be looked after in a group
apart; groups close to each other; wishes; no legroom that was not asked for; no lonely seat left; empty rows left
empty; front before back, left before right. Children, infants in arms and whoever needs an accessible seat never sit in
an exit row. Nothing else is ever a reason to refuse. `docs/seats.md` tells it to those who use and change it.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from services.fares import Party
from services.seats.cabins import BITS, CLOSE, ROW_APART, Grid
from services.seats.groups import Care, People, Travellers, care, distributions, side_by_side
from services.seats.plans import Plan, Seat, Section
from services.seats.search import Found, Side, in_front, search
from services.seats.wishes import SeatWish, Wishes


@dataclass(frozen=True, kw_only=True)
class SeatedTraveller:
    """One seat of an arrangement and who it is for: a child, or an adult, who may have an infant in arms."""

    seat: Seat
    child: bool
    with_infant: bool


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """The best seats for a party, by group, and why.

    `groups` are neighbours, in the order of reading; `lonely` are the numbers of the free seats that this leaves alone
    between taken ones or the edge; `alone` and `apart` say of how many travellers that must be looked after the rules
    could not be kept (see `groups.Care`).
    """

    groups: tuple[tuple[SeatedTraveller, ...], ...]
    met: tuple[SeatWish, ...]
    unmet: tuple[SeatWish, ...]
    lonely: tuple[str, ...]
    steps: int
    care: Care

    @property
    def seated(self) -> tuple[SeatedTraveller, ...]:
        """Every seat, in the order of reading."""
        return tuple(one for group in self.groups for one in group)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers of the seats, in the order of reading."""
        return tuple(one.seat.number for one in self.seated)

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows in which the party sits, from front to back."""
        return tuple(sorted({one.seat.row_number for one in self.seated}))


@dataclass(frozen=True)
class Shortage:
    """Why there is no arrangement: `left` seats are free, `safe` of them outside exit rows."""

    left: int
    safe: int


def best(plan: Plan, section: Section, free: Set[str], party: Party, wishes: Wishes) -> Arrangement | Shortage:
    """The best seats among those of `section` whose numbers are in `free`. The same input has the same answer."""
    travellers = Travellers(
        adults=party.adults,
        children=party.children,
        carriers=party.infants,
        reserved=int(SeatWish.ACCESSIBLE in wishes),
    )
    grid = Grid(plan, section, free, wishes, exits=travellers.restricted)
    found = search(grid, travellers)
    if found is None:
        return shortage(grid)
    return Arrangement(
        groups=seated(grid, travellers, found),
        met=tuple(wish for wish in SeatWish if wish in wishes and is_met(grid, wish, found)),
        unmet=tuple(wish for wish in SeatWish if wish in wishes and not is_met(grid, wish, found)),
        lonely=tuple(grid.lonely_beside(set(found.light.places))),
        steps=found.steps,
        care=found.care,
    )


def shortage(grid: Grid) -> Shortage:
    """How many seats are free, and how many of them anybody may sit in."""
    lengths = [(len(run.seats), run.exit) for row in grid.runs for run in row]
    return Shortage(sum(length for length, _ in lengths), sum(length for length, exit_ in lengths if not exit_))


def is_met(grid: Grid, wish: SeatWish, found: Found) -> bool:
    """Whether the arrangement meets a wish."""
    places = found.light.places
    seats = [grid.seats[place.row][place.column] for place in places]
    match wish:
        case SeatWish.TOGETHER:
            return len(found.sides) == 1
        case SeatWish.FRONT:
            return in_front(grid, places[-1].row)
        case SeatWish.NEAR:
            return min(grid.distance(*side) for side in found.sides) < (CLOSE + 1) * ROW_APART
        case SeatWish.EXTRA_LEGROOM:
            return all(seat.extra_legroom for seat in seats)
        case _:
            return any(BITS[wish](seat) for seat in seats)


def seated(grid: Grid, travellers: Travellers, found: Found) -> tuple[tuple[SeatedTraveller, ...], ...]:
    """Who sits where in the seats that were found."""
    people = placed(grid, travellers, found.sides)
    carriers = carrying(grid, travellers, found.sides, people)
    groups = []
    for side, here, infants in zip(found.sides, people, carriers, strict=True):
        group, left = [], infants
        for column, kind in enumerate(side_by_side(here), start=side.first):
            carries = kind == "A" and left > 0
            left -= carries
            seat = grid.seats[side.row][column]
            group.append(SeatedTraveller(seat=seat, child=kind == "C", with_infant=carries))
        groups.append(tuple(group))
    return tuple(groups)


def placed(grid: Grid, travellers: Travellers, sides: Sequence[Side]) -> tuple[People, ...]:
    """How many adults and children sit in each group: looked after as well as can be, and children near to adults."""
    plain = [index for index, side in enumerate(sides) if not at_exit(grid, side)]
    exits = {index: People(size(side), 0) for index, side in enumerate(sides) if at_exit(grid, side)}
    adults = travellers.adults - sum(people.adults for people in exits.values())
    carriers = travellers.carriers if travellers.adults > 1 else 0

    def rank(way: tuple[People, ...]) -> tuple[Care, int]:
        whole = exits | dict(zip(plain, way, strict=True))
        return care(way, carriers), walk(grid, sides, [whole[index] for index in range(len(sides))])

    ways = distributions([size(sides[index]) for index in plain], adults, in_order=True)
    way = min(ways, key=rank)
    chosen = exits | dict(zip(plain, way, strict=True))
    return tuple(chosen[index] for index in range(len(sides)))


def walk(grid: Grid, sides: Sequence[Side], people: Sequence[People]) -> int:
    """How far, in rows and aisles, children in groups of their own are from the nearest adult, all together."""
    adults = [side for side, here in zip(sides, people, strict=True) if here.adults]
    return sum(
        here.children * min(steps(grid, side, other) for other in adults)
        for side, here in zip(sides, people, strict=True)
        if adults and not here.adults
    )


def steps(grid: Grid, one: Side, other: Side) -> int:
    """Rows and aisles between two groups."""
    return abs(one.row - other.row) + abs(grid.block_of(one.first) - grid.block_of(other.first))


def carrying(grid: Grid, travellers: Travellers, sides: Sequence[Side], people: Sequence[People]) -> tuple[int, ...]:
    """How many adults of each group have an infant in arms: first those with another adult in theirs, none at exits."""
    left = travellers.carriers
    infants = [0] * len(sides)
    order = sorted(range(len(sides)), key=lambda index: people[index].adults < 2)
    for index in order:
        if not at_exit(grid, sides[index]):
            infants[index] = min(left, people[index].adults)
            left -= infants[index]
    return tuple(infants)


def at_exit(grid: Grid, side: Side) -> bool:
    """Whether a group sits in an exit row, where that matters to this party."""
    return grid.exits[side.row]


def size(side: Side) -> int:
    """How many seats a group has."""
    return side.last - side.first + 1
