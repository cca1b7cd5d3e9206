"""A payer who is not there: their bank is asked again where it may relent, in time, and never more than three times."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from models import Booking, Payment
from services import bookings, invariants
from services.bookings import Paying
from services.gateways import Gateway, Gateways, GatewayUnavailable, Order, Outcome
from services.payments import PaymentDeclined
from tests.factories.bookings import GUEST, Desk, key
from tests.fakes.clock import set_clock
from tests.fakes.mortal import Died, Life
from tests.fakes.sandbox import Sandbox

BROKE, BACK = "pm_card_visa_chargeDeclinedInsufficientFunds", "https://shop.example/paid"
MINUTE = timedelta(minutes=1)


class PaidIn:
    """A gateway whose payer has money in the bank from the second time on."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.name, self.methods = gateway.name, gateway.methods
        self.asked: list[str] = []

    async def ask_again(self, gateway_id: str, order: Order, key: str) -> Outcome:
        """Ask about another card."""
        self.asked.append(key)
        return await self._gateway.ask_again(gateway_id, replace(order, method="pm_card_visa"), key)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        return cast("Callable[..., Awaitable[Any]]", getattr(self._gateway, name))


@pytest.fixture
async def noon(desk: Desk) -> datetime:
    """The moment at which the database's clock stands."""
    moment = datetime.now(UTC)
    await set_clock(desk.database, moment)
    return moment


async def pay(
    desk: Desk, gateways: Gateways, booking: Booking, method: str = BROKE, used: str = "", *, retry: bool = True
) -> Payment:
    asked = Paying(
        booking_id=booking.id,
        method=method,
        return_url=BACK,
        owner=GUEST,
        idempotency_key=used or key(),
        retry=retry,
    )
    return await bookings.pay_as(desk.database, gateways, asked)


async def payment_of(desk: Desk, booking: Booking) -> Payment:
    async with desk.database.reading() as session:
        (payment,) = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
        return payment


async def status_of(desk: Desk, booking: Booking) -> str:
    async with desk.database.reading() as session:
        return str((await session.get_one(Booking, booking.id)).status)


async def assert_sound(desk: Desk) -> None:
    assert [one for one in await invariants.check(desk.database) if one.broken] == []


async def test_asked_again_it_pays(desk: Desk, gateways: Gateways, sandbox: Sandbox, noon: datetime) -> None:
    booking = await desk.booked("3A")
    relenting = PaidIn(gateways.default)
    both = Gateways([cast("Gateway", relenting)])
    waiting = await pay(desk, both, booking)
    assert (waiting.status, waiting.attempts, waiting.retry_at) == ("PROCESSING", 2, noon + 2 * MINUTE)
    assert await bookings.advance(desk.database, both, booking.id) == 2 * MINUTE + timedelta(seconds=1)
    assert relenting.asked == []
    await set_clock(desk.database, noon + 2 * MINUTE)
    assert await bookings.advance(desk.database, both, booking.id) is None
    assert relenting.asked == [f"{waiting.id}:again:2"]
    assert await status_of(desk, booking) == "CONFIRMED"
    (intent,) = await sandbox.intents(booking.id)
    assert (intent["status"], intent["amount_received"]) == ("succeeded", booking.total)
    await assert_sound(desk)


async def test_after_the_third_time_it_is_declined(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, noon: datetime
) -> None:
    booking, used = await desk.booked("3A"), key()
    await pay(desk, gateways, booking, used=used)
    await set_clock(desk.database, noon + 2 * MINUTE)
    assert await bookings.advance(desk.database, gateways, booking.id) == 4 * MINUTE + timedelta(seconds=1)
    waiting = await payment_of(desk, booking)
    assert (waiting.status, waiting.attempts, waiting.retry_at) == ("PROCESSING", 3, noon + 6 * MINUTE)
    await set_clock(desk.database, noon + 6 * MINUTE)
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert (await payment_of(desk, booking)).status == "DECLINED"
    assert await status_of(desk, booking) == "SEATS_LOCKED"
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
    with pytest.raises(PaymentDeclined) as refusal:
        await pay(desk, gateways, booking, used=used)
    assert refusal.value.decline_code == "insufficient_funds"
    await assert_sound(desk)


