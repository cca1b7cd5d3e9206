"""Every machine of Jetway: each status is reached, each move that is not listed is refused."""

from __future__ import annotations

import importlib
import pkgutil
from enum import StrEnum

import pytest

import models
import services
from core.states import Machine, WrongState
from services.amendments.rows import AMENDMENT
from services.bookings.rows import BOOKING
from services.extras.orders import EXTRA
from services.flights import FLIGHT
from services.holds import HOLD
from services.payments import PAYMENT
from services.refunds import REFUND
from services.seats import SEAT
from services.tickets import TICKET

MACHINES: tuple[Machine[StrEnum], ...] = (  # type: ignore[assignment]
    AMENDMENT,
    BOOKING,
    EXTRA,
    FLIGHT,
    HOLD,
    PAYMENT,
    REFUND,
    SEAT,
    TICKET,
)
by_name = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


def walked(machine: Machine[StrEnum]) -> set[StrEnum]:
    """Every status that a thing can be moved to from its first, by asking the machine alone."""
    reached, waiting = {machine.initial}, [machine.initial]
    while waiting:
        current = waiting.pop()
        following = {state for state in machine.states if machine.allows(current, state)} - reached
        reached |= following
        waiting += following
    return reached


def test_no_machine_is_forgotten_here() -> None:
    found = {
        id(value): value
        for module in pkgutil.walk_packages(services.__path__, "services.")
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, Machine)
    }
    assert sorted(machine.name for machine in found.values()) == sorted(machine.name for machine in MACHINES)


@by_name
def test_every_status_is_reached(machine: Machine[StrEnum]) -> None:
    assert walked(machine) == set(machine.states)


@by_name
def test_every_move_that_is_not_listed_is_refused(machine: Machine[StrEnum]) -> None:
    listed = set(machine.transitions())
    for current in machine.states:
        for to in machine.states:
            if (current, to) in listed:
                machine.check(current, to)
            else:
                with pytest.raises(WrongState, match=f"A {machine.name} that is {current} cannot become {to}"):
                    machine.check(current, to)


@by_name
def test_the_diagram_has_every_move(machine: Machine[StrEnum]) -> None:
    lines = machine.diagram().splitlines()[1:]
    finals = [state for state in machine.states if machine.is_final(state)]
    assert len(lines) == 1 + len(list(machine.transitions())) + len(finals)
    assert lines[0] == f"    [*] --> {machine.initial}"


def test_every_status_of_a_table_that_moves_has_a_machine() -> None:
    """A status enum without a machine would be one that anything may follow."""
    static = {"SlotStatus"}  # set with its flight's status, by services/flights.py
    named = {name for name in models.__all__ if name.endswith("Status")}
    assert named - static == {machine.states.__name__ for machine in MACHINES}
