"""Paying a booking: success, decline, 3-D Secure, and the same request again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Conflict, Invalid
from models import Booking, BookingStatus, Payment, PaymentStatus
from services import bookings, outbox
from services.gateways import Gateways, GatewayUnavailable, Order, Outcome
from services.holds import HoldExpired
from services.payments import PaymentDeclined
from tests.factories.bookings import GUEST, Desk, facts_of, key, pass_time, snapshot
from tests.fakes.sandbox import Sandbox

BACK = "https://shop.example/paid"


async def pay(
    desk: Desk,
    gateways: Gateways,
    booking: Booking,
    method: str = "pm_card_visa",
    key_: str = "",
    back: str | None = None,
) -> Payment:
    return await bookings.pay(desk.database, gateways, booking.id, method, back, GUEST, key_ or key())


async def state(database: Database, booking: Booking) -> tuple[BookingStatus, str, int, int]:
    """Booking, hold, and the pool's held and sold seats."""
    async with database.reading() as session:
        row = await session.execute(
            text(
                "SELECT b.status, h.status, p.held, p.sold FROM bookings b JOIN holds h ON h.id = b.hold_id"
                " JOIN hold_items i ON i.hold_id = h.id JOIN pools p ON p.slot_id = i.slot_id AND p.code = i.pool"
                " WHERE b.id = :id"
            ),
            {"id": booking.id},
        )
        booked, held, *pool = row.one()
    return BookingStatus(booked), held, pool[0], pool[1]


async def test_a_good_card_confirms_the_booking(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("3A", "3B")
    payment = await pay(desk, gateways, booking)
    async with desk.database.reading() as session:
        people = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]
        tickets = await bookings.tickets_by_passenger_ids(session, [one.id for one in people])
    assert (payment.status, payment.captured, payment.refunded) == (PaymentStatus.CAPTURED, booking.total, 0)
    assert await state(desk.database, booking) == (BookingStatus.CONFIRMED, "BOOKED", 0, 2)
    assert [[(one.number, one.status) for one in tickets[person.id]] for person in people] == [
        [("0160000000001", "OPEN")],
        [("0160000000002", "OPEN")],
    ]
    (intent,) = await sandbox.intents(booking.id)
    assert (intent["status"], intent["amount_received"]) == ("succeeded", booking.total)
    assert intent["metadata"] == {"booking": str(booking.id), "payment": str(payment.id), "pnr": booking.pnr}
    assert await facts_of(desk.database, outbox.booking_stream(booking.id)) == [
        "booking.created",
        "booking.seats_locked",
        "payment.initiated",
        "booking.payment_pending",
        "payment.authorized",
        "ticket.issued",
        "ticket.issued",
        "payment.captured",
        "booking.confirmed",
    ]


