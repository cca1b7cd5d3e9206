"""Several pay one price at once: each share is promised once, and all are taken or none."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from core.db import Database
from core.errors import Conflict
from core.keys import Keyring
from core.money import Money
from models import Booking, Payment, PaymentStatus
from services import bookings, invariants, ledger
from services.gateways import Authorised, Gateways, Order, Outcome
from services.holds import HoldExpired
from services.seats import Plans
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.factories.orders import unwritten
from tests.factories.schedules import Schedule
from tests.factories.shares import asked, pay_share, split
from tests.fakes.mortal import Died, Life
from tests.fakes.sandbox import Sandbox

RIVALS = 6


@pytest.fixture
async def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter at the small schedule."""
    return Desk(database, keyring, plans, schedule)


async def end(desk: Desk, booking: Booking) -> tuple[str, list[str]]:
    """The booking and its payments, the oldest first; no invariant is broken."""
    async with desk.database.reading() as session:
        row = await session.get_one(Booking, booking.id)
        paid = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
    assert [one for one in await invariants.check(desk.database) if one.broken] == []
    return row.status, [one.status for one in paid]


async def attempt(desk: Desk, gateways: Gateways, request: bookings.Paying) -> Payment | str:
    try:
        return await bookings.pay_as(desk.database, gateways, request)
    except Conflict as refusal:
        return refusal.code


async def test_of_those_who_pay_one_share_one_does(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("3A")
    first, _ = await split(desk.database, booking, 2)
    requests = [asked(first, by_link=number % 2 == 0) for number in range(RIVALS)]
    outcomes = await asyncio.gather(*(attempt(desk, gateways, one) for one in requests))
    paid = [one for one in outcomes if isinstance(one, Payment)]
    assert [one.status for one in paid] == [PaymentStatus.AUTHORIZED]
    assert {one for one in outcomes if isinstance(one, str)} <= {"PAYMENT_UNDER_WAY", "SHARE_PAID"}
    assert [one["amount"] for one in await sandbox.intents(booking.id)] == [first.amount]
    assert await end(desk, booking) == ("PAYMENT_PENDING", ["AUTHORIZED"])


async def test_all_shares_at_once_are_sold_once_and_taken_once(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("3A")
    shares = await split(desk.database, booking, RIVALS)
    await asyncio.gather(*(pay_share(desk.database, gateways, share) for share in shares))
    assert await end(desk, booking) == ("CONFIRMED", ["CAPTURED"] * RIVALS)
    async with desk.database.reading() as session:
        posted = [one.kind for one in await ledger.statement(session, booking.id)]
    assert posted == ["CAPTURED"] * RIVALS
    assert sum(one["amount_received"] for one in await sandbox.intents(booking.id)) == booking.total


async def test_the_deadline_comes_before_the_last_share(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await desk.booked("3A")
    first, last = await split(desk.database, booking, 2)
    await pay_share(desk.database, gateways, first)
    authorise = gateways.default.authorise

    async def slow(order: Order) -> Outcome:
        await pass_time(desk.database, timedelta(minutes=16))
        await bookings.advance(desk.database, gateways, order.booking_id)
        return await authorise(order)

    monkeypatch.setattr(gateways.default, "authorise", slow)
    with pytest.raises(HoldExpired):
        await pay_share(desk.database, gateways, last)
    assert await end(desk, booking) == ("EXPIRED", ["VOIDED", "VOIDED"])
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled", "canceled"]


async def test_the_last_share_comes_before_the_deadline_is_written_down(
    desk: Desk, gateways: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await desk.booked("3A")
    first, last = await split(desk.database, booking, 2)
    await pay_share(desk.database, gateways, first)
    authorise = gateways.default.authorise

    async def slow(order: Order) -> Outcome:
        outcome = await authorise(order)
        await pass_time(desk.database, timedelta(minutes=16))
        return outcome

    monkeypatch.setattr(gateways.default, "authorise", slow)
    paid = await pay_share(desk.database, gateways, last)
    assert paid.status is PaymentStatus.CAPTURED
    assert await end(desk, booking) == ("CONFIRMED", ["CAPTURED", "CAPTURED"])


async def test_whoever_cancels_while_shares_are_taken_is_refused(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await desk.booked("3A")
    first, last = await split(desk.database, booking, 2)
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await pay_share(desk.database, gateways, first)
    with monkeypatch.context() as patch, suppress(Died):
        await pay_share(desk.database, Life(4).lead(patch, gateways), last)

    async def cancel() -> str:
        try:
            await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
        except Conflict as refusal:
            return refusal.code
        return "CANCELLED"

    takers = [bookings.advance(desk.database, gateways, booking.id) for _ in range(RIVALS)]
    said, *_ = await asyncio.gather(cancel(), *takers)
    assert said in ("PAYMENT_UNDER_WAY", "QUOTE_EXPIRED")
    assert await end(desk, booking) == ("CONFIRMED", ["CAPTURED", "CAPTURED"])
    assert sum(one["amount_received"] for one in await sandbox.intents(booking.id)) == booking.total


async def test_control_without_the_intent_every_rival_s_money_is_promised(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("3A")
    first, _ = await split(desk.database, booking, 2)
    orders = [unwritten(booking, Money(first.amount, first.currency)) for _ in range(RIVALS)]
    outcomes = await asyncio.gather(*(gateways.default.authorise(one) for one in orders))
    assert all(isinstance(one, Authorised) for one in outcomes)
    assert sum(one["amount"] for one in await sandbox.intents(booking.id)) == RIVALS * first.amount
