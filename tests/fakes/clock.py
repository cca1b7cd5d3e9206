"""The database's clock, standing where a test puts it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from core.db import Database


async def set_clock(database: Database, moment: datetime) -> None:
    """Let `jetway_now()`, by which deadlines are decided, answer `moment` until it is set again."""
    async with database.transaction() as session:
        await session.execute(
            text(
                "CREATE OR REPLACE FUNCTION jetway_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS"
                f" $$ SELECT timestamptz '{moment.isoformat()}' $$"
            )
        )
