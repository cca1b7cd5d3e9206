"""A gateway of another shape takes the same road: its payer agrees on its page and comes back, or does not.

Killed at any point, a booking ends as it would have otherwise, and the gateway's orders agree.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import text

from core.errors import NotFound
from models import Booking, Payment
from services import bookings, invariants, ledger
from services.gateways import Gateways
from tests.factories.bookings import GUEST, Desk, key, pass_time, snapshot
from tests.fakes.mortal import Life, deaths, walk
from tests.fakes.sandbox import Sandbox
from tests.services.bookings.test_crashes import Stage

BACK = "https://shop.example/paid"
Ends = tuple[str, str, str, int]
"""Statuses of the booking, its payment and the order; what was taken."""


@pytest.fixture
def stage(desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(desk, gateways, sandbox, monkeypatch)


async def payment_of(stage: Stage) -> Payment:
    """The only payment there is."""
    async with stage.database.reading() as session:
        (found,) = (await session.execute(text("SELECT id FROM payments"))).scalars()
        return await session.get_one(Payment, found)


async def agree(stage: Stage, booking: Booking, outcome: str = "approve") -> None:
    """Begin to pay, and decide at PayPal."""
    await stage.pay(booking, "paypal")
    await stage.sandbox.agree(str((await payment_of(stage)).redirect_url), outcome)


async def ends(stage: Stage, booking: Booking) -> Ends:
    """How things stand, here and at the gateway, whose orders our ledger agrees with."""
    payment = await payment_of(stage)
    async with stage.database.reading() as session:
        status = (await session.get_one(Booking, booking.id)).status
        entries = await ledger.statement(session, booking.id)
    (order,) = await stage.sandbox.orders(booking.id)
    taken = order["purchase_units"][0].get("payments", {}).get("captures", [])
    assert sum(round(float(one["amount"]["value"]) * 100) for one in taken) == payment.captured
    assert [one for one in await invariants.check(stage.database) if one.broken] == []
    assert [one.amount for one in entries] == ([payment.captured] if payment.captured else [])
    return status, payment.status, order["status"], payment.captured


Journey = Callable[[Stage, Booking, int | None], Awaitable[Life]]


async def begun(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    return await stage.pay(booking, "paypal", dies_at)


async def agreed(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await agree(stage, booking)
    return await stage.advance(booking, dies_at)


async def declined(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await agree(stage, booking, "decline")
    return await stage.advance(booking, dies_at)


async def seats_gone(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await agree(stage, booking)
    await pass_time(stage.database, timedelta(minutes=16))
    await stage.desk.hold("3A")
    return await stage.advance(booking, dies_at)


ASKED = ["look", "before fetch", "after fetch"]
SOLD = ["before capture", "after capture"]
JOURNEYS: dict[Journey, tuple[list[str], Callable[[int], Ends]]] = {
    begun: (
        ["look", "before authorise", "after authorise", *ASKED],
        lambda total: ("PAYMENT_PENDING", "REQUIRES_ACTION", "PAYER_ACTION_REQUIRED", 0),
    ),
    agreed: (
        [*ASKED, "before confirm", "after confirm", *SOLD],
        lambda total: ("CONFIRMED", "CAPTURED", "COMPLETED", total),
    ),
    declined: (
        [*ASKED, "before confirm", "after confirm", "before void", "after void", "look"],
        lambda total: ("SEATS_LOCKED", "DECLINED", "APPROVED", 0),
    ),
    seats_gone: (
        [*ASKED, "before void", "after void", "look"],
        lambda total: ("EXPIRED", "VOIDED", "APPROVED", 0),
    ),
}


@pytest.mark.parametrize(("journey", "dies_at"), deaths(JOURNEYS))
async def test_killed_at_any_point_it_ends_the_same(stage: Stage, journey: Journey, dies_at: int | None) -> None:
    points, end = JOURNEYS[journey]
    booking = await stage.desk.booked("3A")
    await walk(
        (points, end(booking.total)),
        dies_at,
        living=partial(journey, stage, booking),
        coming_next=partial(stage.advance, booking),
        standing=partial(ends, stage, booking),
    )


async def test_back_from_paypal_the_booking_is_confirmed_once(stage: Stage) -> None:
    booking = await stage.desk.booked("3A")
    await agree(stage, booking)
    payment = await payment_of(stage)
    for agreed in (True, True, False):
        back = await bookings.payer_returned(stage.database, stage.gateways, payment.id, agreed=agreed)
        assert back == BACK
    assert await ends(stage, booking) == ("CONFIRMED", "CAPTURED", "COMPLETED", booking.total)


async def test_an_address_of_ours_leads_nobody_on_for_ever(stage: Stage) -> None:
    booking = await stage.desk.booked("3A")
    await agree(stage, booking)
    payment = await payment_of(stage)
    backs = []
    for minutes in (0, 59, 61):
        await pass_time(stage.database, timedelta(minutes=minutes))
        backs.append(await bookings.payer_returned(stage.database, stage.gateways, payment.id, agreed=True))
    assert backs == [BACK, BACK, None]
    assert await ends(stage, booking) == ("CONFIRMED", "CAPTURED", "COMPLETED", booking.total)


async def test_whoever_comes_back_late_to_a_payment_that_waits_is_led_on(stage: Stage) -> None:
    booking = await stage.desk.booked("3A")
    await agree(stage, booking)
    await pass_time(stage.database, timedelta(hours=2))
    payment = await payment_of(stage)
    assert await bookings.payer_returned(stage.database, stage.gateways, payment.id, agreed=True) == BACK


async def test_whoever_comes_back_without_having_agreed_changes_nothing(stage: Stage) -> None:
    booking = await stage.desk.booked("3A")
    await stage.pay(booking, "paypal")
    payment = await payment_of(stage)
    before = await snapshot(stage.database)
    await bookings.payer_returned(stage.database, stage.gateways, payment.id, agreed=True)
    assert await snapshot(stage.database) == before


async def test_turned_back_the_seats_wait_for_another_way(stage: Stage) -> None:
    booking = await stage.desk.booked("3A")
    await stage.pay(booking, "paypal")
    payment = await payment_of(stage)
    for _ in range(2):
        await bookings.payer_returned(stage.database, stage.gateways, payment.id, agreed=False)
    payment = await payment_of(stage)
    assert await ends(stage, booking) == ("SEATS_LOCKED", "DECLINED", "PAYER_ACTION_REQUIRED", 0)
    assert payment.decline_code == "cancelled"
    # In another tab they agree after all, too late: nobody asks for their money.
    (order,) = await stage.sandbox.orders(booking.id)
    await stage.sandbox.agree(next(link["href"] for link in order["links"] if link["rel"] == "payer-action"))
    await bookings.payer_returned(stage.database, stage.gateways, payment.id, agreed=True)
    assert await ends(stage, booking) == ("SEATS_LOCKED", "DECLINED", "APPROVED", 0)
    await stage.pay(booking, "pm_card_visa")
    async with stage.database.reading() as session:
        assert (await session.get_one(Booking, booking.id)).status == "CONFIRMED"


async def test_turned_back_in_one_tab_and_agreed_in_another_it_is_paid(stage: Stage) -> None:
    booking = await stage.desk.booked("3A")
    await agree(stage, booking)
    await bookings.payer_returned(stage.database, stage.gateways, (await payment_of(stage)).id, agreed=False)
    assert await ends(stage, booking) == ("CONFIRMED", "CAPTURED", "COMPLETED", booking.total)


async def test_nobody_comes_back_from_a_payment_that_there_is_not(stage: Stage) -> None:
    with pytest.raises(NotFound):
        await bookings.payer_returned(stage.database, stage.gateways, uuid4(), agreed=True)


@pytest.mark.parametrize(("minutes", "status"), [(0, "SEATS_LOCKED"), (16, "EXPIRED")])
async def test_an_order_that_is_gone_is_waited_for_no_more(stage: Stage, minutes: int, status: str) -> None:
    booking = await stage.desk.booked("3A")
    await stage.pay(booking, "paypal")
    async with stage.database.transaction() as session:
        await session.execute(text("UPDATE payments SET gateway_id = 'NOSUCHORDER'"))
    await pass_time(stage.database, timedelta(minutes=minutes))
    await stage.advance(booking)
    async with stage.database.reading() as session:
        assert (await session.get_one(Booking, booking.id)).status == status
    assert (await payment_of(stage)).status == "VOIDED"


async def test_looked_at_first_it_waits_and_is_paid(stage: Stage) -> None:
    booking = await stage.desk.booked("3A")
    await agree(stage, booking, "pending")
    await stage.advance(booking)
    assert (await ends(stage, booking))[:2] == ("PAYMENT_PENDING", "PROCESSING")


async def test_cancelled_the_money_goes_back_the_way_it_came(stage: Stage) -> None:
    booking = await stage.desk.booked("3A")
    await agree(stage, booking)
    await stage.advance(booking)
    async with stage.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(stage.database, stage.gateways, quote.id, booking.id, GUEST, key())
    payment = await payment_of(stage)
    assert (payment.status, payment.refunded) == ("REFUNDED", booking.total)
    (order,) = await stage.sandbox.orders(booking.id)
    (refund,) = order["purchase_units"][0]["payments"]["refunds"]
    assert round(float(refund["amount"]["value"]) * 100) == booking.total
