"""Migrations: there and back leaves nothing, there again leaves the same, and the models say what they make."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from core.embedded import EmbeddedPostgres
from models import Base

ROOT = Path(__file__).parents[2]
NAME = "migrations"

SCHEMA = """
    SELECT 'column' AS kind, table_name || '.' || column_name AS name,
           concat_ws(' ', data_type, udt_name, character_maximum_length, collation_name, is_nullable, column_default,
                     is_identity, identity_generation) AS definition
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'table', relname, array_to_string(reloptions, ',')
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'sequence', sequencename, concat_ws(' ', start_value, increment_by, cache_size)
    FROM pg_sequences WHERE schemaname = 'public'
    UNION ALL
    SELECT 'function', oid::regprocedure::text, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'enum', enumtypid::regtype::text, string_agg(enumlabel, ',' ORDER BY enumsortorder)
    FROM pg_enum GROUP BY enumtypid
    ORDER BY 1, 2
"""


@pytest.fixture
async def empty(postgres: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database in which nothing has been done."""
    admin = await asyncpg.connect(postgres.url("postgres"))
    await admin.execute(f"CREATE DATABASE {NAME} TEMPLATE template0")
    connection = await asyncpg.connect(postgres.url(NAME))
    try:
        yield connection
    finally:
        await connection.close()
        await admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
        await admin.close()


def alembic(postgres: EmbeddedPostgres, *arguments: str) -> str:
    """Run alembic as an operator would; what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", ROOT / "alembic.ini", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": postgres.url(NAME)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def schema(connection: asyncpg.Connection) -> dict[tuple[str, str], str]:
    """Everything that migrations make, by kind and name."""
    return {(row["kind"], row["name"]): row["definition"] for row in await connection.fetch(SCHEMA)}


async def test_up_down_up(postgres: EmbeddedPostgres, empty: asyncpg.Connection) -> None:
    assert await schema(empty) == {}
    alembic(postgres, "upgrade", "head")
    made = await schema(empty)
    assert {name for kind, name in made if kind == "table"} >= set(Base.metadata.tables)
    assert {name.split("(")[0] for kind, name in made if kind == "function"} >= {"take_holds", "jetway_now"}
    alembic(postgres, "downgrade", "base")
    left = await schema(empty)
    assert {name for kind, name in left if kind == "table"} == {"alembic_version"}
    assert {kind for kind, _ in left} == {"table", "column", "constraint", "index"}
    alembic(postgres, "upgrade", "head")
    assert await schema(empty) == made


async def test_models_are_what_migrations_make(postgres: EmbeddedPostgres, empty: asyncpg.Connection) -> None:
    alembic(postgres, "upgrade", "head")
    assert "No new upgrade operations detected." in alembic(postgres, "check")
    made = await schema(empty)
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            assert ("constraint", f"{table.name}.{constraint.name}") in made


async def test_migrating_again_changes_nothing(postgres: EmbeddedPostgres, empty: asyncpg.Connection) -> None:
    alembic(postgres, "upgrade", "head")
    made = await schema(empty)
    alembic(postgres, "upgrade", "head")
    assert await schema(empty) == made
    assert len(alembic(postgres, "heads").split("\n")) == 2
