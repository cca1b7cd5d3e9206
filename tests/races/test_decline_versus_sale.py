"""A card is declined for one booking while another is sold on a promise of it, on one pool: nobody waits in a circle.

Both lock the card first, then the pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db import Database, Session
from core.keys import Keyring
from models import Booking, Payment
from services import bookings, fraud, holds, invariants
from services.bookings import situation, steps
from services.fraud import signals
from services.gateways import Declined, Gateways, Risk
from services.seats import Plans
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

CARD = b"a card of 16 byt"
DECLINE = Risk(card=CARD)
Decline = Callable[[], Awaitable[object]]


@pytest.fixture
async def booking(crowd: Database, keyring: Keyring, plans: Plans, schedule: Schedule, gateways: Gateways) -> Booking:
    """A booking whose payer was at the bank too long: what is put back for it moves its pool."""
    desk = Desk(crowd, keyring, plans, schedule)
    booking = await desk.booked("3A")
    challenged = "pm_card_threeDSecure2Required"
    await bookings.pay(crowd, gateways, booking.id, challenged, "https://shop.example/", GUEST, key())
    await pass_time(crowd, timedelta(minutes=16))
    return booking


async def lock_pool(session: Session, schedule: Schedule) -> None:
    """Lock the pool as whoever sells there does."""
    await holds.lock_pools(session, {(schedule.first, "ECONOMY")})


async def sold_meanwhile(crowd: Database, schedule: Schedule, decline: Decline) -> None:
    """Sell on the pool, with the card locked, while it is declined: the decline waits for the card all along."""
    async with crowd.transaction() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": signals.locks([CARD])[0]})
        declining = asyncio.ensure_future(decline())
        await until_blocked(crowd)
        selling = await asyncio.gather(lock_pool(session, schedule), return_exceptions=True)
    ends = [*selling, *await asyncio.gather(declining, return_exceptions=True)]
    for refusal in ends:
        if isinstance(refusal, BaseException):
            raise refusal


async def test_the_sale_goes_on_and_the_decline_after_it(
    crowd: Database, schedule: Schedule, gateways: Gateways, booking: Booking
) -> None:
    (seen,) = (await situation.look(crowd, gateways, booking.id)).situations
    (one,) = seen.attempts
    outcome = Declined(gateway_id=one.known_to_gateway, code="insufficient_funds", risk=DECLINE)
    await sold_meanwhile(crowd, schedule, lambda: steps.give_up(seen, one, outcome, "declined"))
    async with crowd.reading() as session:
        assert (await session.get_one(Booking, booking.id)).status == "EXPIRED"
        assert (await session.get_one(Payment, one.id)).status == "DECLINED"
    assert [found.name for found in await invariants.check(crowd) if found.broken] == []


async def test_control_putting_back_before_the_decline_is_counted_waits_in_a_circle(
    crowd: Database, schedule: Schedule, gateways: Gateways, booking: Booking
) -> None:
    (seen,) = (await situation.look(crowd, gateways, booking.id)).situations

    async def naive() -> None:
        async with crowd.transaction() as session:
            payment = await session.get_one(Payment, seen.attempts[0].id)
            await lock_pool(session, schedule)
            await fraud.note_decline(session, payment, "insufficient_funds", DECLINE)

    with pytest.raises((asyncpg.DeadlockDetectedError, DBAPIError), match="deadlock detected"):
        await sold_meanwhile(crowd, schedule, naive)
