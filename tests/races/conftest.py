"""A database with a connection for each of many rivals, and a clock that stands at noon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from core.db import Database
from core.settings import asyncpg_url
from tests.fakes.clock import set_clock

RIVALS = 50


@pytest.fixture
async def crowd(database_url: str) -> AsyncIterator[Database]:
    """The test's database, for `RIVALS` transactions at once."""
    database = Database(asyncpg_url(database_url), pool_size=RIVALS)
    yield database
    await database.close()


@pytest.fixture
async def noon(database: Database) -> datetime:
    """The moment at which the test's database stands, until its clock is set anew."""
    moment = datetime.now(UTC)
    await set_clock(database, moment)
    return moment
