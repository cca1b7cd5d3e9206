"""Two hands pay for one booking at once: one payment is taken, the other is refused before it reaches the gateway."""

from __future__ import annotations

import asyncio

import pytest

from core.db import Database
from core.errors import Conflict
from core.keys import Keyring
from core.money import Money
from models import Booking, Payment, PaymentStatus
from services import bookings, outbox
from services.gateways import Authorised, Gateways, GatewayUnavailable
from services.seats import Plans
from tests.factories.bookings import GUEST, Desk, facts_of, key
from tests.factories.orders import unwritten
from tests.factories.schedules import Schedule
from tests.fakes.sandbox import Sandbox

RIVALS = 6


@pytest.fixture
async def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter at the small schedule."""
    return Desk(database, keyring, plans, schedule)


async def attempt(desk: Desk, gateways: Gateways, booking: Booking, key_: str) -> Payment | str:
    try:
        return await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key_)
    except Conflict as refusal:
        return refusal.code


async def test_of_rivals_with_keys_of_their_own_one_pays(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("3A")
    outcomes = await asyncio.gather(*(attempt(desk, gateways, booking, key()) for _ in range(RIVALS)))
    paid = [one for one in outcomes if isinstance(one, Payment)]
    assert [one.status for one in paid] == [PaymentStatus.CAPTURED]
    assert {one for one in outcomes if isinstance(one, str)} <= {"PAYMENT_UNDER_WAY", "ALREADY_PAID"}
    assert [one["amount_received"] for one in await sandbox.intents(booking.id)] == [booking.total]


async def test_a_click_repeated_with_its_key_is_one_payment(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking, used = await desk.booked("3A"), key()
    outcomes = await asyncio.gather(*(attempt(desk, gateways, booking, used) for _ in range(RIVALS)))
    paid = [one for one in outcomes if isinstance(one, Payment)]
    assert [one.status for one in paid] == [PaymentStatus.CAPTURED] * RIVALS
    assert len({one.id for one in paid}) == 1
    assert [one["amount_received"] for one in await sandbox.intents(booking.id)] == [booking.total]


async def test_request_job_and_webhook_at_once_take_each_step_once(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("3A")
    await sandbox.fault("reset", "/v1/payment_intents", when="after", times=3)
    with pytest.raises(GatewayUnavailable):
        await attempt(desk, gateways, booking, key())
    await asyncio.gather(*(bookings.advance(desk.database, gateways, booking.id) for _ in range(RIVALS)))
    assert (await facts_of(desk.database, outbox.booking_stream(booking.id)))[4:] == [
        "payment.authorized",
        "ticket.issued",
        "payment.captured",
        "booking.confirmed",
    ]
    assert [one["amount_received"] for one in await sandbox.intents(booking.id)] == [booking.total]


async def test_control_without_the_intent_every_rival_takes_the_money(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("3A")
    orders = [unwritten(booking, Money(booking.total, booking.currency)) for _ in range(RIVALS)]
    outcomes = await asyncio.gather(*(gateways.default.authorise(one) for one in orders))
    assert all(isinstance(one, Authorised) for one in outcomes)
    assert len(await sandbox.intents(booking.id)) == RIVALS
