"""Claims, then the hold, then the moment, in one statement: in that order, and each as it is once it was waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from core.db import Database, Session
from core.keys import Keyring
from models import HoldStatus
from services import holds
from services.bookings import rows
from services.holds import Locked
from services.seats import Plans
from tests.factories.bookings import Desk
from tests.factories.holds import CAUSE, GUEST, key, place
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

WITHOUT_STEPS = """
    SELECT holds.expires_at FROM holds JOIN claims ON claims.hold_id = holds.id
    WHERE holds.id = $1 ORDER BY claims.slot_id, claims.unit FOR UPDATE
"""
"""Locks the hold with the first of its claims, before the others."""

ONLY_READ = """
    WITH theirs AS MATERIALIZED (SELECT FROM claims WHERE hold_id = $1 ORDER BY slot_id, unit FOR UPDATE)
    SELECT status FROM holds WHERE id = $1 AND (SELECT count(*) >= 0 FROM theirs)
"""


@pytest.fixture
async def held(database: Database, schedule: Schedule) -> UUID:
    """A hold of two seats."""
    return await place(database, schedule.first, "2A", "2B")


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """Where bookings are made."""
    return Desk(database, keyring, plans, schedule)


async def lock(database: Database, hold_id: UUID) -> Locked:
    async with database.transaction() as session:
        return await holds.lock_now(session, hold_id)


async def ask(database: Database, statement: str, *values: object) -> object:
    """What a statement says in a transaction of its own."""
    async with database.transaction() as session:
        return (await session.fetch(statement, *values))[0][0]


async def is_locked(database: Database, hold_id: UUID) -> bool:
    """Whether somebody has locked the hold's row."""
    async with database.transaction() as session:
        return not await session.fetch("SELECT id FROM holds WHERE id = $1 FOR UPDATE SKIP LOCKED", hold_id)


@asynccontextmanager
async def at_work_on(database: Database, unit: str) -> AsyncIterator[Session]:
    """Somebody has locked a seat."""
    async with database.transaction() as session:
        await session.execute(text("SELECT FROM claims WHERE unit = :unit FOR UPDATE"), {"unit": unit})
        yield session


async def test_whoever_waits_for_a_claim_has_not_locked_the_hold(database: Database, held: UUID) -> None:
    async with at_work_on(database, "2B"):
        waiting = asyncio.create_task(lock(database, held))
        await until_blocked(database)
        assert not await is_locked(database, held)
    assert (await waiting).hold.status is HoldStatus.ACTIVE


async def test_control_without_steps_the_hold_is_locked_before_its_last_claim(database: Database, held: UUID) -> None:
    async with at_work_on(database, "2B"):
        waiting = asyncio.create_task(ask(database, WITHOUT_STEPS, held))
        await until_blocked(database)
        assert await is_locked(database, held)
    await waiting


async def test_the_hold_is_as_whoever_was_first_has_left_it(database: Database, held: UUID) -> None:
    async with database.transaction() as session:
        await holds.release(session, held, CAUSE)
        waiting = asyncio.create_task(lock(database, held))
        await until_blocked(database)
    assert (await waiting).hold.status is HoldStatus.RELEASED


async def test_control_what_is_only_read_is_as_it_was_before(database: Database, held: UUID) -> None:
    async with database.transaction() as session:
        await holds.release(session, held, CAUSE)
        waiting = asyncio.create_task(ask(database, ONLY_READ, held))
        await until_blocked(database)
    assert await waiting == "ACTIVE"


async def test_a_deadline_that_was_moved_meanwhile_is_seen(database: Database, held: UUID) -> None:
    async with database.transaction() as session:
        extended = await holds.extend(session, held, GUEST, key())
        waiting = asyncio.create_task(lock(database, held))
        await until_blocked(database)
    assert ((await waiting).hold.expires_at, extended.extensions) == (extended.expires_at, 1)


async def test_the_moment_is_that_at_which_all_is_locked(database: Database, held: UUID) -> None:
    async with at_work_on(database, "2B"):
        waiting = asyncio.create_task(lock(database, held))
        await until_blocked(database)
        still_waiting = await ask(database, "SELECT jetway_now()")
    assert isinstance(still_waiting, datetime)
    assert (await waiting).moment > still_waiting


async def test_control_a_statement_s_own_moment_is_that_at_which_it_began(database: Database, held: UUID) -> None:
    async with at_work_on(database, "2B"):
        waiting = asyncio.create_task(ask(database, WITHOUT_STEPS.replace("holds.expires_at", "now()"), held))
        await until_blocked(database)
        still_waiting = await ask(database, "SELECT jetway_now()")
    assert isinstance(still_waiting, datetime)
    began = await waiting
    assert isinstance(began, datetime)
    assert began - still_waiting < timedelta()


async def test_a_booking_is_locked_after_its_hold_and_is_as_it_was_left(desk: Desk) -> None:
    booking = await desk.booked("2A")
    async with desk.database.transaction() as session:
        await holds.lock(session, booking.hold_id)
        waiting = asyncio.create_task(lock_all(desk.database, booking.id))
        await until_blocked(desk.database)
        await session.execute(text("UPDATE bookings SET status = 'PAYMENT_PENDING'"))
        await holds.release(session, booking.hold_id, CAUSE, booked=True)
    assert await waiting == ("PAYMENT_PENDING", "RELEASED")


async def lock_all(database: Database, booking_id: UUID) -> tuple[str, str]:
    """Lock a booking with its hold; what they are then."""
    async with database.transaction() as session:
        booking, locked = await rows.locked_with_hold(session, booking_id)
        return booking.status, locked.hold.status
