"""Wishes for best seats, and cabins large enough to wish in."""

from __future__ import annotations

from sqlalchemy import text

from core.db import Database
from models import Cabin
from services.fares import Party
from services.holds.best_seats import BestSeatsWanted
from services.seats.suggestions import BestSeats
from services.seats.wishes import SeatWish
from tests.factories.cabins import party

GROW = """
    INSERT INTO layout_units (layout_id, unit, section, row_number, column_letter, position,
                              exit_row, extra_legroom, accessible)
    SELECT layout_id, number || column_letter, section, number, column_letter, position, false, false, false
    FROM layout_units, generate_series(4, :last) AS number WHERE row_number = 3
"""
SELL = """
    UPDATE pools SET capacity = few.seats, authorised = few.seats,
                     class_limits = array_fill(few.seats, ARRAY[cardinality(classes)])
    FROM (SELECT CAST(:seats AS int) AS seats) AS few WHERE code = 'ECONOMY'
"""


def best(slot_id: int, *wishes: SeatWish, cabin: Cabin = Cabin.ECONOMY, near: str | None = None) -> BestSeats:
    """The best seats of that flight."""
    return BestSeats(slot_id=slot_id, cabin=cabin, wishes=wishes, near=near)


def wanted(*flights: BestSeats, travelling: Party | None = None, minutes: int = 15) -> BestSeatsWanted:
    """The best seats for two adults, or whoever is travelling."""
    return BestSeatsWanted(flights=flights, party=travelling or party(2), minutes=minutes)


async def grow(database: Database, rows: int) -> int:
    """Give ECONOMY so many rows, the first of them row 2, beside the exit; how many seats that is."""
    seats = 4 * rows
    async with database.transaction() as session:
        await session.execute(text(GROW), {"last": rows + 1})
        await session.execute(text(SELL), {"seats": seats})
    return seats
