"""A database that a test has used is as good as new, or is not used again."""

from __future__ import annotations

import asyncpg
import pytest

from core.db import Database
from core.embedded import EmbeddedPostgres
from core.settings import asyncpg_url
from tests.factories.schedules import write_schedule
from tests.fakes.furnished import Furnished
from tests.fakes.given import GivenPostgres
from tests.fakes.shelves import MOST_ROWS, Likeness, Shelf, likeness

SHIFTED = "CREATE OR REPLACE FUNCTION jetway_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT now()'"


async def used(shelf: Shelf, *statements: str) -> str:
    """Have a database used in that way, by a connection that is not closed; its address."""
    async with shelf.database() as address:
        connection = await asyncpg.connect(address)
        for statement in statements:
            await connection.execute(statement)
    connection.terminate()
    return address


async def likeness_of(address: str) -> Likeness:
    """What the database there is like."""
    connection = await asyncpg.connect(address)
    try:
        return await likeness(connection)
    finally:
        await connection.close()


async def test_what_a_test_has_written_is_gone(migrated: EmbeddedPostgres | GivenPostgres) -> None:
    shelf = Shelf(migrated.url())
    async with shelf.database() as address:
        fresh = await likeness_of(address)
        database = Database(asyncpg_url(address))
        await write_schedule(database)
        await database.close()
    await used(shelf, SHIFTED, "UPDATE relay_heads SET position = 7", "SELECT nextval('claim_versions')")
    async with shelf.database() as again:
        assert (again, await likeness_of(again)) == (address, fresh)


async def test_so_is_a_schedule_that_a_test_has_changed(shelf: Shelf) -> None:
    furnished = Furnished(shelf)
    async with furnished.place(days_ahead=10) as place:
        fresh = await likeness_of(place.url)
    assert {"flights", "slots", "pools", "layout_units", "fares"} <= fresh.furnished.keys()
    async with furnished.place(days_ahead=10) as again:
        connection = await asyncpg.connect(again.url)
        await connection.execute(
            "UPDATE pools SET authorised = 1; DELETE FROM fares; UPDATE slots SET status = 'CLOSED'"
        )
    connection.terminate()
    async with furnished.place(days_ahead=10) as last:
        assert (last, await likeness_of(last.url)) == (place, fresh)


async def test_what_was_changed_and_changed_back_is_used_again(migrated: EmbeddedPostgres | GivenPostgres) -> None:
    shelf = Shelf(migrated.url())
    there_and_back = [f"ALTER TABLE ledger {way} TRIGGER append_only" for way in ("DISABLE", "ENABLE")]
    address = await used(shelf, *there_and_back)
    assert await used(shelf) == address


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE left_over (id int)",
        "ALTER TABLE ledger DISABLE TRIGGER append_only",
        "ALTER TABLE claims DROP CONSTRAINT ck_claims_locked_has_deadline",
        "CREATE FUNCTION left_over() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        f"INSERT INTO products (kind, code, name) SELECT 'FLIGHT', n, n FROM generate_series(0, {MOST_ROWS}) AS n",  # noqa: S608
    ],
)
async def test_what_is_not_as_it_was_is_not_used_again(
    migrated: EmbeddedPostgres | GivenPostgres, statement: str
) -> None:
    shelf = Shelf(migrated.url())
    address = await used(shelf, statement)
    assert await used(shelf) != address
