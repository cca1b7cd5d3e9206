"""The state machines of a booking's money and papers: every state and move that is listed, and no other."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Enum, Table

from core.states import Machine, WrongState
from models import Base
from services.amendments import AMENDMENT
from services.bookings import BOOKING
from services.extras import EXTRA
from services.payments import OVER, PAYMENT, TAKEN, WAITING
from services.refunds import REFUND
from services.tickets import TICKET

MACHINES: list[Machine[Any]] = [AMENDMENT, BOOKING, EXTRA, PAYMENT, REFUND, TICKET]
PAGES = {"amendment": "changes.md", "extra": "extras.md"}
"""The pages of those that are not on the bookings'."""

TABLES = {"extra": "booking_extras"}
"""The tables of those that are not named like them."""

DOCS = Path(__file__).parents[2] / "docs"

each_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


@each_machine
def test_every_move_is_listed_or_refused(machine: Machine[Any]) -> None:
    listed = set(machine.transitions())
    for current, to in product(machine.states.__members__.values(), repeat=2):
        if (current, to) in listed:
            machine.check(current, to)
        else:
            with pytest.raises(WrongState):
                machine.check(current, to)


@each_machine
def test_the_table_allows_the_same_states(machine: Machine[Any]) -> None:
    table: Table = Base.metadata.tables[TABLES.get(machine.name, f"{machine.name}s")]
    column = table.c.status.type
    assert isinstance(column, Enum)
    assert column.create_constraint
    assert set(column.enums) == {state.value for state in machine.states}


@each_machine
def test_the_diagram_in_the_docs_is_printed_from_the_table(machine: Machine[Any]) -> None:
    assert f"```mermaid\n{machine.diagram()}\n```" in (DOCS / PAGES.get(machine.name, "bookings.md")).read_text()


def test_where_a_booking_ends() -> None:
    ends = {state for state in BOOKING.states if BOOKING.is_final(state)}
    assert ends == {"COMPLETED", "EXPIRED", "FAILED", "CANCELLED", "NO_SHOW"}


def test_a_payment_is_over_waits_or_is_taken_but_never_two_of_these() -> None:
    assert all(PAYMENT.is_final(state) for state in OVER)
    assert len(OVER | WAITING | TAKEN) == len(OVER) + len(WAITING) + len(TAKEN)
    assert set(PAYMENT.states) - OVER - WAITING - TAKEN == {"INITIATED", "REVIEW", "AUTHORIZED"}
