"""Record locators: six characters by which a booking is found again, each given out once.

Every locator stands in a registry of its own, so that bookings can be partitioned and the name stays unique.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from core.db import Session
from core.errors import Unavailable
from core.ids import record_locator
from models import Locator

TRIES = 8
"""With half of all 900 million locators in use, one booking in 256 would need more."""


async def draw(session: Session, booking_id: UUID) -> str:
    """A locator that nobody has, now the booking's. A collision costs one more try; raises Unavailable after eight."""
    for _ in range(TRIES):
        taken = insert(Locator).values(pnr=record_locator(), booking_id=booking_id)
        free = taken.on_conflict_do_nothing(index_elements=[Locator.pnr]).returning(Locator.pnr)
        pnr: str | None = await session.scalar(free)
        if pnr is not None:
            return pnr
    raise Unavailable("No record locator could be found. Try again.")
