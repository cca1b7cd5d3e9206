"""Cancelling: a quote, then the deed; seats return at once, the money follows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.states import WrongState
from models import Booking, BookingStatus, CancellationQuote, Payment, PaymentStatus
from services import bookings, outbox
from services.bookings import QuoteExpired
from services.gateways import Gateways
from tests.factories.bookings import GUEST, Desk, facts_of, key, pass_time, snapshot
from tests.fakes.sandbox import Sandbox, connected, started

FEE = 25_00


async def quote(desk: Desk, booking: Booking) -> CancellationQuote:
    async with desk.database.transaction() as session:
        return await bookings.quote_cancellation(session, booking)


async def cancel(desk: Desk, gateways: Gateways, booking: Booking, quote_id: object, key_: str = "") -> Booking:
    return await bookings.cancel(desk.database, gateways, quote_id, booking.id, GUEST, key_ or key())  # type: ignore[arg-type]


async def paid(
    desk: Desk, gateways: Gateways, *units: str, family: str = "FLEX", method: str = "pm_card_visa"
) -> Booking:
    """A confirmed booking, made two days ago: the 24-hour rule is over."""
    booking = await desk.booked(*units, family=family)
    await bookings.pay(desk.database, gateways, booking.id, method, None, GUEST, key())
    await pass_time(desk.database, timedelta(days=2))
    return booking


async def payment_of(desk: Desk, booking: Booking) -> Payment:
    async with desk.database.reading() as session:
        (payment,) = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
    return payment


async def seats_and_tickets(desk: Desk) -> tuple[list[str], tuple[int, int], list[str]]:
    async with desk.database.reading() as session:
        claims = await session.scalars(text("SELECT status FROM claims ORDER BY unit"))
        pool = await session.execute(text("SELECT sum(held), sum(sold) FROM pools"))
        tickets = await session.scalars(text("SELECT status FROM tickets ORDER BY number"))
        held, sold = pool.one()
        return list(claims), (int(held), int(sold)), list(tickets)


async def test_a_refundable_fare_comes_back_less_its_fee(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await paid(desk, gateways, "3A", "3B")
    offered = await quote(desk, booking)
    assert (offered.refund, offered.fee) == (booking.total - FEE, FEE)
    used = key()
    for _ in range(2):
        assert (await cancel(desk, gateways, booking, offered.id, used)).status is BookingStatus.CANCELLED
    payment = await payment_of(desk, booking)
    assert (payment.status, payment.refunded) == (PaymentStatus.PARTIALLY_REFUNDED, booking.total - FEE)
    assert await seats_and_tickets(desk) == (["AVAILABLE"] * 2, (0, 0), ["REFUNDED"] * 2)
    refunds = await sandbox.ask("GET", f"/v1/refunds?payment_intent={payment.gateway_id}")
    assert [one["amount"] for one in refunds["data"]] == [booking.total - FEE]
    assert (await facts_of(desk.database, outbox.booking_stream(booking.id)))[-6:] == [
        "booking.cancelled",
        "refund.requested",
        "ticket.refunded",
        "ticket.refunded",
        "refund.succeeded",
        "payment.refunded",
    ]


async def test_the_24_hour_rule_gives_everything_back(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways, "3A", family="MAIN")
    await pass_time(desk.database, timedelta(hours=23))
    offered = await quote(desk, booking)
    assert (offered.refund, offered.fee) == (booking.total, 0)
    await cancel(desk, gateways, booking, offered.id)
    payment = await payment_of(desk, booking)
    assert (payment.status, payment.refunded) == (PaymentStatus.REFUNDED, booking.total)


async def test_a_fare_that_is_not_refundable_only_frees_its_seats(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await paid(desk, gateways, "3A", family="MAIN")
    offered = await quote(desk, booking)
    assert (offered.refund, offered.fee) == (0, booking.total)
    await cancel(desk, gateways, booking, offered.id)
    payment = await payment_of(desk, booking)
    assert (payment.status, payment.refunded) == (PaymentStatus.CAPTURED, 0)
    assert await seats_and_tickets(desk) == (["AVAILABLE"], (0, 0), ["VOID"])


async def test_an_unpaid_booking_is_abandoned(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    offered = await quote(desk, booking)
    assert (offered.refund, offered.fee) == (0, 0)
    assert (await cancel(desk, gateways, booking, offered.id)).status is BookingStatus.CANCELLED
    assert await seats_and_tickets(desk) == (["AVAILABLE"], (0, 0), [])


async def test_a_refund_waits_for_a_gateway_that_is_away(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await paid(desk, gateways, "3A")
    offered = await quote(desk, booking)
    await sandbox.fault("error", "/v1/refunds", when="before", times=3)
    assert (await cancel(desk, gateways, booking, offered.id)).status is BookingStatus.CANCELLED
    assert (await payment_of(desk, booking)).refunded == 0
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await payment_of(desk, booking)).refunded == offered.refund


async def test_a_refund_that_the_bank_sends_back_is_not_one(desk: Desk) -> None:
    with started() as sandbox:
        gateways = connected(sandbox)
        booking = await paid(desk, gateways, "3A", method="pm_card_refundFail")
        offered = await quote(desk, booking)
        await cancel(desk, gateways, booking, offered.id)
        assert (await payment_of(desk, booking)).status is PaymentStatus.PARTIALLY_REFUNDED
        await sandbox.ask("POST", "/sandbox/clock", {"advance": 3700})
        await bookings.advance(desk.database, gateways, booking.id)
        await gateways.close()
    payment = await payment_of(desk, booking)
    assert (payment.status, payment.refunded) == (PaymentStatus.CAPTURED, 0)
    async with desk.database.reading() as session:
        assert (await session.execute(text("SELECT status FROM refunds"))).scalar_one() == "FAILED"


async def test_a_quote_is_good_once_for_its_booking_and_for_a_while(desk: Desk, gateways: Gateways) -> None:
    booking, other = await paid(desk, gateways, "3A"), await desk.booked("3B")
    stale, used = await quote(desk, booking), await quote(desk, booking)
    await pass_time(desk.database, timedelta(days=2, minutes=16))
    before = await snapshot(desk.database)
    for quote_id, target, error, code in (
        (uuid7(), booking, NotFound, "NOT_FOUND"),
        (stale.id, other, NotFound, "NOT_FOUND"),
        (stale.id, booking, QuoteExpired, "QUOTE_EXPIRED"),
    ):
        with pytest.raises(error) as refusal:
            await cancel(desk, gateways, target, quote_id)
        assert refusal.value.code == code
    assert await snapshot(desk.database) == before
    await pass_time(desk.database, timedelta(days=2))
    await cancel(desk, gateways, booking, used.id)
    before = await snapshot(desk.database)
    with pytest.raises(QuoteExpired) as spent:
        await cancel(desk, gateways, booking, used.id)
    assert spent.value.code == "QUOTE_SPENT"
    with pytest.raises(WrongState):
        await cancel(desk, gateways, booking, stale.id)
    with pytest.raises(WrongState):
        await quote(desk, booking)
    assert await snapshot(desk.database) == before


async def test_a_quote_from_before_the_payment_is_void(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    free = await quote(desk, booking)
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    before = await snapshot(desk.database)
    with pytest.raises(QuoteExpired, match="changed"):
        await cancel(desk, gateways, booking, free.id)
    assert await snapshot(desk.database) == before


async def test_nobody_cancels_while_paying_or_after_departure(desk: Desk, gateways: Gateways) -> None:
    paying = await desk.booked("3B")
    method, back = "pm_card_threeDSecure2Required", "https://shop.example/paid"
    await bookings.pay(desk.database, gateways, paying.id, method, back, GUEST, key())
    with pytest.raises(Conflict) as refusal:
        await quote(desk, paying)
    assert refusal.value.code == "PAYMENT_UNDER_WAY"
    booking = await paid(desk, gateways, "3A")
    await pass_time(desk.database, timedelta(days=11))
    with pytest.raises(Conflict) as refusal:
        await quote(desk, booking)
    assert refusal.value.code == "FLIGHT_DEPARTED"


async def test_an_airline_that_cancels_refunds_everything(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways, "3A", family="MAIN")
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE flights SET status = 'CANCELLED'"))
    await pass_time(desk.database, timedelta(days=11))
    assert (await quote(desk, booking)).refund == booking.total
