"""The database's CHECK of each status column lists the states of its machine, no more and no fewer."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Enum, text

from core.db import Database
from core.states import Machine
from models import Base
from services.amendments import AMENDMENT
from services.bookings.rows import BOOKING
from services.extras import EXTRA
from services.flights import FLIGHT
from services.holds import HOLD
from services.payments import PAYMENT
from services.refunds import REFUND
from services.seats import SEAT
from services.tickets import TICKET

COLUMNS: dict[str, Machine] = {  # type: ignore[type-arg]
    "amendments": AMENDMENT,
    "booking_extras": EXTRA,
    "bookings": BOOKING,
    "claims": SEAT,
    "flights": FLIGHT,
    "holds": HOLD,
    "payments": PAYMENT,
    "refunds": REFUND,
    "tickets": TICKET,
}


async def checked(database: Database, table: str, column: str) -> set[str]:
    """The words that a column's CHECK allows."""
    defined = """
        SELECT pg_get_constraintdef(oid) FROM pg_constraint
        WHERE contype = 'c' AND conrelid = CAST(:table AS regclass) AND conname = :name
    """
    async with database.reading() as session:
        said = await session.scalar(text(defined), {"table": table, "name": f"ck_{table}_{column}"})
    assert said is not None, (table, column)
    return set(re.findall(r"'([A-Z_]+)'", said))


@pytest.mark.parametrize("table", COLUMNS)
async def test_a_machines_states_are_its_columns(database: Database, table: str) -> None:
    assert await checked(database, table, "status") == {str(state) for state in COLUMNS[table].states}


async def test_every_column_of_words_is_checked(database: Database) -> None:
    for table in Base.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, Enum):
                assert await checked(database, table.name, column.name) == set(column.type.enums), column


async def test_what_is_no_state_is_refused_by_the_database(database: Database) -> None:
    statement = "INSERT INTO claims VALUES (1, '1A', 'GONE', NULL, NULL, 1, now())"
    with pytest.raises(Exception, match="ck_claims_status"):
        async with database.transaction() as session:
            await session.execute(text(statement))
