"""The best seats against every other seats: on small cabins nothing is better, by a second telling of the rules.

`Judge` knows nothing of how the product searches. It looks at every set of free seats and at every way to sit in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from models import SeatPosition
from services.fares import Party
from services.seats import Plan, Seat
from services.seats.arrangements import Arrangement, Shortage, best
from services.seats.wishes import SeatWish, Wishes
from tests.factories.cabins import cabin, party

BLOCKS = ("A", "AB", "ABC", "A B", "AB C", "A BC", "AB CD", "A BC D", "ABC DE", "A B C", "ABCD")
PARTIES = ((1, 0), (1, 0), (2, 0), (3, 0), (4, 0), (1, 1), (1, 2), (2, 1), (2, 2), (1, 3))
Seats = tuple[Seat, ...]


@dataclass(frozen=True)
class Case:
    """A cabin, what is free in it, who travels, and what they wish."""

    plan: Plan
    free: frozenset[str]
    party: Party
    wishes: Wishes

    def solve(self) -> Arrangement | Shortage:
        return best(self.plan, self.plan.sections[0], self.free, self.party, self.wishes)


@some.composite
def cases(draw: some.DrawFn) -> Case:
    """Small enough that everything can be tried."""
    block = draw(some.sampled_from(BLOCKS))
    rows = draw(some.integers(1, 4))
    numbers = [f"{row}{column}" for row in range(1, rows + 1) for column in block.replace(" ", "")]
    few = some.sets(some.integers(1, rows), max_size=2)
    missing = draw(some.sets(some.sampled_from(numbers), max_size=1))
    plan = cabin(
        block,
        rows,
        exits=draw(few),
        legroom=draw(few),
        accessible=draw(some.sets(some.sampled_from(numbers), max_size=3)),
        missing=missing if len(numbers) > 1 else (),
    )
    adults, children = draw(some.sampled_from(PARTIES))
    fewest = min(len(plan.seats), adults + children - draw(some.booleans()))
    free = draw(some.sets(some.sampled_from(sorted(plan.seats)), min_size=fewest, max_size=max(fewest, 9)))
    infants = draw(some.integers(0, min(2, adults)))
    kinds = draw(some.sets(some.sampled_from([wish for wish in SeatWish if wish is not SeatWish.NEAR]), max_size=3))
    near = draw(some.none() | some.none() | some.sampled_from(sorted(plan.seats)))
    wishes = Wishes(kinds=frozenset(kinds))
    if near is not None:
        column = draw(some.sampled_from([None, near[-1]]))
        wishes = Wishes(kinds=frozenset(kinds | {SeatWish.NEAR}), row=int(near[:-1]), column=column)
    return Case(plan, frozenset(free), party(adults, children, infants), wishes)


class Judge:
    """The rules once more, by trying everything."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.columns = case.plan.sections[0].columns
        self.aisles = case.plan.sections[0].aisles_after
        self.rows = sorted({seat.row_number for seat in case.plan.seats.values()})
        self.by_place = {(seat.row_number, self.at(seat)): seat for seat in case.plan.seats.values()}

    def at(self, seat: Seat) -> int:
        return self.columns.index(seat.column)

    def block(self, seat: Seat) -> int:
        return sum(self.columns.index(aisle) < self.at(seat) for aisle in self.aisles)

    def beside(self, one: Seat, other: Seat) -> bool:
        same = one.row_number == other.row_number and self.block(one) == self.block(other)
        return same and abs(self.at(one) - self.at(other)) == 1

    def groups(self, seats: Seats) -> list[list[Seat]]:
        found: list[list[Seat]] = []
        for seat in seats:
            if found and self.beside(found[-1][-1], seat):
                found[-1].append(seat)
            else:
                found.append([seat])
        return found

    def sittings(self, seats: Seats) -> Iterator[tuple[set[str], set[str]]]:
        """Children's seats and carriers' seats, in every way that is safe."""
        party, numbers = self.case.party, [seat.number for seat in seats]
        exits = {seat.number for seat in seats if seat.exit_row}
        if self.exit_rows_matter() and len(self.in_exit_rows(seats)) > self.may_sit_at_exits():
            return
        for children in combinations(numbers, party.children):
            for carriers in combinations([n for n in numbers if n not in children], party.infants):
                if not exits & {*children, *carriers}:
                    yield set(children), set(carriers)

    def may_sit_at_exits(self) -> int:
        party = self.case.party
        return max(0, party.adults - party.infants - (SeatWish.ACCESSIBLE in self.case.wishes))

    def exit_rows_matter(self) -> bool:
        return self.may_sit_at_exits() < self.case.party.seated

    def in_exit_rows(self, seats: Iterable[Seat]) -> Seats:
        return tuple(seat for seat in seats if seat.exit_row)

    def care(self, seats: Seats) -> tuple[int, int, int] | None:
        """Children without an adult beside them, groups, those apart from adults; None where no sitting is safe."""
        groups = self.groups(seats)
        ways = []
        for children, carriers in self.sittings(seats):
            alone = sum(
                not any(self.beside(seat, other) and other.number not in children for other in seats)
                for seat in seats
                if seat.number in children
            )
            apart = 0
            for group in groups:
                adults = [seat.number for seat in group if seat.number not in children]
                apart += 0 if adults else len(group)
                if self.case.party.adults > 1 and len(adults) == 1:
                    apart += adults[0] in carriers
            ways.append((alone, len(groups), apart))
        return min(ways, default=None)

    def steps(self, seats: Seats) -> int:
        rows = [self.rows.index(seat.row_number) for seat in seats]
        blocks = [self.block(seat) for seat in seats]
        return max(rows) - min(rows) + max(blocks) - min(blocks)

    def gap(self, seats: Seats) -> int:
        sides = [(self.at(group[0]), self.at(group[-1])) for group in self.groups(seats)]
        return sum(
            min(max(first - end - 1, begin - last - 1, 0) for begin, end in sides[:index])
            for index, (first, last) in enumerate(sides)
            if index
        )

    def unmet(self, seats: Seats) -> set[SeatWish]:
        wishes = self.case.wishes
        met = {
            SeatWish.WINDOW: any(seat.position is SeatPosition.WINDOW for seat in seats),
            SeatWish.AISLE: any(seat.position is SeatPosition.AISLE for seat in seats),
            SeatWish.ACCESSIBLE: any(seat.accessible for seat in seats),
            SeatWish.EXTRA_LEGROOM: all(seat.extra_legroom for seat in seats),
            SeatWish.TOGETHER: len(self.groups(seats)) == 1,
            SeatWish.FRONT: 3 * max(self.rows.index(seat.row_number) for seat in seats) < len(self.rows),
            SeatWish.NEAR: any(abs(seat.row_number - (wishes.row or 0)) <= 1 for seat in seats),
        }
        return {wish for wish in wishes.kinds if not met[wish]}

    def distance(self, seats: Seats) -> int:
        wishes, total = self.case.wishes, 0
        if SeatWish.FRONT in wishes:
            total += 100 * min(self.rows.index(seat.row_number) for seat in seats)
        if wishes.row is not None:
            column = wishes.column
            total += min(
                100 * abs(seat.row_number - wishes.row)
                + (abs(self.at(seat) - self.columns.index(column)) if column is not None else 0)
                for seat in seats
            )
        return total

    def lonely(self, taken: Iterable[Seat]) -> set[str]:
        """Free seats without a free neighbour and with a taken one."""
        free = self.case.free - {seat.number for seat in taken}
        found = set()
        for (row, column), seat in self.by_place.items():
            neighbours = [self.by_place.get((row, column + step)) for step in (-1, 1)]
            beside = [other.number for other in neighbours if other is not None and self.beside(seat, other)]
            if seat.number in free and beside and not free.intersection(beside):
                found.add(seat.number)
        return found

    def broken(self, seats: Seats) -> int:
        rows = {seat.row_number for seat in seats}
        everything = self.case.plan.seats.values()
        return sum(all(s.number in self.case.free for s in everything if s.row_number == row) for row in rows)

    def score(self, seats: Seats) -> tuple[Any, ...] | None:
        care = self.care(seats)
        if care is None:
            return None
        amiss = sum(seat.extra_legroom is not (SeatWish.EXTRA_LEGROOM in self.case.wishes) for seat in seats)
        return (
            *care,
            self.steps(seats),
            self.gap(seats),
            len(self.unmet(seats)),
            amiss,
            self.distance(seats),
            len(self.lonely(seats)),
            self.broken(seats),
            [(seat.row_number, self.at(seat)) for seat in seats],
        )

    def everything(self) -> Iterator[Seats]:
        free = [seat for seat in self.case.plan.seats.values() if seat.number in self.case.free]
        yield from combinations(free, self.case.party.seated)


