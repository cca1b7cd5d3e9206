"""PayPal's lists are held against ours as Stripe's are: transactions name orders, and each order is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from core import clock
from core.db import Database
from core.ids import uuid7
from core.keys import Keyring
from core.money import Money
from models import Booking, Payment
from services import bookings, discrepancies, reconciliation
from services.gateways import Gateway, Gateways, NeedsAction, Order
from services.reconciliation import Stretch
from services.seats import Plans
from tests.factories.bookings import GUEST, Desk, key
from tests.factories.schedules import Schedule
from tests.fakes.sandbox import Sandbox, connected, started
from tests.fakes.waiting import eventually

BACK = "https://shop.example/paid"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox whose books have nothing but what one test pays."""
    with started() as running:
        yield running


@pytest.fixture
async def gateways(sandbox: Sandbox) -> AsyncIterator[Gateways]:
    registry = connected(sandbox)
    yield registry
    await registry.close()


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    return Desk(database, keyring, plans, schedule)


async def paid(desk: Desk, gateways: Gateways, sandbox: Sandbox, outcome: str = "approve") -> tuple[Booking, Payment]:
    """A booking that was paid at PayPal."""
    booking = await desk.booked("3A")
    payment = await bookings.pay(desk.database, gateways, booking.id, "paypal", BACK, GUEST, key())
    await sandbox.agree(str(payment.redirect_url), outcome)
    await bookings.advance(desk.database, gateways, booking.id)
    async with desk.database.reading() as session:
        return booking, await session.get_one(Payment, payment.id)


async def walk(desk: Desk, gateway: Gateway) -> set[tuple[str, str]]:
    """Walk the last quarter of an hour; what is noted by then: kind, and the gateway's id."""
    now = clock.now()
    await reconciliation.walk(desk.database, gateway, Stretch(now - timedelta(minutes=15), now + timedelta(minutes=1)))
    async with desk.database.reading() as session:
        found = await discrepancies.found(session, settled=False, first=100, after=None)
    return {(one.kind, one.subject) for one in found}


async def test_where_both_agree_nothing_is_noted(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    _, payment = await paid(desk, gateways, sandbox)
    assert payment.status == "CAPTURED"
    assert await walk(desk, gateways.named("paypal")) == set()


async def test_what_is_otherwise_there_is_noted(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    gateway = gateways.named("paypal")
    _, payment = await paid(desk, gateways, sandbox, "dispute")
    by_hand = await gateway.refund(str(payment.gateway_id), Money(1_00, payment.currency), "by hand")
    stranger = Order(
        payment_id=uuid7(),
        booking_id=uuid7(),
        pnr="ABCDEF",
        amount=Money(5_00, "USD"),
        method="paypal",
        return_url=None,
        created_at=clock.now(),
    )
    waiting = await gateway.authorise(stranger)
    assert isinstance(waiting, NeedsAction)
    await sandbox.agree(str(waiting.redirect_url))
    await gateway.confirm(waiting.gateway_id, "k")
    await eventually(lambda: disputed(sandbox))
    assert {
        ("UNKNOWN_PAYMENT", waiting.gateway_id),
        ("UNKNOWN_REFUND", by_hand.gateway_id),
    } < (found := await walk(desk, gateway))
    assert {kind for kind, _ in found} == {"UNKNOWN_PAYMENT", "UNKNOWN_REFUND", "DISPUTED"}


async def disputed(sandbox: Sandbox) -> bool:
    """Whether the payer has complained."""
    due: int = (await sandbox.ask("GET", "/sandbox/health"))["due_timers"]
    return due == 0


async def test_money_that_was_left_at_paypal_is_let_go(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    _, payment = await paid(desk, gateways, sandbox)
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE payments SET status = 'VOIDED'"))
    await walk(desk, gateways.named("paypal"))
    async with desk.database.reading() as session:
        jobs = await session.scalars(text("SELECT entrypoint FROM pgqueuer WHERE entrypoint = 'drop_payment'"))
        assert list(jobs) == ["drop_payment"]
    assert payment.gateway == "paypal"
