"""A journey that is over: the booking ends, its tickets with it, and what was paid is earned, once."""

from __future__ import annotations

import base64
import os

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from core.settings import Settings
from models import Booking, BookingStatus, FlightStatus, TicketStatus
from services import bookings, flights, holds, invariants
from services.bookings import rows
from services.flights import FlightUpdate
from services.gateways import Gateways
from services.jobs import Entrypoint
from services.transitions import Cause
from tests.factories.bookings import GUEST, Desk, key, snapshot
from tests.factories.holds import want
from tests.fakes.sandbox import KEY, SECRET
from worker import Worker

CAUSE = Cause(actor="test", reason="the day of travel")


async def paid(desk: Desk, gateways: Gateways, *units: str) -> Booking:
    """A confirmed booking."""
    booking = await desk.booked(*units)
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    return booking


async def check_in(desk: Desk, booking: Booking, *units: str, everybody: bool = True) -> None:
    """Some seats of a booking are checked in; with `everybody` the booking is."""
    async with desk.database.transaction() as session:
        await holds.check_in(session, booking.hold_id, [want(desk.schedule.first, *units)])
        if everybody:
            locked = await rows.locked(session, booking.id)
            await rows.move(session, locked, BookingStatus.CHECKED_IN, CAUSE)


async def land(desk: Desk) -> None:
    """UA1 leaves, flies and lands."""
    for status in (FlightStatus.DEPARTED, FlightStatus.IN_FLIGHT, FlightStatus.LANDED):
        async with desk.database.transaction() as session:
            assert await flights.record_update(session, FlightUpdate(slot_id=desk.schedule.first, status=status), CAUSE)


async def finish(desk: Desk) -> None:
    """What the job does."""
    async with desk.database.transaction() as session:
        assert await bookings.finish(session, desk.schedule.first) is None


async def jobs(desk: Desk) -> list[str]:
    async with desk.database.reading() as session:
        rows_ = await session.scalars(text("SELECT entrypoint FROM pgqueuer WHERE entrypoint = 'finish_flight'"))
        return list(rows_)


async def state(desk: Desk, booking: Booking) -> tuple[str, set[str], int]:
    """The status of a booking and of its tickets, and what was earned with it."""
    async with desk.database.reading() as session:
        row = await session.get_one(Booking, booking.id)
        tickets = await session.scalars(
            text(
                "SELECT tickets.status FROM tickets JOIN passengers ON passengers.id = passenger_id"
                " WHERE booking_id = :id"
            ),
            {"id": booking.id},
        )
        found = set(tickets)
        earned = await session.scalar(
            text("SELECT sum(amount) FROM ledger WHERE kind = 'EARNED' AND booking_id = :id"), {"id": booking.id}
        )
        return row.status, found, int(earned or 0)


async def sound(desk: Desk) -> bool:
    return not [one.name for one in await invariants.check(desk.database) if one.broken]


async def test_what_was_flown_is_earned_once(desk: Desk, gateways: Gateways) -> None:
    flown, missed = await paid(desk, gateways, "3A"), await paid(desk, gateways, "3B", "3C")
    waiting = await desk.booked("3D")
    await check_in(desk, flown, "3A")
    await finish(desk)
    assert (await state(desk, flown))[0] == BookingStatus.CHECKED_IN
    await land(desk)
    assert await jobs(desk) == ["finish_flight"]
    await finish(desk)
    assert await state(desk, flown) == (BookingStatus.COMPLETED, {TicketStatus.USED}, flown.total)
    assert await state(desk, missed) == (BookingStatus.NO_SHOW, {TicketStatus.VOID}, missed.total)
    assert await state(desk, waiting) == (BookingStatus.SEATS_LOCKED, set(), 0)
    before = await snapshot(desk.database)
    await finish(desk)
    assert await snapshot(desk.database) == before
    assert await sound(desk)


async def test_the_workers_job_finishes_them(desk: Desk, gateways: Gateways, database_url: str, redis_url: str) -> None:
    booking = await paid(desk, gateways, "3A")
    await check_in(desk, booking, "3A")
    await land(desk)
    settings = Settings.from_env(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "JETWAY_SECRETS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "STRIPE_API_KEY": KEY,
            "STRIPE_WEBHOOK_SECRET": SECRET,
        }
    )
    async with Redis.from_url(redis_url) as redis:
        handlers = Worker(settings, desk.database, redis, gateways).handlers()
        assert await handlers[Entrypoint.FINISH_FLIGHT]({"slot_id": str(desk.schedule.first)}) is None
    assert (await state(desk, booking))[0] == BookingStatus.COMPLETED


async def test_where_nobody_checks_in_nothing_is_said(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways, "3A")
    await land(desk)
    before = await snapshot(desk.database)
    await finish(desk)
    assert await snapshot(desk.database) == before
    assert await state(desk, booking) == (BookingStatus.CONFIRMED, {TicketStatus.OPEN}, 0)


async def test_one_of_whom_some_came_is_no_no_show(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways, "3A", "3B")
    await check_in(desk, booking, "3A", everybody=False)
    await land(desk)
    await finish(desk)
    assert (await state(desk, booking))[0] == BookingStatus.CONFIRMED


async def test_only_what_is_left_is_earned(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways, "3A", "3B")
    async with desk.database.reading() as session:
        gone = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id][1]
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking, [gone.id])
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    await check_in(desk, booking, "3A")
    await land(desk)
    await finish(desk)
    async with desk.database.reading() as session:
        tickets = (await bookings.tickets_by_passenger_ids(session, [gone.id]))[gone.id]
    assert [ticket.status for ticket in tickets] == [TicketStatus.REFUNDED]
    status, _, earned = await state(desk, booking)
    assert (status, earned) == (BookingStatus.COMPLETED, booking.total // 2)
    assert await sound(desk)


@pytest.mark.parametrize("batch", [1])
async def test_many_are_finished_in_parts(
    desk: Desk, gateways: Gateways, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    booked = [await paid(desk, gateways, unit) for unit in ("3A", "3B")]
    for booking, unit in zip(booked, ("3A", "3B"), strict=True):
        await check_in(desk, booking, unit)
    await land(desk)
    monkeypatch.setattr("services.bookings.flown.BATCH", batch)
    last = None
    for booking in booked:
        async with desk.database.transaction() as session:
            last = await bookings.finish(session, desk.schedule.first, last)
        assert last == booking.id
        assert (await state(desk, booking))[0] == BookingStatus.COMPLETED
    async with desk.database.transaction() as session:
        assert await bookings.finish(session, desk.schedule.first, last) is None
