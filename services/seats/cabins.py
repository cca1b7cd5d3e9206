"""A cabin as the search for the best seats sees it: runs of free seats, and what taking some of a run would mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from models import SeatPosition
from services.seats.plans import Plan, Seat, Section
from services.seats.wishes import SeatWish, Wishes

BITS: Mapping[SeatWish, Callable[[Seat], bool]] = {
    SeatWish.WINDOW: lambda seat: seat.position is SeatPosition.WINDOW,
    SeatWish.AISLE: lambda seat: seat.position is SeatPosition.AISLE,
    SeatWish.ACCESSIBLE: lambda seat: seat.accessible,
}
"""Wishes that one seat of the party meets for all of it."""

CLOSE = 1
"""Within how many rows of a place is near it."""

ROW_APART = 100
"""How many columns away a row counts: NEAR looks for the nearest row first, then for the nearest seat in it."""


class Place(NamedTuple):
    """A seat by its row's and column's index, from front to back and from left to right."""

    row: int
    column: int


class Taking(NamedTuple):
    """What it means to take a few neighbours of a run.

    `met` are bits of wishes; `amiss` is how many of the seats have not the legroom that is wished, or one that is not
    and may cost extra; `distance` is that of the nearest of them to the place to be near. `lonely` is how many more
    seats are lonely afterwards than before: -1 where a lonely one is taken.
    """

    first: int
    last: int
    met: int
    amiss: int
    distance: int
    lonely: int


@dataclass(frozen=True, eq=False)
class Run:
    """Free neighbours: in one row, with no aisle between. `lonely` is a single one beside a taken seat."""

    row: int
    block: int
    first: int
    seats: tuple[Seat, ...]
    exit: bool
    lonely: bool
    takings: dict[int, list[Taking]] = field(default_factory=dict)


class Grid:
    """A cabin with its free seats and the wishes of one party; `exits` says whether exit rows are told apart."""

    def __init__(self, plan: Plan, section: Section, free: Set[str], wishes: Wishes, *, exits: bool) -> None:
        self.wishes = wishes
        self.columns = section.columns
        self.blocks = tuple(blocks_of(section))
        self._index = {column: index for index, column in enumerate(section.columns)}
        self._free = free
        rows: dict[int, dict[int, Seat]] = {}
        for seat in plan.seats.values():
            if seat.section == section.section:
                rows.setdefault(seat.row_number, {})[self._index[seat.column]] = seat
        self.numbers = sorted(rows)
        self.seats = [rows[number] for number in self.numbers]
        self.untouched = [all(seat.number in free for seat in row.values()) for row in self.seats]
        self.exits = [exits and any(seat.exit_row for seat in row.values()) for row in self.seats]
        self.runs = [list(self._runs_of(index)) for index in range(len(self.seats))]
        self.wished = sum(1 << bit for bit, wish in enumerate(BITS) if wish in wishes)
        self.near = 1 << len(BITS) if SeatWish.NEAR in wishes else 0
        self._legroom = SeatWish.EXTRA_LEGROOM in wishes
        column = None if wishes.column is None else self._index.get(wishes.column)
        self._near_column = column

    def _runs_of(self, row: int) -> Iterator[Run]:
        """The runs of a row, from left to right."""
        seats = self.seats[row]
        for block, (first, last) in enumerate(self.blocks):
            column = first
            while column <= last:
                length = 0
                while column + length <= last and self._is_free(seats.get(column + length)):
                    length += 1
                if length:
                    found = tuple(seats[column + offset] for offset in range(length))
                    sides = [side for side in (column - 1, column + 1) if first <= side <= last]
                    alone = length == 1 and any(side in seats for side in sides)
                    yield Run(row, block, column, found, self.exits[row], lonely=alone)
                column += length + 1

    def _is_free(self, seat: Seat | None) -> bool:
        return seat is not None and seat.number in self._free

    def takings(self, run: Run, size: int) -> list[Taking]:
        """Every way to take `size` neighbours of a run, from left to right; made once."""
        known = run.takings.get(size)
        if known is None:
            ways = range(len(run.seats) - size + 1)
            known = run.takings[size] = [self._taking(run, offset, size) for offset in ways]
        return known

    def _taking(self, run: Run, offset: int, size: int) -> Taking:
        seats = run.seats[offset : offset + size]
        roomy = sum(seat.extra_legroom for seat in seats)
        first = run.first + offset
        distance = self.distance(run.row, first, first + size - 1) if self.near else 0
        return Taking(
            first=first,
            last=first + size - 1,
            met=self.met(seats) | (self.near if self.near and distance < (CLOSE + 1) * ROW_APART else 0),
            amiss=size - roomy if self._legroom else roomy,
            distance=distance,
            lonely=[offset, len(run.seats) - offset - size].count(1) - run.lonely,
        )

    def met(self, seats: tuple[Seat, ...]) -> int:
        """The bits of the wishes that these seats meet."""
        if not self.wished:
            return 0
        return self.wished & sum(
            1 << bit for bit, meets in enumerate(BITS.values()) if any(meets(seat) for seat in seats)
        )

    def distance(self, row: int, first: int, last: int) -> int:
        """How far the nearest of these neighbours is from the place to be near; rows count as their numbers do."""
        rows = abs(self.numbers[row] - (self.wishes.row or 0))
        column = self._near_column
        columns = 0 if column is None else max(first - column, column - last, 0)
        return rows * ROW_APART + columns

    def block_of(self, column: int) -> int:
        """Between which aisles a column is: 0 for the block at the left."""
        return next(index for index, (_, last) in enumerate(self.blocks) if column <= last)

    def number_at(self, place: Place) -> str:
        """The number of the seat at that place."""
        return self.seats[place.row][place.column].number

    def lonely_beside(self, taken: Set[Place]) -> list[str]:
        """The free seats that would stand alone once those are taken, in the order of reading, and did not before."""
        found = []
        for row in sorted({place.row for place in taken}):
            for run in self.runs[row]:
                left = [column for column in range(run.first, run.first + len(run.seats)) if (row, column) not in taken]
                alone = set(left) - {column + step for column in left for step in (-1, 1)}
                if len(left) < len(run.seats):
                    found += [self.number_at(Place(row, column)) for column in sorted(alone)]
        return found


def blocks_of(section: Section) -> Iterator[tuple[int, int]]:
    """First and last column between two aisles, from left to right."""
    ends = [index for index, column in enumerate(section.columns) if column in section.aisles_after]
    for before, end in pairwise([-1, *ends, len(section.columns) - 1]):
        yield before + 1, end
