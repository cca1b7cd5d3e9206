"""A job stands behind every payment under way, and behind every refund, until it is at its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from core.db import Database
from models import Booking
from services import bookings, jobs
from services.gateways import Gateways
from services.jobs import Entrypoint
from services.payments import PaymentDeclined
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.fakes.clock import set_clock
from tests.fakes.sandbox import Sandbox
from tests.fakes.waiting import eventually

CHALLENGED, BACK = "pm_card_threeDSecure2Required", "https://shop.example/paid"


async def waiting(desk: Desk, gateways: Gateways, used: str = "") -> Booking:
    """A booking whose payer is at their bank."""
    booking = await desk.booked("3A")
    await bookings.pay(desk.database, gateways, booking.id, CHALLENGED, BACK, GUEST, used or key())
    return booking


async def scalar(database: Database, query: str) -> Any:
    async with database.reading() as session:
        return (await session.execute(text(query))).scalar_one()


async def do(database: Database, statement: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement))


async def status(database: Database, booking: Booking) -> str:
    async with database.reading() as session:
        return (await session.get_one(Booking, booking.id)).status


async def revive(database: Database) -> int:
    async with database.transaction() as session:
        return await bookings.revive(session, 10)


async def queued(database: Database) -> list[UUID]:
    """The bookings behind which a job waits."""
    async with database.reading() as session:
        rows = await session.scalars(text("SELECT payload FROM pgqueuer WHERE status = 'queued' ORDER BY id"))
        return [UUID(orjson.loads(row)["booking_id"]) for row in rows]


@asynccontextmanager
async def working(database: Database, database_url: str, gateways: Gateways) -> AsyncIterator[None]:
    """A worker that looks after bookings until the block ends."""

    async def advance(payload: dict[str, Any]) -> timedelta | None:
        return await bookings.advance(database, gateways, UUID(payload["booking_id"]))

    stop = asyncio.Event()
    handlers = dict.fromkeys(Entrypoint, advance)
    task = asyncio.create_task(jobs.consume(database_url, handlers, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait((task,))


async def test_a_payment_that_waits_is_looked_at_again_just_after_its_deadline(desk: Desk, gateways: Gateways) -> None:
    await set_clock(desk.database, datetime.now(UTC))
    booking = await waiting(desk, gateways)
    left = await scalar(desk.database, "SELECT expires_at - jetway_now() FROM holds")
    assert await bookings.advance(desk.database, gateways, booking.id) == left + timedelta(seconds=1)


async def test_however_often_a_request_is_repeated_one_job_stands_behind_it(desk: Desk, gateways: Gateways) -> None:
    used = key()
    booking = await waiting(desk, gateways, used)
    await do(desk.database, "UPDATE pgqueuer SET execute_after = now() + interval '9 minutes'")
    for _ in range(3):
        await bookings.pay(desk.database, gateways, booking.id, CHALLENGED, BACK, GUEST, used)
    soon = "SELECT execute_after <= now() + interval '15 seconds' FROM pgqueuer"
    assert await scalar(desk.database, soon) is True


async def test_a_payment_whose_job_was_lost_gets_another(desk: Desk, gateways: Gateways) -> None:
    booking = await waiting(desk, gateways)
    await do(desk.database, "UPDATE pgqueuer SET status = 'failed'")
    assert await revive(desk.database) == 0
    await pass_time(desk.database, timedelta(minutes=2))
    assert [await revive(desk.database) for _ in range(2)] == [1, 0]
    assert await queued(desk.database) == [booking.id]


@pytest.mark.parametrize("state", ["queued", "picked"])
async def test_a_payment_whose_job_waits_or_runs_is_left_to_it(desk: Desk, gateways: Gateways, state: str) -> None:
    await waiting(desk, gateways)
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE pgqueuer SET status = CAST(:state AS pgqueuer_status)"), {"state": state})
    await pass_time(desk.database, timedelta(minutes=16))
    assert await revive(desk.database) == 0


async def test_a_refund_whose_job_was_lost_gets_another(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, database_url: str
) -> None:
    booking = await desk.booked("3A")
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await sandbox.fault("error", "/v1/refunds", when="before", times=3)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    await do(desk.database, "DELETE FROM pgqueuer")
    assert await revive(desk.database) == 0
    await do(desk.database, "UPDATE refunds SET created_at = created_at - interval '2 minutes'")
    assert [await revive(desk.database) for _ in range(2)] == [1, 0]

    async def refunded() -> bool:
        return bool(await scalar(desk.database, "SELECT status = 'SUCCEEDED' FROM refunds"))

    async with working(desk.database, database_url, gateways):
        await eventually(refunded)
    assert await revive(desk.database) == 0


async def test_a_refund_that_takes_its_time_keeps_its_job(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("3A")
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_pendingRefund", None, GUEST, key())
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    assert await bookings.advance(desk.database, gateways, booking.id) == timedelta(hours=1)


async def test_what_is_at_its_end_is_not_revived(desk: Desk, gateways: Gateways) -> None:
    paid, declined = await desk.booked("3A"), await desk.booked("3B")
    await bookings.pay(desk.database, gateways, paid.id, "pm_card_visa", None, GUEST, key())
    with pytest.raises(PaymentDeclined):
        await bookings.pay(desk.database, gateways, declined.id, "pm_card_visa_chargeDeclined", None, GUEST, key())
    await do(desk.database, "DELETE FROM pgqueuer")
    await pass_time(desk.database, timedelta(minutes=2))
    assert await revive(desk.database) == 0


async def test_a_job_that_comes_early_is_postponed_until_the_payment_is_at_its_end(
    desk: Desk, gateways: Gateways, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LOOK_AGAIN", timedelta(milliseconds=100))
    booking = await waiting(desk, gateways)
    at_once = "UPDATE pgqueuer SET execute_after = now() WHERE status = 'queued'"

    async def postponed() -> bool:
        waits = "SELECT count(*) FROM pgqueuer, holds WHERE pgqueuer.status = 'queued' AND execute_after > expires_at"
        return int(await scalar(desk.database, waits)) == 1

    async def expired() -> bool:
        done = await scalar(desk.database, "SELECT count(*) FROM pgqueuer") == 0
        return done and await status(desk.database, booking) == "EXPIRED"

    async with working(desk.database, database_url, gateways):
        await do(desk.database, at_once)
        await eventually(postponed)
        await pass_time(desk.database, timedelta(minutes=16))
        await do(desk.database, at_once)
        await eventually(expired)