@pytest.mark.parametrize(
    ("method", "retry"),
    [(BROKE, False), ("pm_card_visa_chargeDeclinedStolenCard", True), ("pm_card_chargeDeclinedExpiredCard", True)],
    ids=["a payer who is there", "a stolen card", "an expired card"],
)
async def test_declined_at_once(desk: Desk, gateways: Gateways, noon: datetime, method: str, retry: bool) -> None:
    booking = await desk.booked("3A")
    with pytest.raises(PaymentDeclined):
        await pay(desk, gateways, booking, method, retry=retry)
    assert (await payment_of(desk, booking)).attempts == 1
    assert await status_of(desk, booking) == "SEATS_LOCKED"


async def test_where_the_seats_would_be_gone_by_then_it_is_declined(
    desk: Desk, gateways: Gateways, noon: datetime
) -> None:
    booking = await desk.booked("3A")
    await pay(desk, gateways, booking)
    await set_clock(desk.database, noon + 12 * MINUTE)
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert (await payment_of(desk, booking)).status == "DECLINED"
    assert await status_of(desk, booking) == "SEATS_LOCKED"


async def test_when_the_seats_are_gone_it_is_not_asked_again(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, noon: datetime
) -> None:
    booking = await desk.booked("3A")
    relenting = PaidIn(gateways.default)
    both = Gateways([cast("Gateway", relenting)])
    await pay(desk, both, booking)
    await set_clock(desk.database, noon + 16 * MINUTE)
    assert await bookings.advance(desk.database, both, booking.id) is None
    assert relenting.asked == []
    assert await status_of(desk, booking) == "EXPIRED"
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
    await assert_sound(desk)


async def test_an_answer_that_was_lost_is_asked_for_with_its_key(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, noon: datetime
) -> None:
    booking = await desk.booked("3A")
    relenting = PaidIn(gateways.default)
    both = Gateways([cast("Gateway", relenting)])
    waiting = await pay(desk, both, booking)
    await set_clock(desk.database, noon + 2 * MINUTE)
    await sandbox.fault("reset", "/v1/payment_intents/*/confirm", when="after", times=3)
    with pytest.raises(GatewayUnavailable):
        await bookings.advance(desk.database, both, booking.id)
    await sandbox.heal()
    assert await bookings.advance(desk.database, both, booking.id) is None
    assert set(relenting.asked) == {f"{waiting.id}:again:2"}
    assert await status_of(desk, booking) == "CONFIRMED"
    assert [one["amount_received"] for one in await sandbox.intents(booking.id)] == [booking.total]


async def test_a_bank_that_wants_its_customer_has_a_page_for_them(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, noon: datetime
) -> None:
    booking = await desk.booked("3A")
    waiting = await pay(desk, gateways, booking, "pm_card_authenticationRequired")
    assert waiting.status == "REQUIRES_ACTION"
    await sandbox.answer_challenge(str(waiting.redirect_url), "complete")
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert await status_of(desk, booking) == "CONFIRMED"
    assert [one["amount_received"] for one in await sandbox.intents(booking.id)] == [booking.total]
    await assert_sound(desk)


async def test_a_customer_who_turns_away_has_not_paid(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, noon: datetime
) -> None:
    booking = await desk.booked("3A")
    waiting = await pay(desk, gateways, booking, "pm_card_authenticationRequired")
    await sandbox.answer_challenge(str(waiting.redirect_url), "fail")
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert (await payment_of(desk, booking)).status == "DECLINED"
    assert await status_of(desk, booking) == "SEATS_LOCKED"
    await assert_sound(desk)


POINTS = ["look", "before ask_again", "after ask_again", "before capture", "after capture"]


@pytest.mark.parametrize("dies_at", range(len(POINTS)), ids=lambda at: f"{at}-{POINTS[at].replace(' ', '-')}")
async def test_killed_at_any_point_after_the_pause_it_is_paid_once(
    desk: Desk,
    gateways: Gateways,
    sandbox: Sandbox,
    noon: datetime,
    monkeypatch: pytest.MonkeyPatch,
    dies_at: int,
) -> None:
    booking = await desk.booked("3A")
    both = Gateways([cast("Gateway", PaidIn(gateways.default))])
    await pay(desk, both, booking)
    await set_clock(desk.database, noon + 2 * MINUTE)
    life = Life(dies_at)
    with monkeypatch.context() as patch, pytest.raises(Died):
        await bookings.advance(desk.database, life.lead(patch, both), booking.id)
    assert life.passed == POINTS[:dies_at]
    assert await bookings.advance(desk.database, both, booking.id) is None
    assert await status_of(desk, booking) == "CONFIRMED"
    assert [one["amount_received"] for one in await sandbox.intents(booking.id)] == [booking.total]
    await assert_sound(desk)
