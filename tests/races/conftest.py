"""A database with a connection for each of many rivals."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.db import Database
from core.settings import asyncpg_url

RIVALS = 50


@pytest.fixture
async def crowd(database_url: str) -> AsyncIterator[Database]:
    """The test's database, for `RIVALS` transactions at once."""
    database = Database(asyncpg_url(database_url), pool_size=RIVALS)
    yield database
    await database.close()
