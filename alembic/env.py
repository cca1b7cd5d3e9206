"""Runs migrations over asyncpg against DATABASE_URL, one transaction each, and never twice at once.

An advisory lock keeps two starting servers from migrating together: the second waits, and finds nothing to do.
"""

from __future__ import annotations

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core.settings import asyncpg_url, required
from models import Base

MIGRATION_LOCK = 7_403_122_018
"""An arbitrary key: whoever holds this advisory lock migrates."""


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Whether a name in the database is compared with the models; the job queue brings its own tables."""
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_server_default=True,
        include_name=is_ours,
    )
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    url = context.config.get_main_option("sqlalchemy.url") or asyncpg_url(required(os.environ, "DATABASE_URL"))
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as guard, engine.connect() as connection:
        await guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


asyncio.run(main())
