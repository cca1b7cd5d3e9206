"""Is there an order in which everything could have happened, one thing at a time, that explains what all were told?

Linearizability (Herlihy and Wing 1990) of one seat at a time, which is enough: a history is linearizable if each of its
objects is. The search is the just-in-time one of G. Lowe, "Testing for linearizability" (2017), after J. Wing and C.
Gong (1993): when somebody is answered, what they asked for must have happened by then, and whatever was under way may
have happened before it. Of worlds that could have come about, only those are kept that no other one covers.

Deadlines add time to order: everything has a moment, no earlier than the one before it in the order and within its own
call. For a given order the earliest moments are the best, so only the earliest is kept. No wall clock is asked, and the
work is bounded by a count: the same history always has the same verdict.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

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
    """`illegal`: no order explains the history, and these ops are enough to show it, whatever became of all others.

    `beside` is what else happened to the holds they name, for whoever reads. `decided`: within the bounds.
    """

    illegal: tuple[Op, ...] = ()
    beside: tuple[Op, ...] = ()
    decided: bool = True
    work: int = 0

    @property
    def holds(self) -> bool:
        """Whether an order was found."""
        return self.decided and not self.illegal

    def __str__(self) -> str:
        """What shows it, marked, among what happened beside."""
        ops = sorted((*self.illegal, *self.beside), key=lambda op: op.begun)
        return "\n".join(f"  {'>' if op in self.illegal else ' '} {op}" for op in ops)


class TooMuchWork(Exception):
    """The search was given up."""


@dataclass(frozen=True, slots=True)
class World:
    """What may be by now: the seat, and of the ops under way those that have happened; `moment` is that of the last.

    `done` are the certain ones among them, `used` those that are not. An uncertain op that has not happened yet need
    never happen, so a world that used fewer can do all that one that used more can.
    """

    seat: Seat = FREE
    done: frozenset[int] = frozenset()
    used: frozenset[int] = frozenset()
    moment: float = -math.inf

    def covers(self, other: World) -> bool:
        """Whether whatever can happen in the other world (with the same seat and the same done) can happen here."""
        return (
            self.moment <= other.moment
            and self.seat.earliest <= other.seat.earliest
            and self.seat.latest >= other.seat.latest
            and self.used <= other.used
        )

    def after(self, op: Op, seat: Seat, moment: float) -> World:
        """The world in which `op` has happened too."""
        if op.certain:
            return World(seat, self.done | {op.number}, self.used, moment)
        return World(seat, self.done, self.used | {op.number}, moment)

    def without(self, number: int) -> World:
        """The same, once nobody asks any more whether that op has happened."""
        return World(self.seat, self.done - {number}, self.used - {number}, self.moment)

    def has(self, number: int) -> bool:
        """Whether that op has happened."""
        return number in self.done or number in self.used


class Worlds:
    """Worlds of which none covers another."""

    def __init__(self) -> None:
        self._alike: dict[tuple[str, bool, frozenset[int]], list[World]] = defaultdict(list)

    def __iter__(self) -> Iterator[World]:
        return chain.from_iterable(self._alike.values())

    def add(self, world: World) -> bool:
        """Keep it, unless one that is here covers it; whether it was kept."""
        alike = self._alike[world.seat.hold, world.seat.sold, world.done]
        if any(one.covers(world) for one in alike):
            return False
        alike[:] = [one for one in alike if not world.covers(one)]
        alike.append(world)
        return True


@dataclass
class Search:
    """One walk through a history. `under_way` are the ops that have begun and of which nobody has been told yet."""

    last_of: dict[str, float]
    """When the last op of each hold ends."""
    under_way: dict[int, Op] = field(default_factory=dict)
    worlds: Sequence[World] = (World(),)
    work: int = 0

    def end(self, op: Op) -> bool:
        """Somebody is told what came of `op`; False where nothing explains it."""
        found = Worlds()
        for world in self.worlds:
            if world.has(op.number):
                found.add(self.forgetting(world.without(op.number), op.ended))
                continue
            if not op.certain:
                found.add(self.forgetting(world, op.ended))
            for reached in self.reach(world, op):
                found.add(self.forgetting(reached, op.ended))
        del self.under_way[op.number]
        self.worlds = list(found)
        return bool(self.worlds)

    def forgetting(self, world: World, now: float) -> World:
        """The world; a hold that is over, and of which nothing more will be heard, is as good as none."""
        seat = world.seat
        if seat.hold and not seat.sold and seat.latest <= world.moment and self.last_of[seat.hold] < now:
            return replace(world, seat=FREE)
        return world

    def reach(self, world: World, goal: Op) -> Iterator[World]:
        """Every world in which `goal` is the last that has happened; it is not under the done any more."""
        seen, waiting = Worlds(), [world]
        while waiting:
            world = self.with_what_is_seen(waiting.pop(), goal)
            for op in self.under_way.values():
                happened = None if world.has(op.number) or world.has(op.not_after) else self.happen(world, op)
                if happened is None or happened[1] > goal.ended:
                    continue
                if op is goal:
                    yield World(happened[0], world.done, world.used, happened[1])
                elif seen.add(further := world.after(op, *happened)):
                    waiting.append(further)

    def with_what_is_seen(self, world: World, goal: Op) -> World:
        """Whatever only watches, and can do so here at no cost, does it here: that never makes anything harder."""
        free = [
            op.number
            for op in self.under_way.values()
            if op.act.what in WATCHING
            and op is not goal
            and op.begun <= world.moment
            and not world.has(op.number)
            and self.happen(world, op) == (world.seat, world.moment)
        ]
        return replace(world, done=world.done.union(free)) if free else world

    def happen(self, world: World, op: Op) -> tuple[Seat, float] | None:
        """The seat after `op`, and when that is at the earliest; None where it cannot be."""
        self.work += 1
        if self.work > MOST_WORK:
            raise TooMuchWork
        after = step(world.seat, op.act, max(world.moment, op.begun))
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
    core = shortest(before)
    first, last, named = core[0].begun, core[-1].ended, {op.act.hold for op in core if op.act.hold}
    around = (op for op in before if op.act.what not in WATCHING and op.begun < last and op.ended > first)
    beside = {op.number: op for op in (*around, *(op for op in before if op.act.hold in named)) if op not in core}
    return Verdict(illegal=tuple(core), beside=tuple(beside.values()), work=work)


def shortest(ops: list[Op]) -> list[Op]:
    """The ops that nobody may doubt if the history is to stay illegal: it is, even if all others perhaps never were.

    What only watches is left out; anything else is not, for what it changed may be needed to explain what comes later,
    but made uncertain. Both can only make a history legal.
    """
    doubted: set[int] = set()
    searches = 0
    # What was only seen goes first: what was done tells a reader more.
    for only_seen in (True, False):
        sure = [op.number for op in ops if op.certain and (op.act.what in WATCHING) is only_seen]
        size = len(sure)
        while size and searches < MOST_SEARCHES:
            for start in range(0, len(sure), size):
                chunk = set(sure[start : start + size])
                searches += 1
                if is_illegal(doubting(ops, doubted | chunk)):
                    doubted |= chunk
            sure = [number for number in sure if number not in doubted]
            size = min(size // 2, len(sure))
    return sorted((op for op in ops if op.certain and op.number not in doubted), key=lambda op: op.begun)


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
