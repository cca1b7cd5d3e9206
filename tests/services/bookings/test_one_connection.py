"""A booking never needs a second connection while it has one: otherwise many at once would wait for each other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.db import Database
from core.keys import Keyring
from core.settings import asyncpg_url
from models import BookingStatus
from services import bookings
from services.gateways import Gateways
from services.payments import PaymentDeclined
from services.seats import Plans
from tests.factories.bookings import GUEST, Desk, key
from tests.factories.schedules import Schedule


@pytest.fixture
async def narrow(database_url: str, keyring: Keyring, plans: Plans, schedule: Schedule) -> AsyncIterator[Desk]:
    """A counter whose database has a single connection."""
    database = Database(asyncpg_url(database_url), pool_size=1)
    yield Desk(database, keyring, plans, schedule)
    await database.close()


async def test_booking_paying_and_cancelling_take_one_at_a_time(narrow: Desk, gateways: Gateways) -> None:
    booking = await narrow.booked("3A")
    with pytest.raises(PaymentDeclined):
        await bookings.pay(narrow.database, gateways, booking.id, "pm_card_visa_chargeDeclined", None, GUEST, key())
    await bookings.pay(narrow.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    async with narrow.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    ended = await bookings.cancel(narrow.database, gateways, quote.id, booking.id, GUEST, key())
    assert ended.status is BookingStatus.CANCELLED
