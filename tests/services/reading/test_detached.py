"""Rows of models by plain statements: shown on their own, or known to a session that writes what is changed of them."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func

from core.db import Database
from core.detached import Detached
from core.ids import uuid7
from models import Hold, HoldStatus

HOLDS = Detached(Hold)
ONE = f"SELECT {HOLDS.columns} FROM holds WHERE id = $1"  # noqa: S608 - our own words


def new() -> Hold:
    """A hold that PostgreSQL gives its times."""
    now = func.jetway_now()
    return Hold(id=uuid7(), status=HoldStatus.ACTIVE, minutes=15, created_at=now, expires_at=now, cap_at=now)


async def stored(database: Database, id_: UUID) -> Hold:
    """The hold as it is committed."""
    (columns,) = await database.reader(primary=True).fetch(ONE, id_)
    return HOLDS.row(columns)


async def test_a_new_row_has_what_postgres_computed(database: Database) -> None:
    hold = new()
    async with database.transaction() as session:
        await session.insert(hold)
        assert (hold.extensions, hold.created_at.tzinfo, hold in session.dirty) == (0, UTC, False)
    found = await stored(database, hold.id)
    assert (found.status, found.created_at, found.owner_id) == (HoldStatus.ACTIVE, hold.created_at, None)


async def test_what_was_changed_is_saved_and_leaves_nothing_to_flush(database: Database) -> None:
    hold = new()
    async with database.transaction() as session:
        await session.insert(hold)
    async with database.transaction() as session:
        (columns,) = await session.fetch(f"{ONE} FOR UPDATE", hold.id)
        known = HOLDS.known(session, columns)
        known.extensions, known.status = 2, HoldStatus.RELEASED
        await session.save(known)
        assert (known in session.dirty, known.extensions) == (False, 2)
        await session.fetch("UPDATE holds SET extensions = 1 WHERE id = $1", hold.id)
    found = await stored(database, hold.id)
    assert (found.extensions, found.status) == (1, HoldStatus.RELEASED)


async def test_what_was_changed_is_there_for_the_next_statement(database: Database) -> None:
    hold = new()
    async with database.transaction() as session:
        await session.insert(hold)
        hold.extensions = 2
        ((extensions,),) = await session.fetch("SELECT extensions FROM holds WHERE id = $1", hold.id)
    assert extensions == 2


async def test_a_row_that_is_read_again_is_the_same_as_it_is_now(database: Database) -> None:
    hold = new()
    async with database.transaction() as session:
        await session.insert(hold)
        await session.fetch("UPDATE holds SET extensions = 1 WHERE id = $1", hold.id)
        (columns,) = await session.fetch(ONE, hold.id)
        assert HOLDS.known(session, columns) is hold
        assert (hold.extensions, hold in session.dirty) == (1, False)


async def test_changing_a_row_that_is_only_shown_changes_nothing(database: Database) -> None:
    hold = new()
    async with database.transaction() as session:
        await session.insert(hold)
    shown = await stored(database, hold.id)
    shown.extensions = 2
    assert (await stored(database, hold.id)).extensions == 0


async def test_a_refusal_is_told_as_the_driver_tells_it(database: Database) -> None:
    for before in ([], ["SELECT 1"]):

        async def refused(before: list[str] = before) -> None:
            async with database.transaction() as session:
                for statement in before:
                    await session.fetch(statement)
                await session.fetch("SELECT 1 / $1::int", 0)

        with pytest.raises(asyncpg.DivisionByZeroError):
            await refused()
