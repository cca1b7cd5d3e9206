"""A counter at the small schedule, with payments that nobody has begun yet."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.db import Database
from core.keys import Keyring
from models import Booking
from services.seats import Plans
from tests.factories.bookings import Desk
from tests.factories.schedules import Schedule


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter that sells."""
    return Desk(database, keyring, plans, schedule)


@pytest.fixture
async def booking(desk: Desk) -> Booking:
    """A booking that waits for its money."""
    return await desk.booked("3A")


@pytest.fixture
async def no_rules(database: Database) -> None:
    """No rule but those that a test makes."""
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM fraud_rules"))
