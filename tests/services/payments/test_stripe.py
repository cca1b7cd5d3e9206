"""Stripe in Jetway's words, through the official SDK, at the sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from core.money import Money
from services.gateways import (
    UNKNOWN_RISK,
    Authorised,
    Captured,
    Declined,
    Gateway,
    GatewayRefused,
    Gateways,
    GatewayUnavailable,
    NeedsAction,
    Order,
    Outcome,
    Processing,
    RefundOutcome,
    Stripe,
    Voided,
)
from services.gateways.stripe_words import from_stripe, to_stripe
from tests.fakes.sandbox import SECRET, Sandbox

PRICE = Money(123_45, "USD")


@pytest.fixture
def gateway(gateways: Gateways) -> Gateway:
    return gateways.default


def order(method: str = "pm_card_visa", amount: Money = PRICE, return_url: str | None = None) -> Order:
    return Order(
        payment_id=uuid4(),
        booking_id=uuid4(),
        pnr="ABCDEF",
        amount=amount,
        method=method,
        return_url=return_url,
        created_at=datetime.now(UTC),
    )


def without_risk(outcome: Outcome) -> Outcome:
    """The same, whatever the gateway knows of the payer."""
    return replace(outcome, risk=UNKNOWN_RISK) if isinstance(outcome, Captured | Declined) else outcome


async def authorised(gateway: Gateway, one: Order) -> str:
    outcome = await gateway.authorise(one)
    assert isinstance(outcome, Authorised)
    return outcome.gateway_id


async def test_the_same_order_is_authorised_once(gateway: Gateway, sandbox: Sandbox) -> None:
    one = order()
    first = await gateway.authorise(one)
    assert await gateway.authorise(one) == first
    assert len(await sandbox.intents(one.booking_id)) == 1


async def test_captured_once_however_often_it_is_asked(gateway: Gateway) -> None:
    intent = await authorised(gateway, order())
    for key in ("a", "a", "b"):
        assert await gateway.capture(intent, PRICE, f"{intent}:{key}") == Captured(gateway_id=intent, amount=PRICE)
    with pytest.raises(GatewayRefused):
        await gateway.void(intent)


async def test_called_off_once_however_often_it_is_asked(gateway: Gateway) -> None:
    intent = await authorised(gateway, order())
    for _ in range(3):
        await gateway.void(intent)
    assert await gateway.fetch(intent) == Voided(gateway_id=intent)
    with pytest.raises(GatewayRefused):
        await gateway.capture(intent, PRICE, f"{intent}:capture")


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "stolen_card"),
        ("pm_card_nonsense", "unknown_method"),
        ("pm_success_de", "method_not_supported"),
    ],
)
async def test_a_refusal_is_an_outcome(gateway: Gateway, method: str, code: str) -> None:
    outcome = await gateway.authorise(order(method))
    assert isinstance(outcome, Declined)
    assert outcome.code == code


async def test_a_debit_is_known_later(gateway: Gateway, sandbox: Sandbox) -> None:
    for method, currency, days in (("pm_usBankAccount_processing", "USD", 8), ("pm_successDelayed_de", "EUR", 10)):
        outcome = await gateway.authorise(order(method, Money(123_45, currency)))
        assert isinstance(outcome, Processing)
        assert outcome.patience == timedelta(days=days)
        with pytest.raises(GatewayRefused):
            await gateway.void(outcome.gateway_id)


@pytest.mark.parametrize(("type", "currency"), [("ideal", "EUR"), ("bancontact", "EUR"), ("upi", "INR")])
async def test_what_knows_no_promise_is_taken_when_the_payer_agrees(
    gateway: Gateway, sandbox: Sandbox, type: str, currency: str
) -> None:
    method, price = await sandbox.method(type), Money(123_45, currency)
    outcome = await gateway.authorise(order(method, price, "https://shop.example/paid"))
    assert isinstance(outcome, NeedsAction)
    await sandbox.answer_challenge(str(outcome.redirect_url), "complete")
    taken = Captured(gateway_id=outcome.gateway_id, amount=price)
    assert without_risk(await gateway.fetch(outcome.gateway_id)) == taken
    assert await gateway.capture(outcome.gateway_id, price, f"{outcome.gateway_id}:capture") == taken


async def test_turned_away_at_the_bank(gateway: Gateway, sandbox: Sandbox) -> None:
    one = order(await sandbox.method("ideal"), Money(123_45, "EUR"), "https://shop.example/paid")
    outcome = await gateway.authorise(one)
    assert isinstance(outcome, NeedsAction)
    await sandbox.answer_challenge(str(outcome.redirect_url), "fail")
    declined = Declined(gateway_id=outcome.gateway_id, code="bank_refused")
    assert without_risk(await gateway.fetch(outcome.gateway_id)) == declined


async def test_a_part_is_taken_and_the_rest_let_go(gateway: Gateway, sandbox: Sandbox) -> None:
    one, part = order(), Money(100_00, "USD")
    intent = await authorised(gateway, one)
    taken = Captured(gateway_id=intent, amount=part)
    for _ in range(2):
        assert await gateway.capture(intent, part, f"{intent}:capture") == taken
    assert without_risk(await gateway.fetch(intent)) == taken
    [kept] = await sandbox.intents(one.booking_id)
    assert (kept["amount_received"], kept["amount_capturable"]) == (100_00, 0)


def test_the_means_follow_the_currency(gateway: Gateway) -> None:
    def kinds(amount: int, currency: str) -> set[str]:
        return {means.kind for means in gateway.means(Money(amount, currency))}

    assert kinds(100, "USD") == {"card", "alipay", "us_bank_account"}
    assert kinds(100, "EUR") == {"card", "ideal", "bancontact", "sepa_debit"}
    assert kinds(100, "INR") == {"card", "upi"}
    assert kinds(5_120, "KWD") == {"card"}
    assert kinds(5_124, "KWD") == set()


async def test_an_amount_that_stripe_cannot_charge_is_not_rounded(gateway: Gateway, sandbox: Sandbox) -> None:
    one = order(amount=Money(5_124, "KWD"))
    assert await gateway.authorise(one) == Declined(gateway_id=None, code="amount_not_supported")
    assert await sandbox.intents(one.booking_id) == []


async def test_without_an_address_to_come_back_to_there_is_only_the_script(gateway: Gateway) -> None:
    outcome = await gateway.authorise(order("pm_card_threeDSecure2Required"))
    assert isinstance(outcome, NeedsAction)
    assert outcome.redirect_url is None
    assert outcome.client_secret is not None


async def test_a_lost_order_is_found_among_others(gateway: Gateway) -> None:
    one = order()
    await authorised(gateway, order())
    intent = await authorised(gateway, one)
    found = await gateway.find(one)
    assert isinstance(found, Authorised)
    assert found.gateway_id == intent
    assert await gateway.find(order()) is None


async def test_refunds_never_exceed_what_was_captured(gateway: Gateway) -> None:
    intent = await authorised(gateway, order())
    await gateway.capture(intent, PRICE, f"{intent}:capture")
    key = str(uuid4())
    part = await gateway.refund(intent, Money(100_00, "USD"), key)
    assert part.outcome is RefundOutcome.SUCCEEDED
    assert await gateway.refund(intent, Money(100_00, "USD"), key) == part
    assert await gateway.fetch_refund(part.gateway_id) == part
    with pytest.raises(GatewayRefused):
        await gateway.refund(intent, Money(100_00, "USD"), str(uuid4()))


async def test_a_refund_is_found_by_what_it_was_asked_for_with(gateway: Gateway) -> None:
    intent = await authorised(gateway, order())
    await gateway.capture(intent, PRICE, f"{intent}:capture")
    keys = [str(uuid4()) for _ in range(2)]
    for key in keys:
        made = await gateway.refund(intent, Money(10_00, "USD"), key)
        assert await gateway.find_refund(intent, key) == made
    assert await gateway.find_refund(intent, str(uuid4())) is None


async def test_no_answer_means_unknown(gateway: Gateway, sandbox: Sandbox) -> None:
    await sandbox.fault("error", "/v1/payment_intents", when="before", times=3)
    with pytest.raises(GatewayUnavailable):
        await gateway.authorise(order())


async def test_a_key_of_another_request_decides_nothing(gateway: Gateway, sandbox: Sandbox) -> None:
    one = order()
    first = await gateway.authorise(one)
    with capture_logs() as logs, pytest.raises(GatewayUnavailable):
        await gateway.authorise(replace(one, method="pm_card_mastercard"))
    assert [(line["log_level"], line["event"]) for line in logs] == [("error", "stripe.key_of_another_request")]
    assert [one["id"] for one in await sandbox.intents(one.booking_id)] == [first.gateway_id]
    assert await gateway.authorise(one) == first


async def test_a_key_that_is_refused_decides_nothing(sandbox: Sandbox) -> None:
    stranger = Stripe("sk_test_wrong", SECRET, sandbox.url)
    with pytest.raises(GatewayUnavailable):
        await stranger.authorise(order())
    await stranger.close()


@pytest.mark.parametrize(("currency", "counted"), [("USD", 5), ("JPY", 5), ("KWD", 5), ("ISK", 500)])
def test_amounts_as_stripe_counts_them(currency: str, counted: int) -> None:
    money = Money(5, currency)
    assert to_stripe(money) == counted
    assert from_stripe(counted, currency) == money
