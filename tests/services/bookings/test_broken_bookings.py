"""A booking that cannot be expired is told to whoever keeps Jetway running, and keeps no other booking waiting."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from core.db import Database
from models import Booking
from services import bookings, outbox, sweeping
from services.bookings import Broken, expiry
from tests.factories.bookings import Desk, facts_of, pass_time
from tests.fakes.ticking import Ticking

LATE = timedelta(minutes=16)


async def sweep(database: Database, broken: Broken, limit: int = 10) -> int:
    async with database.transaction() as session:
        return await bookings.expire_abandoned(session, limit, broken)


async def statuses(database: Database) -> dict[UUID, str]:
    async with database.reading() as session:
        return {row.id: row.status for row in await session.execute(text("SELECT id, status FROM bookings"))}


def failures() -> float:
    (metric,) = expiry.FAILURES.collect()
    return metric.samples[0].value


async def refuse(database: Database, booking: Booking, code: str) -> None:
    """Have PostgreSQL refuse every change of that booking, with that SQLSTATE."""
    async with database.transaction() as session:
        await session.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END $$"
            )
        )
        await session.execute(
            text(
                "CREATE TRIGGER refuse BEFORE UPDATE ON bookings FOR EACH ROW"
                f" WHEN (OLD.id = '{booking.id}') EXECUTE FUNCTION refuse()"
            )
        )


async def relent(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("DROP TRIGGER refuse ON bookings"))


@pytest.mark.parametrize("others", [1, 4])
async def test_all_others_are_expired(desk: Desk, others: int) -> None:
    stuck = await desk.booked("3A")
    ids = [(await desk.booked(unit)).id for unit in ("3B", "3C", "3D", "2A")[:others]]
    await refuse(desk.database, stuck, "23514")
    await pass_time(desk.database, LATE)
    before = failures()
    with capture_logs() as logs:
        assert await sweep(desk.database, Broken()) == others
    assert await statuses(desk.database) == {stuck.id: "SEATS_LOCKED", **dict.fromkeys(ids, "EXPIRED")}
    for booking_id in ids:
        assert (await facts_of(desk.database, outbox.booking_stream(booking_id))).count("booking.expired") == 1
    assert "booking.expired" not in await facts_of(desk.database, outbox.booking_stream(stuck.id))
    ((event, booking),) = [(line["event"], line["booking"]) for line in logs]
    assert (event, booking, failures()) == ("booking.expiry_failed", str(stuck.id), before + 1)


async def test_it_is_passed_over_for_a_while_and_then_tried_again(desk: Desk) -> None:
    clock = Ticking()
    broken, stuck = Broken(clock), await desk.booked("3A")
    await refuse(desk.database, stuck, "23514")
    await pass_time(desk.database, LATE)
    before = failures()
    assert [await sweep(desk.database, broken) for _ in range(2)] == [0, 0]
    assert failures() == before + 1
    await relent(desk.database)
    assert await sweep(desk.database, broken) == 0
    clock.tick(sweeping.SET_ASIDE_SECONDS)
    assert await sweep(desk.database, broken) == 1
    assert await statuses(desk.database) == {stuck.id: "EXPIRED"}


async def test_whoever_was_in_the_way_is_no_fault_of_a_booking(desk: Desk) -> None:
    booking = await desk.booked("3A")
    await refuse(desk.database, booking, "40P01")
    await pass_time(desk.database, LATE)
    before = failures()
    with pytest.raises(asyncpg.DeadlockDetectedError, match="refused"):
        await sweep(desk.database, Broken())
    assert (failures(), await statuses(desk.database)) == (before, {booking.id: "SEATS_LOCKED"})
