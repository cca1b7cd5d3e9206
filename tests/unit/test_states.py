"""Machines: a table that cannot be meant is refused, and nothing but the table decides."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import pytest

from core.states import Machine, Unsound, WrongState


class Door(StrEnum):
    """Three states are enough to go wrong with."""

    OPEN = "OPEN"
    SHUT = "SHUT"
    LOCKED = "LOCKED"


TABLE: Mapping[Door, frozenset[Door]] = {
    Door.OPEN: frozenset({Door.SHUT}),
    Door.SHUT: frozenset({Door.OPEN, Door.LOCKED}),
    Door.LOCKED: frozenset(),
}


def machine(initial: Door = Door.OPEN, **changes: frozenset[Door]) -> Machine[Door]:
    return Machine("door", Door, initial, {**TABLE, **{Door(name): following for name, following in changes.items()}})


def test_the_table_decides() -> None:
    door = machine()
    allowed = {(Door.OPEN, Door.SHUT), (Door.SHUT, Door.OPEN), (Door.SHUT, Door.LOCKED)}
    assert {(a, b) for a in Door for b in Door if door.allows(a, b)} == allowed == set(door.transitions())
    assert [state for state in Door if door.is_final(state)] == [Door.LOCKED]


def test_a_move_that_is_not_listed_is_refused_by_name() -> None:
    with pytest.raises(WrongState, match=r"A door that is LOCKED cannot become OPEN\.") as refusal:
        machine().check(Door.LOCKED, Door.OPEN)
    assert refusal.value.code == "WRONG_STATE"
    machine().check(Door.OPEN, Door.SHUT)


def test_a_state_missing_from_the_table_is_unsound() -> None:
    with pytest.raises(Unsound, match=r"door: not in the table \[.*LOCKED.*\]"):
        Machine("door", Door, Door.OPEN, {state: TABLE[state] for state in (Door.OPEN, Door.SHUT)})


@pytest.mark.parametrize(
    ("initial", "shut"), [(Door.OPEN, frozenset({Door.OPEN})), (Door.LOCKED, frozenset({Door.OPEN, Door.LOCKED}))]
)
def test_a_state_that_nothing_leads_to_is_unsound(initial: Door, shut: frozenset[Door]) -> None:
    with pytest.raises(Unsound, match="never reached"):
        machine(initial, SHUT=shut)


def test_the_table_is_copied() -> None:
    table = dict(TABLE)
    door = Machine("door", Door, Door.OPEN, table)
    table[Door.LOCKED] = frozenset({Door.OPEN})
    assert not door.allows(Door.LOCKED, Door.OPEN)


def test_the_diagram_is_the_table() -> None:
    assert machine().diagram().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> OPEN",
        "    OPEN --> SHUT",
        "    SHUT --> LOCKED",
        "    SHUT --> OPEN",
        "    LOCKED --> [*]",
    ]
