"""A clock that stands still, and a hold placed at that moment."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.db import Database
from tests.factories.holds import place
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock


@pytest.fixture
async def noon(database: Database) -> datetime:
    """The moment at which the database's clock stands."""
    moment = datetime.now(UTC)
    await set_clock(database, moment)
    return moment


@pytest.fixture
async def held(database: Database, schedule: Schedule, noon: datetime) -> UUID:
    """A guest's hold of 2A and 2B on the first flight, placed at noon for fifteen minutes."""
    return await place(database, schedule.first, "2A", "2B")
