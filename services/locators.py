"""Record locators: six characters by which a booking is found again, each given out once.

Every locator stands in a registry of its own, so that bookings can be partitioned and the name stays unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from core.errors import Unavailable
from core.ids import record_locator
from core.rows import Writer

TRIES = 8
"""With half of all 900 million locators in use, one booking in 256 would need more."""

DRAW = "INSERT INTO locators (pnr, booking_id) VALUES ($1, $2) ON CONFLICT (pnr) DO NOTHING RETURNING pnr"


async def draw(writer: Writer, booking_id: UUID, statement: str = DRAW, *values: object) -> Sequence[Any]:
    """The row of a statement that gives the booking a locator which nobody has, by DRAW, and does all that hangs on it.

    Such a statement does nothing, and returns nothing, where somebody has that locator. A collision costs one more try;
    raises Unavailable after eight.
    """
    for _ in range(TRIES):
        for row in await writer.fetch(statement, record_locator(), booking_id, *values):
            return row
    raise Unavailable("No record locator could be found. Try again.")
