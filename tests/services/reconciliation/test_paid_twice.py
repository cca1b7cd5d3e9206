"""A booking that is paid twice at its gateway, by whatever hand: one payment is kept, the other goes back, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from core.db import Database
from core.keys import Keyring
from models import Booking, Payment
from services import bookings, invariants, reconciliation
from services.gateways import Gateways
from services.payments import PaymentDeclined
from services.seats import Plans
from tests.factories.bookings import GUEST, Desk, key
from tests.factories.schedules import Schedule
from tests.fakes.sandbox import Sandbox, connected, started

SOON = timedelta(minutes=-1)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox whose books have nothing but what these tests pay."""
    with started() as running:
        yield running


@pytest.fixture
async def gateways(sandbox: Sandbox) -> AsyncIterator[Gateways]:
    """The real gateway, at that sandbox."""
    registry = connected(sandbox)
    yield registry
    await registry.close()


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter at the small schedule."""
    return Desk(database, keyring, plans, schedule)


async def paid(desk: Desk, gateways: Gateways, method: str = "pm_card_visa") -> tuple[Booking, Payment]:
    booking = await desk.booked("3A")
    if method == "pm_card_visa":
        return booking, await bookings.pay(desk.database, gateways, booking.id, method, None, GUEST, key())
    with pytest.raises(PaymentDeclined):
        await bookings.pay(desk.database, gateways, booking.id, method, None, GUEST, key())
    async with desk.database.reading() as session:
        (payment,) = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
    return booking, payment


async def by_hand(sandbox: Sandbox, booking: Booking, payment: Payment, *, capture: bool) -> str:
    """Somebody at the gateway's own desk charges the payer for the same payment again."""
    form = {
        "amount": str(booking.total),
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "allowed_payment_method_types[0]": "card",
        "confirm": "true",
        "capture_method": "automatic" if capture else "manual",
        "metadata[payment]": str(payment.id),
        "metadata[booking]": str(booking.id),
    }
    made = await sandbox.send("/v1/payment_intents", **form)
    return str(made["id"])


async def walk_and_work(desk: Desk, gateways: Gateways) -> None:
    """Reconcile, and do the jobs that come of it."""
    await reconciliation.reconcile(desk.database, gateways, settled=SOON)
    async with desk.database.transaction() as session:
        await session.execute(text("DELETE FROM reconciliation_walks"))
        due = await session.execute(
            text(
                "DELETE FROM pgqueuer WHERE entrypoint = 'drop_payment' RETURNING convert_from(payload, 'UTF8')::jsonb"
            )
        )
        payloads: list[dict[str, Any]] = [row[0] for row in due]
    for payload in payloads:
        assert await bookings.drop(desk.database, gateways, UUID(payload["payment_id"]), payload.get("stray")) is None


async def ledger_of(desk: Desk, booking: Booking) -> list[tuple[str, int]]:
    async with desk.database.reading() as session:
        found = await session.execute(
            text("SELECT kind, amount FROM ledger WHERE booking_id = :id ORDER BY id"), {"id": booking.id}
        )
        return [tuple(row) for row in found]


async def told(desk: Desk) -> list[str]:
    async with desk.database.reading() as session:
        return list(await session.scalars(text("SELECT kind FROM notices ORDER BY id")))


async def test_charged_by_hand_as_well_the_first_is_kept(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking, payment = await paid(desk, gateways)
    stray = await by_hand(sandbox, booking, payment, capture=True)
    for _ in range(2):
        await walk_and_work(desk, gateways)
    assert await ledger_of(desk, booking) == [
        ("CAPTURED", booking.total),
        ("UNDUE", booking.total),
        ("UNDUE_RETURNED", booking.total),
    ]
    refunds = (await sandbox.ask("GET", f"/v1/refunds?payment_intent={stray}"))["data"]
    assert [one["amount"] for one in refunds] == [booking.total]
    assert (await sandbox.ask("GET", f"/v1/refunds?payment_intent={payment.gateway_id}"))["data"] == []
    assert await told(desk) == ["MONEY_RETURNED"]
    assert [one for one in await invariants.check(desk.database) if one.broken] == []


async def test_promised_by_hand_as_well_the_promise_is_let_go(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking, payment = await paid(desk, gateways)
    stray = await by_hand(sandbox, booking, payment, capture=False)
    await walk_and_work(desk, gateways)
    assert (await sandbox.ask("GET", f"/v1/payment_intents/{stray}"))["status"] == "canceled"
    assert (await sandbox.ask("GET", f"/v1/payment_intents/{payment.gateway_id}"))["status"] == "succeeded"
    assert await ledger_of(desk, booking) == [("CAPTURED", booking.total)]
    assert [one for one in await invariants.check(desk.database) if one.broken] == []


async def test_charged_by_hand_after_a_decline_all_of_it_goes_back(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking, payment = await paid(desk, gateways, "pm_card_visa_chargeDeclined")
    await by_hand(sandbox, booking, payment, capture=True)
    for _ in range(2):
        await walk_and_work(desk, gateways)
    assert await ledger_of(desk, booking) == [("UNDUE", booking.total), ("UNDUE_RETURNED", booking.total)]
    assert await told(desk) == ["MONEY_RETURNED"]
    assert [one for one in await invariants.check(desk.database) if one.broken] == []


async def test_two_by_hand_both_go_back(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking, payment = await paid(desk, gateways)
    strays = [await by_hand(sandbox, booking, payment, capture=True) for _ in range(2)]
    await walk_and_work(desk, gateways)
    sent = [(await sandbox.ask("GET", f"/v1/refunds?payment_intent={one}"))["data"][0]["amount"] for one in strays]
    assert sent == [booking.total] * 2
    assert (await ledger_of(desk, booking))[1:] == [("UNDUE", booking.total), ("UNDUE_RETURNED", booking.total)] * 2
    assert await told(desk) == ["MONEY_RETURNED"] * 2
    assert [one for one in await invariants.check(desk.database) if one.broken] == []
