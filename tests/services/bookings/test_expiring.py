"""Bookings that nobody pays end with their holds; a booking that is being paid is left to its saga."""

from __future__ import annotations

from datetime import timedelta

from core.db import Database
from models import Booking, BookingStatus
from services import bookings, holds, outbox
from services.gateways import Gateways
from tests.factories.bookings import GUEST, Desk, facts_of, key, pass_time


async def sweep(database: Database) -> int:
    """How many bookings expire; whoever only looks has seen whether there are any."""
    seen = await bookings.any_abandoned(database.reader(primary=True))
    async with database.transaction() as session:
        count = await bookings.expire_abandoned(session, 10)
    assert seen is (count > 0)
    return count


async def status(database: Database, booking: Booking) -> BookingStatus:
    async with database.reading() as session:
        return (await session.get_one(Booking, booking.id)).status


async def test_only_the_abandoned_expire_and_once(desk: Desk, gateways: Gateways) -> None:
    abandoned, paying = await desk.booked("3A"), await desk.booked("3B")
    method, back = "pm_card_threeDSecure2Required", "https://shop.example/paid"
    await bookings.pay(desk.database, gateways, paying.id, method, back, GUEST, key())
    assert await sweep(desk.database) == 0
    await pass_time(desk.database, timedelta(minutes=16))
    assert [await sweep(desk.database), await sweep(desk.database)] == [1, 0]
    assert await status(desk.database, abandoned) is BookingStatus.EXPIRED
    assert await status(desk.database, paying) is BookingStatus.PAYMENT_PENDING
    assert (await facts_of(desk.database, outbox.booking_stream(abandoned.id)))[-1] == "booking.expired"


async def test_it_makes_no_difference_which_sweeper_comes_first(desk: Desk) -> None:
    booking = await desk.booked("3A")
    await pass_time(desk.database, timedelta(minutes=16))
    async with desk.database.transaction() as session:
        assert await holds.expire_due(session, 10) == 1
    assert await sweep(desk.database) == 1
    assert await status(desk.database, booking) is BookingStatus.EXPIRED
