"""Record locators: six characters by which a booking is found again, each given out once.

Every locator stands in a registry of its own, so that bookings can be partitioned and the name stays unique.
"""

from __future__ import annotations

from uuid import UUID

from core.errors import Unavailable
from core.ids import record_locator
from core.rows import Writer

TRIES = 8
"""With half of all 900 million locators in use, one booking in 256 would need more."""


DRAW = "INSERT INTO locators (pnr, booking_id) VALUES ($1, $2) ON CONFLICT (pnr) DO NOTHING RETURNING pnr"


async def draw(writer: Writer, booking_id: UUID) -> str:
    """A locator that nobody has, now the booking's. A collision costs one more try; raises Unavailable after eight."""
    for _ in range(TRIES):
        for (pnr,) in await writer.fetch(DRAW, record_locator(), booking_id):
            return str(pnr)
    raise Unavailable("No record locator could be found. Try again.")
