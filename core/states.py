"""State machines as data: which status may follow which.

A `Machine` is a table; nothing else in Jetway says what may follow what. The database's CHECK lists the same states,
the diagrams in the docs are printed from the table, and tests walk it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from core.errors import Conflict

State = TypeVar("State", bound=StrEnum)


class WrongState(Conflict):
    """The thing is in a state from which the asked-for one cannot be reached."""

    default_code = "WRONG_STATE"


class Unsound(ValueError):
    """A transition table that cannot be meant: a state without an entry, or one that nothing leads to."""


class Machine(Generic[State]):
    """The transitions of one kind of thing: `table[a]` are the states that may follow `a`; `initial` is the first.

    Raises Unsound where a state is missing from the table or cannot be reached from `initial`.
    """

    def __init__(
        self,
        name: str,
        states: type[State],
        initial: State,
        table: Mapping[State, frozenset[State]],
    ) -> None:
        self.name = name
        self.states = states
        self.initial = initial
        self._table = dict(table)
        missing = set(states) - set(self._table)
        unreachable = set(states) - self._reachable()
        if missing or unreachable:
            raise Unsound(f"{name}: not in the table {sorted(missing)}, never reached {sorted(unreachable)}")

    def allows(self, current: State, to: State) -> bool:
        """Whether `to` may follow `current`."""
        return to in self._table[current]

    def check(self, current: State, to: State) -> None:
        """Raises WrongState unless `to` may follow `current`."""
        if not self.allows(current, to):
            raise WrongState(f"A {self.name} that is {current} cannot become {to}.")

    def is_final(self, state: State) -> bool:
        """Whether nothing follows `state`."""
        return not self._table[state]

    def transitions(self) -> Iterator[tuple[State, State]]:
        """Every allowed pair, in the order of the table."""
        for current, following in self._table.items():
            for to in sorted(following):
                yield current, to

    def diagram(self) -> str:
        """The table as a Mermaid state diagram, for the docs."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        lines += [f"    {current} --> {to}" for current, to in self.transitions()]
        lines += [f"    {state} --> [*]" for state in self.states if self.is_final(state)]
        return "\n".join(lines)

    def _reachable(self) -> set[State]:
        reached: set[State] = set()
        waiting = [self.initial]
        while waiting:
            state = waiting.pop()
            if state not in reached:
                reached.add(state)
                waiting.extend(self._table.get(state, ()))
        return reached