@settings(max_examples=500, deadline=None)
@given(cases())
def test_no_other_seats_are_better(case: Case) -> None:
    judge, answer = Judge(case), case.solve()
    scores = [score for score in map(judge.score, judge.everything()) if score is not None]
    if not scores:
        safe = sum(not case.plan.seats[number].exit_row for number in case.free)
        assert answer == Shortage(len(case.free), safe if judge.exit_rows_matter() else len(case.free))
        return
    assert isinstance(answer, Arrangement)
    seats = tuple(one.seat for one in answer.seated)
    assert judge.score(seats) == min(scores)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_an_arrangement_is_what_it_says(case: Case) -> None:
    answer, judge = case.solve(), Judge(case)
    assert answer == case.solve()
    if isinstance(answer, Shortage):
        return
    seats = tuple(one.seat for one in answer.seated)
    assert len(set(answer.numbers)) == case.party.seated
    assert set(answer.numbers) <= case.free
    children = {one.seat.number for one in answer.seated if one.child}
    carriers = {one.seat.number for one in answer.seated if one.with_infant}
    assert (children, carriers) in judge.sittings(seats)
    assert [[one.seat for one in group] for group in answer.groups] == judge.groups(seats)
    alone = [
        n for n in children if not any(judge.beside(case.plan.seats[n], s) for s in seats if s.number not in children)
    ]
    care = judge.care(seats)
    assert care is not None
    assert (len(alone), answer.care.alone, answer.care.apart) == (care[0], care[0], care[2])
    assert set(answer.unmet) == judge.unmet(seats)
    assert set(answer.met) == case.wishes.kinds - judge.unmet(seats)
    assert set(answer.lonely) == judge.lonely(seats) - judge.lonely(())
    assert answer.steps == judge.steps(seats)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_no_wish_makes_a_refusal(case: Case) -> None:
    """ACCESSIBLE asks for safety too: somebody more who may not sit in an exit row."""
    kept = frozenset({SeatWish.ACCESSIBLE}) & case.wishes.kinds
    plain = Case(case.plan, case.free, case.party, Wishes(kinds=kept))
    assert isinstance(case.solve(), Shortage) == isinstance(plain.solve(), Shortage)
