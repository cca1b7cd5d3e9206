"""Whoever holds best seats, as a process has it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.db import Database
from services.holds.best_seats import BestSeatsClerk
from services.seats import Plans
from tests.factories.holds import placing


@pytest.fixture
async def clerk(database: Database) -> AsyncIterator[BestSeatsClerk]:
    """This process's."""
    async with placing(database) as placer:
        yield BestSeatsClerk(db=database, plans=Plans(), placer=placer)
