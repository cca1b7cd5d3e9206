"""Waiting until a transaction waits for another one: how a race is run in one order, every time."""

from __future__ import annotations

from sqlalchemy import text

from core.db import Database
from tests.fakes.waiting import eventually

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def until_blocked(database: Database, count: int = 1) -> None:
    """Return once `count` transactions of this database wait for a lock."""

    async def enough() -> bool:
        async with database.reading() as session:
            return int((await session.execute(WAITING)).scalar_one()) >= count

    await eventually(enough)
