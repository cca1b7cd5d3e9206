"""A counter that sells, and a gateway that takes the money."""

from __future__ import annotations

import pytest

from core.db import Database
from core.keys import Keyring
from services.seats import Plans
from tests.factories.bookings import Desk
from tests.factories.schedules import Schedule

__all__ = ["desk"]


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter at the small schedule."""
    return Desk(database, keyring, plans, schedule)
