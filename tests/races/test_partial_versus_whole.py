"""A booking is cancelled twice at once, in part and whole, or twice the same part: one of them is done, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Conflict
from core.keys import Keyring
from core.money import Money
from models import Booking, BookingStatus, CancellationQuote, Passenger
from services import bookings, holds, invariants, refunds
from services.bookings.cancellation import cancel_once
from services.gateways import Gateways
from services.seats import Plans
from services.transitions import Cause
from tests.factories.bookings import GUEST, Desk, key, left_of, pass_time
from tests.factories.holds import want
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

CAUSE = Cause(actor="test", reason="two at once")
EACH = 199_10
"""What each of two has paid: a fare of 180.00, tax and fee."""

FEE = 25_00


@pytest.fixture
async def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter at the small schedule."""
    return Desk(database, keyring, plans, schedule)


@pytest.fixture
async def booking(desk: Desk, gateways: Gateways) -> Booking:
    """Two adults, paid two days ago."""
    booked = await desk.booked("3A", "3B")
    await bookings.pay(desk.database, gateways, booked.id, "pm_card_visa", None, GUEST, key())
    await pass_time(desk.database, timedelta(days=2))
    return booked


async def people(desk: Desk, booking: Booking) -> list[Passenger]:
    async with desk.database.reading() as session:
        return (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]


async def quote(desk: Desk, booking: Booking, *who: UUID) -> CancellationQuote:
    """For those passengers; for all without any."""
    async with desk.database.transaction() as session:
        return await bookings.quote_cancellation(session, booking, list(who) or None)


async def cancel(desk: Desk, quoted: CancellationQuote) -> str:
    """Cancel in a transaction of one's own; how it ended."""
    try:
        async with desk.database.transaction() as session:
            await cancel_once(session, quoted.id, quoted.booking_id, CAUSE)
    except Conflict as refusal:
        return refusal.code
    return "DONE"


async def in_order(desk: Desk, first: CancellationQuote, second: CancellationQuote) -> str:
    """The second begins while the first has its locks, and ends after it; how the second ended."""
    async with desk.database.transaction() as session:
        await cancel_once(session, first.id, first.booking_id, CAUSE)
        late = asyncio.create_task(cancel(desk, second))
        await until_blocked(desk.database)
    return await late


async def ended(desk: Desk, booking: Booking) -> tuple[str, int, list[int]]:
    """The status of the booking, what it costs, and every refund."""
    async with desk.database.reading() as session:
        row = await session.get_one(Booking, booking.id)
        found = await session.scalars(text("SELECT amount FROM refunds ORDER BY id"))
        return row.status, row.total, list(found)


async def test_a_part_before_the_whole(desk: Desk, booking: Booking) -> None:
    ada, _ = await people(desk, booking)
    part, whole = await quote(desk, booking, ada.id), await quote(desk, booking)
    assert await in_order(desk, part, whole) == "QUOTE_EXPIRED"
    assert await ended(desk, booking) == (BookingStatus.CONFIRMED, EACH, [EACH - FEE])
    assert not [one for one in await invariants.check(desk.database) if one.broken]


async def test_the_whole_before_a_part(desk: Desk, booking: Booking) -> None:
    ada, _ = await people(desk, booking)
    part, whole = await quote(desk, booking, ada.id), await quote(desk, booking)
    assert await in_order(desk, whole, part) == "WRONG_STATE"
    assert await ended(desk, booking) == (BookingStatus.CANCELLED, 2 * EACH, [2 * EACH - FEE])
    assert not [one for one in await invariants.check(desk.database) if one.broken]


async def test_the_same_passenger_leaves_once(desk: Desk, booking: Booking) -> None:
    ada, _ = await people(desk, booking)
    one, other = await quote(desk, booking, ada.id), await quote(desk, booking, ada.id)
    assert await in_order(desk, one, other) == "QUOTE_EXPIRED"
    assert await ended(desk, booking) == (BookingStatus.CONFIRMED, EACH, [EACH - FEE])


async def test_one_quote_is_spent_once(desk: Desk, booking: Booking) -> None:
    ada, _ = await people(desk, booking)
    one = await quote(desk, booking, ada.id)
    assert await in_order(desk, one, one) == "QUOTE_SPENT"
    assert await ended(desk, booking) == (BookingStatus.CONFIRMED, EACH, [EACH - FEE])


async def test_whoever_checks_in_first_stays(desk: Desk, booking: Booking) -> None:
    ada, _ = await people(desk, booking)
    part = await quote(desk, booking, ada.id)
    async with desk.database.transaction() as session:
        await holds.check_in(session, booking.hold_id, [want(desk.schedule.first, "3A")])
        late = asyncio.create_task(cancel(desk, part))
        await until_blocked(desk.database)
    assert await late == "SEATS_NOT_BOOKED"
    assert await ended(desk, booking) == (BookingStatus.CONFIRMED, 2 * EACH, [])


async def test_whoever_left_first_does_not_check_in(desk: Desk, booking: Booking) -> None:
    ada, _ = await people(desk, booking)
    part = await quote(desk, booking, ada.id)

    async def check_in() -> None:
        async with desk.database.transaction() as session:
            await holds.check_in(session, booking.hold_id, [want(desk.schedule.first, "3A")])

    async with desk.database.transaction() as session:
        await cancel_once(session, part.id, booking.id, CAUSE)
        late = asyncio.create_task(check_in())
        await until_blocked(desk.database)
    with pytest.raises(Conflict) as refusal:
        await late
    assert refusal.value.code == "SEATS_NOT_BOOKED"
    assert await ended(desk, booking) == (BookingStatus.CONFIRMED, EACH, [EACH - FEE])


async def test_control_without_the_booking_locked_the_money_goes_back_twice(desk: Desk, booking: Booking) -> None:
    """Both look at what is left before either has written: each would send all of it."""
    together = asyncio.Barrier(2)

    async def naive() -> None:
        async with desk.database.transaction() as session:
            left = Money(await left_of(session, booking.id), booking.currency)
            (payment,) = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
            await together.wait()
            await refunds.request(session, payment, left, "naive", CAUSE)

    await asyncio.gather(naive(), naive())
    assert (await ended(desk, booking))[2] == [2 * EACH] * 2
