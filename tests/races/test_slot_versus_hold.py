"""A slot is closed, put off or given other seats while it is sold: whoever does so meets every hold on it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text

from core.db import Database
from services import holds
from tests.factories.holds import CAUSE, GUEST, key, placing, pools, seats, want
from tests.factories.requests import outcomes, request, take
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

CHANGES = {
    "SLOT_CLOSED": "UPDATE slots SET status = 'CLOSED' WHERE id = :id",
    "LAYOUT_CHANGED": """
        WITH made AS (INSERT INTO layouts (code, sections) VALUES ('other', '[]') RETURNING id)
        UPDATE slots SET layout_id = made.id FROM made WHERE slots.id = :id""",
}
"""What a buyer is told, and what was done to the slot."""

LIVE = "SELECT count(*) FROM holds JOIN hold_items ON hold_id = holds.id WHERE slot_id = :id AND status = 'ACTIVE'"


async def layout(database: Database, slot_id: int) -> int:
    """The layout that a buyer knows of the slot."""
    async with database.reading() as session:
        return int(
            (await session.execute(text("SELECT layout_id FROM slots WHERE id = :id"), {"id": slot_id})).scalar_one()
        )


async def change(database: Database, slot_id: int, statement: str) -> int:
    """Change the slot; how many live holds are met on it."""
    async with database.transaction() as session:
        await session.execute(text(statement), {"id": slot_id})
        return int((await session.execute(text(LIVE), {"id": slot_id})).scalar_one())


async def without(database: Database, statement: str) -> None:
    """Take a guard away."""
    async with database.transaction() as session:
        await (await session.connection()).exec_driver_sql(statement)


@pytest.fixture
async def buyer(database: Database, schedule: Schedule) -> AsyncIterator[asyncpg.Connection]:
    """A process's connection. 3D was somebody's, and is free again."""
    async with placing(database) as placer:
        placed = await placer.place(GUEST, [want(schedule.first, "3D")], 15, key())
    async with database.transaction() as session:
        await holds.release(session, placed.id, CAUSE)
    connection = await database.connect(lock_timeout="20s")
    yield connection
    await connection.close()


async def told_late(database: Database, slot_id: int, buyer: asyncpg.Connection, statement: str) -> list[str]:
    """What a buyer is told who has looked at the slot before it was changed, and writes after that."""
    wanted = request(slot_id, "3D", layout_id=await layout(database, slot_id))
    async with database.transaction() as session:
        await session.execute(text("SELECT FROM claims WHERE unit = '3D' FOR UPDATE"))
        late = asyncio.create_task(take(buyer, wanted))
        await until_blocked(database)
        assert await change(database, slot_id, statement) == 0
    return outcomes(await late)


@pytest.mark.parametrize("outcome", CHANGES)
async def test_a_hold_is_not_placed_on_what_was_changed_meanwhile(
    database: Database, schedule: Schedule, buyer: asyncpg.Connection, outcome: str
) -> None:
    assert await told_late(database, schedule.first, buyer, CHANGES[outcome]) == [outcome]
    assert await seats(database, schedule.first) in ({"3D": "AVAILABLE"}, {})
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}


@pytest.mark.parametrize("outcome", CHANGES)
async def test_control_without_a_second_look_it_is(
    database: Database, schedule: Schedule, buyer: asyncpg.Connection, outcome: str
) -> None:
    async with database.reading() as session:
        source = await session.scalar(text("SELECT pg_get_functiondef('take_holds'::regproc)"))
    blind, times = re.subn(r"RAISE EXCEPTION 'a slot was changed'", "RAISE DEBUG 'a slot was changed'", str(source))
    assert times == 1
    await without(database, blind)
    assert await told_late(database, schedule.first, buyer, CHANGES[outcome]) == ["PLACED"]
    assert await pools(database, schedule.first) == {"ECONOMY": (1, 0), "FIRST": (0, 0)}


@pytest.mark.parametrize("outcome", CHANGES)
async def test_whoever_changes_it_meets_the_hold_that_is_being_placed(
    database: Database, schedule: Schedule, buyer: asyncpg.Connection, outcome: str
) -> None:
    async with buyer.transaction():
        assert outcomes(await take(buyer, request(schedule.first, "2A"))) == ["PLACED"]
        staff = asyncio.create_task(change(database, schedule.first, CHANGES[outcome]))
        await until_blocked(database)
    assert await staff == 1


@pytest.mark.parametrize("outcome", CHANGES)
async def test_control_without_the_trigger_it_is_missed(
    database: Database, schedule: Schedule, buyer: asyncpg.Connection, outcome: str
) -> None:
    await without(database, "ALTER TABLE slots DISABLE TRIGGER meet_holds")
    async with buyer.transaction():
        assert outcomes(await take(buyer, request(schedule.first, "2A"))) == ["PLACED"]
        assert await change(database, schedule.first, CHANGES[outcome]) == 0


async def test_what_is_no_change_waits_for_nobody(
    database: Database, schedule: Schedule, buyer: asyncpg.Connection
) -> None:
    async with buyer.transaction():
        assert outcomes(await take(buyer, request(schedule.first, "2A"))) == ["PLACED"]
        assert await change(database, schedule.first, "UPDATE slots SET status = 'OPEN' WHERE id = :id") == 0
