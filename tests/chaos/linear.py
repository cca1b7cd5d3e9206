"""Is there an order in which everything could have happened, one thing at a time, that explains what all were told?

Linearizability (Herlihy and Wing 1990) of one seat at a time, which is enough: a history is linearizable if each of its
objects is. The search is the just-in-time one of G. Lowe, "Testing for linearizability" (2017), after J. Wing and C.
Gong (1993): when somebody is answered, what they asked for must have happened by then, and whatever was under way may
have happened before it; each combination of the seat's state and of what has happened already is looked at once.

Deadlines add time to order: everything has a moment, no earlier than the one before it in the order and within its own
call. For a given order the earliest moments are the best, so only the earliest is kept. No wall clock is asked, and the
work is bounded by a count: the same history always has the same verdict.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tests.chaos.register import FREE, Act, Seat, What, step

WATCHING = frozenset({What.ALIVE, What.DEAD, What.AVAILABLE, What.LOCKED, What.BOOKED, What.TAKEN})
"""What changes nothing: to leave it out can only make more histories legal."""

MOST_WORK = 400_000
"""How many steps one search may try."""

MOST_SEARCHES = 400
"""How many searches the shortest explanation is worth."""


@dataclass(frozen=True, slots=True)
class Op:
    """An act, within the call of a client. `ended` is infinite where nobody was ever told.

    `certain`: it happened. Otherwise perhaps never. `not_after`: if at all, then before the op of that number.
    """

    number: int
    client: str
    act: Act
    begun: float
    ended: float = math.inf
    certain: bool = True
    not_after: int = -1

    def __str__(self) -> str:
        until = "…" if math.isinf(self.ended) else f"{self.ended:.3f}"
        perhaps = "" if self.certain else "perhaps "
        about = f" {self.act.hold}" if self.act.hold else ""
        told = "" if self.act.earliest is None else f" until {self.act.earliest:.3f}"
        return f"{self.begun:10.3f} to {until:>10}  {self.client:9} {perhaps}{self.act.what}{about}{told}"


@dataclass(frozen=True)
class Verdict:
    """`illegal`: no order explains the history, and these ops are enough to show it. `decided`: within the bounds."""

    illegal: tuple[Op, ...] = ()
    decided: bool = True
    work: int = 0

    @property
    def holds(self) -> bool:
        """Whether an order was found."""
        return self.decided and not self.illegal


class TooMuchWork(Exception):
    """The search was given up."""


Done = frozenset[int]
Worlds = dict[tuple[Seat, Done], float]
"""What the seat may be by now and which of the ops under way have happened; with the earliest moment of the last."""


@dataclass
class Search:
    """One walk through a history. `under_way` are the ops that have begun and of which nobody has been told yet."""

    last_of: dict[str, float]
    """When the last op of each hold ends."""
    under_way: dict[int, Op] = field(default_factory=dict)
    worlds: Worlds = field(default_factory=lambda: {(FREE, frozenset()): -math.inf})
    work: int = 0

    def end(self, op: Op) -> bool:
        """Somebody is told what came of `op`; False where nothing explains it."""
        found: Worlds = {}
        for (seat, done), moment in self.worlds.items():
            if op.number in done:
                self.keep(found, seat, done - {op.number}, moment, op.ended)
                continue
            if not op.certain:
                self.keep(found, seat, done, moment, op.ended)
            for after, happened, then in self.reach(seat, done, moment, op):
                self.keep(found, after, happened, then, op.ended)
        del self.under_way[op.number]
        self.worlds = found
        return bool(found)

    def keep(self, worlds: Worlds, seat: Seat, done: Done, moment: float, now: float) -> None:
        """Remember a world; a hold that is over and of which nothing more will be heard is as good as none."""
        if seat.hold and not seat.sold and seat.latest <= moment and self.last_of[seat.hold] < now:
            seat = FREE
        if moment < worlds.get((seat, done), math.inf):
            worlds[seat, done] = moment

    def reach(self, seat: Seat, done: Done, moment: float, goal: Op) -> Iterator[tuple[Seat, Done, float]]:
        """Every world in which `goal` is the last that has happened."""
        seen: Worlds = {(seat, done): moment}
        waiting = [(seat, done, moment)]
        while waiting:
            seat, done, moment = waiting.pop()
            if moment > seen[seat, done]:
                continue
            done = self.with_what_is_seen(seat, done, moment, goal)
            for op in self.under_way.values():
                happened = None if op.number in done or op.not_after in done else self.happen(seat, op, moment)
                if happened is None:
                    continue
                if op is goal:
                    yield happened[0], done, happened[1]
                    continue
                world = happened[0], done | {op.number}
                if happened[1] < seen.get(world, math.inf):
                    seen[world] = happened[1]
                    waiting.append((*world, happened[1]))

    def with_what_is_seen(self, seat: Seat, done: Done, moment: float, goal: Op) -> Done:
        """Whatever only watches, and can do so here at no cost, does it here: that never makes anything harder."""
        free = [
            op.number
            for op in self.under_way.values()
            if op.act.what in WATCHING
            and op is not goal
            and op.number not in done
            and op.begun <= moment
            and self.happen(seat, op, moment) == (seat, moment)
        ]
        return done.union(free) if free else done

    def happen(self, seat: Seat, op: Op, moment: float) -> tuple[Seat, float] | None:
        """The seat after `op`, and when that is at the earliest; None where it cannot be."""
        self.work += 1
        if self.work > MOST_WORK:
            raise TooMuchWork
        after = step(seat, op.act, max(moment, op.begun))
        return after if after is not None and after[1] <= op.ended else None


def search(ops: Iterable[Op]) -> tuple[Op | None, int]:
    """The first op whose answer nothing explains, None where there is none; and the work. Raises TooMuchWork."""
    ops = list(ops)
    last_of: dict[str, float] = {}
    for op in ops:
        last_of[op.act.hold] = max(op.ended, last_of.get(op.act.hold, -math.inf))
    walk = Search(last_of)
    # Of what happens at one moment: calls begin, then what perhaps happened ends, then what did.
    events = [(op.begun, 0, op.number, op) for op in ops]
    events += [(op.ended, 2 if op.certain else 1, op.number, op) for op in ops if op.ended < math.inf]
    for _, kind, number, op in sorted(events, key=lambda event: event[:3]):
        if kind == 0:
            walk.under_way[number] = op
        elif not walk.end(op):
            return op, walk.work
    return None, walk.work


def check(ops: Sequence[Op]) -> Verdict:
    """Whether the history of one seat, free at first, is linearizable; where it is not, which ops show it."""
    try:
        culprit, work = search(ops)
    except TooMuchWork:
        return Verdict(decided=False, work=MOST_WORK)
    if culprit is None:
        return Verdict(work=work)
    before = [op for op in ops if op.begun <= culprit.ended]
    return Verdict(illegal=tuple(shortest(before)), work=work)


def shortest(ops: list[Op]) -> list[Op]:
    """The ops that nobody may doubt if the history is to stay illegal: it is, even if all others perhaps never were.

    What only watches is left out; anything else is not, for what it changed may be needed to explain what comes later,
    but made uncertain. Both can only make a history legal.
    """
    doubted: set[int] = set()
    sure = [op.number for op in ops if op.certain]
    size, searches = max(1, len(sure) // 2), 0
    while size and searches < MOST_SEARCHES:
        for start in range(0, len(sure), size):
            chunk = set(sure[start : start + size])
            searches += 1
            if chunk - doubted and is_illegal(doubting(ops, doubted | chunk)):
                doubted |= chunk
        sure = [number for number in sure if number not in doubted]
        size //= 2
    return sorted((op for op in ops if op.number in sure), key=lambda op: op.begun)


def doubting(ops: Iterable[Op], numbers: set[int]) -> list[Op]:
    """The history without what those saw, and with what they did uncertain."""
    kept = (op for op in ops if op.number not in numbers or op.act.what not in WATCHING)
    return [replace(op, certain=False) if op.number in numbers else op for op in kept]


def is_illegal(ops: Iterable[Op]) -> bool:
    """Whether a search finds no order; one that is given up finds nothing out."""
    try:
        return search(ops)[0] is not None
    except TooMuchWork:
        return False