async def test_a_decline_puts_everything_back_and_another_card_may_pay(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    async with desk.database.reading() as session:
        before = (await session.execute(text("SELECT expires_at FROM holds"))).scalar_one()
    used = key()
    for _ in range(2):
        with pytest.raises(PaymentDeclined) as refusal:
            await pay(desk, gateways, booking, "pm_card_visa_chargeDeclinedInsufficientFunds", used)
        assert (refusal.value.decline_code, refusal.value.retryable) == ("insufficient_funds", True)
    assert await state(desk.database, booking) == (BookingStatus.SEATS_LOCKED, "ACTIVE", 1, 0)
    async with desk.database.reading() as session:
        assert (await session.execute(text("SELECT expires_at FROM holds"))).scalar_one() == before
        assert (await session.execute(text("SELECT DISTINCT expires_at FROM claims"))).scalar_one() == before
        assert (await session.execute(text("SELECT status FROM payments"))).scalars().all() == ["DECLINED"]
    assert (await pay(desk, gateways, booking)).status is PaymentStatus.CAPTURED


async def test_nobody_learns_that_a_card_was_stolen(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    with pytest.raises(PaymentDeclined) as refusal:
        await pay(desk, gateways, booking, "pm_card_visa_chargeDeclinedStolenCard")
    assert refusal.value.decline_code == "generic_decline"


@pytest.mark.parametrize(
    ("method", "code"), [("pm_card_nonsense", "unknown_method"), ("pm_success_de", "method_not_supported")]
)
async def test_a_method_that_cannot_be_used_is_a_decline(
    desk: Desk, gateways: Gateways, method: str, code: str
) -> None:
    booking = await desk.booked("3A")
    with pytest.raises(PaymentDeclined) as refusal:
        await pay(desk, gateways, booking, method)
    assert refusal.value.decline_code == code
    assert await state(desk.database, booking) == (BookingStatus.SEATS_LOCKED, "ACTIVE", 1, 0)


async def test_3d_secure_goes_on_where_it_was_with_the_same_request(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking, used = await desk.booked("3A"), key()
    method = "pm_card_threeDSecure2Required"
    for _ in range(2):
        waiting = await pay(desk, gateways, booking, method, used, BACK)
        assert waiting.status is PaymentStatus.REQUIRES_ACTION
        assert waiting.client_secret is not None
        assert waiting.redirect_url is not None
    with pytest.raises(Conflict) as refusal:
        await pay(desk, gateways, booking)
    assert refusal.value.code == "PAYMENT_UNDER_WAY"
    await sandbox.answer_challenge(str(waiting.redirect_url), "complete")
    done = await pay(desk, gateways, booking, method, used, BACK)
    assert (done.id, done.status, done.redirect_url) == (waiting.id, PaymentStatus.CAPTURED, None)
    assert await state(desk.database, booking) == (BookingStatus.CONFIRMED, "BOOKED", 0, 1)
    assert len(await sandbox.intents(booking.id)) == 1


async def test_3d_secure_that_fails_is_a_decline_and_its_intent_is_dead(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking, used = await desk.booked("3A"), key()
    method = "pm_card_threeDSecure2Required"
    waiting = await pay(desk, gateways, booking, method, used, BACK)
    await sandbox.answer_challenge(str(waiting.redirect_url), "fail")
    with pytest.raises(PaymentDeclined) as refusal:
        await pay(desk, gateways, booking, method, used, BACK)
    assert refusal.value.decline_code == "authentication_failed"
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
    assert await state(desk.database, booking) == (BookingStatus.SEATS_LOCKED, "ACTIVE", 1, 0)


async def test_a_payment_nobody_confirms_is_called_off_when_its_time_is_over(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking, used = await desk.booked("3A"), key()
    method = "pm_card_threeDSecure2Required"
    await pay(desk, gateways, booking, method, used, BACK)
    await pass_time(desk.database, timedelta(minutes=9))
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await state(desk.database, booking))[0] is BookingStatus.PAYMENT_PENDING
    await pass_time(desk.database, timedelta(minutes=16))
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await state(desk.database, booking))[0] is BookingStatus.EXPIRED
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
    with pytest.raises(HoldExpired):
        await pay(desk, gateways, booking, method, used, BACK)


async def test_paid_is_paid(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking, used = await desk.booked("3A"), key()
    first = await pay(desk, gateways, booking, key_=used)
    before = await snapshot(desk.database)
    assert (await pay(desk, gateways, booking, key_=used)).id == first.id
    for method, again, code in (
        ("pm_card_visa", key(), "ALREADY_PAID"),
        ("pm_card_mastercard", used, "IDEMPOTENCY_KEY_REUSED"),
    ):
        with pytest.raises(Conflict) as refusal:
            await pay(desk, gateways, booking, method, again)
        assert refusal.value.code == code
    assert await snapshot(desk.database) == before
    assert len(await sandbox.intents(booking.id)) == 1


async def test_an_expired_hold_is_not_charged(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("3A")
    await pass_time(desk.database, timedelta(minutes=16))
    before = await snapshot(desk.database)
    with pytest.raises(HoldExpired):
        await pay(desk, gateways, booking)
    assert await snapshot(desk.database) == before
    assert await sandbox.intents(booking.id) == []


@pytest.mark.parametrize(
    ("method", "back", "field"),
    [
        ("", None, "paymentMethod"),
        ("pm card", None, "paymentMethod"),
        ("pm_card_visa", "javascript:alert(1)", "returnUrl"),
        ("pm_card_visa", "/relative", "returnUrl"),
        ("pm_card_visa", "https://[::bad", "returnUrl"),
    ],
)
async def test_what_cannot_be_meant(desk: Desk, gateways: Gateways, method: str, back: str | None, field: str) -> None:
    booking = await desk.booked("3A")
    before = await snapshot(desk.database)
    with pytest.raises(Invalid) as refusal:
        await pay(desk, gateways, booking, method, back=back)
    assert refusal.value.field == field
    assert await snapshot(desk.database) == before


async def test_an_answer_that_was_lost_is_asked_for_again(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking, used = await desk.booked("3A"), key()
    await sandbox.fault("reset", "/v1/payment_intents", when="after", times=3)
    with pytest.raises(GatewayUnavailable):
        await pay(desk, gateways, booking, key_=used)
    assert (await state(desk.database, booking))[0] is BookingStatus.PAYMENT_PENDING
    assert (await pay(desk, gateways, booking, key_=used)).status is PaymentStatus.CAPTURED
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["succeeded"]


async def test_an_authorisation_that_comes_after_its_payment_was_given_up_is_called_off(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await desk.booked("3A")
    gateway, authorise = gateways.default, gateways.default.authorise

    async def slow(order: Order) -> Outcome:
        await pass_time(desk.database, timedelta(minutes=16))
        await bookings.advance(desk.database, gateways, booking.id)
        return await authorise(order)

    monkeypatch.setattr(gateway, "authorise", slow)
    with pytest.raises(HoldExpired):
        await pay(desk, gateways, booking)
    assert (await state(desk.database, booking))[0] is BookingStatus.EXPIRED
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]


async def test_a_decline_that_is_told_after_the_old_deadline_ends_booking_and_hold(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking, used = await desk.booked("3A"), key()
    await pass_time(desk.database, timedelta(minutes=14))
    waiting = await pay(desk, gateways, booking, "pm_card_threeDSecure2Required", used, BACK)
    await sandbox.answer_challenge(str(waiting.redirect_url), "fail")
    await pass_time(desk.database, timedelta(minutes=16))
    with pytest.raises(PaymentDeclined):
        await pay(desk, gateways, booking, "pm_card_threeDSecure2Required", used, BACK)
    assert await state(desk.database, booking) == (BookingStatus.EXPIRED, "EXPIRED", 0, 0)
