"""PayPal in Jetway's words, at the sandbox: the payer agrees on its page, then their money is promised, then taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from core.money import Money
from services.gateways import (
    Approved,
    Authorised,
    Captured,
    Declined,
    GatewayRefused,
    GatewayUnavailable,
    NeedsAction,
    Order,
    PayPal,
    Processing,
    RefundOutcome,
    Voided,
)
from services.gateways.paypal_words import from_paypal, is_payable, written
from tests.fakes.sandbox import Sandbox, paypal_at

PRICE = Money(123_45, "EUR")


@pytest.fixture
async def paypal(sandbox: Sandbox) -> AsyncIterator[PayPal]:
    gateway = paypal_at(sandbox)
    yield gateway
    await gateway.close()
    await sandbox.heal()


def order(amount: Money = PRICE) -> Order:
    return Order(
        payment_id=uuid4(),
        booking_id=uuid4(),
        pnr="ABCDEF",
        amount=amount,
        method="paypal",
        return_url=None,
        created_at=datetime.now(UTC),
    )


async def agreed(paypal: PayPal, sandbox: Sandbox, one: Order, outcome: str = "approve") -> str:
    """An order that its payer has agreed to; its id."""
    waiting = await paypal.authorise(one)
    assert isinstance(waiting, NeedsAction)
    await sandbox.agree(str(waiting.redirect_url), outcome)
    return waiting.gateway_id


async def promised(paypal: PayPal, sandbox: Sandbox, one: Order, outcome: str = "approve") -> str:
    """The same, authorised."""
    id = await agreed(paypal, sandbox, one, outcome)
    assert await paypal.confirm(id, f"{id}:confirm") == Authorised(gateway_id=id, client_secret=None)
    return id


async def test_one_order_however_often_it_is_asked_for(paypal: PayPal, sandbox: Sandbox) -> None:
    one = order()
    first = await paypal.authorise(one)
    assert await paypal.authorise(one) == await paypal.find(one) == first
    assert len(await sandbox.orders(one.booking_id)) == 1


async def test_nothing_is_promised_before_the_payer_agrees(paypal: PayPal, sandbox: Sandbox) -> None:
    waiting = await paypal.authorise(order())
    assert await paypal.confirm(waiting.gateway_id or "", "k") == waiting
    assert isinstance(waiting, NeedsAction)
    back = await sandbox.agree(str(waiting.redirect_url))
    assert back.startswith("https://jetway.example/payments/returned/")
    assert await paypal.fetch(waiting.gateway_id) == Approved(gateway_id=waiting.gateway_id)


async def test_promised_and_taken_once(paypal: PayPal, sandbox: Sandbox) -> None:
    id = await promised(paypal, sandbox, order())
    assert await paypal.confirm(id, f"{id}:confirm") == await paypal.confirm(id, "another") == await paypal.fetch(id)
    for key in ("a", "a", "b"):
        assert await paypal.capture(id, PRICE, f"{id}:{key}") == Captured(gateway_id=id, amount=PRICE)
    with pytest.raises(GatewayRefused):
        await paypal.void(id)


async def test_a_part_is_taken(paypal: PayPal, sandbox: Sandbox) -> None:
    id, part = await promised(paypal, sandbox, order()), Money(100_00, "EUR")
    assert await paypal.capture(id, part, f"{id}:capture") == Captured(gateway_id=id, amount=part)


async def test_called_off_at_any_time_before(paypal: PayPal, sandbox: Sandbox) -> None:
    waiting = await paypal.authorise(order())
    await paypal.void(waiting.gateway_id or "")
    id = await promised(paypal, sandbox, order())
    for _ in range(2):
        await paypal.void(id)
    assert await paypal.fetch(id) == Voided(gateway_id=id)
    with pytest.raises(GatewayRefused):
        await paypal.capture(id, PRICE, f"{id}:capture")


async def test_an_order_that_is_gone_promises_nothing(paypal: PayPal) -> None:
    """PayPal forgets within hours what nobody agreed to."""
    assert await paypal.fetch("NOSUCHORDER") == Voided(gateway_id="NOSUCHORDER")
    await paypal.void("NOSUCHORDER")
    for refused in (paypal.capture, paypal.refund):
        with pytest.raises(GatewayRefused):
            await refused("NOSUCHORDER", PRICE, "k")


async def test_declined_and_looked_at(paypal: PayPal, sandbox: Sandbox) -> None:
    id = await agreed(paypal, sandbox, order(), "decline")
    assert await paypal.confirm(id, f"{id}:confirm") == Declined(gateway_id=id, code="generic_decline")
    id = await agreed(paypal, sandbox, order(), "pending")
    assert await paypal.confirm(id, f"{id}:confirm") == Processing(gateway_id=id, client_secret=None)


async def test_refunds_never_exceed_what_was_captured(paypal: PayPal, sandbox: Sandbox) -> None:
    id = await promised(paypal, sandbox, order())
    with pytest.raises(GatewayRefused):
        await paypal.refund(id, PRICE, str(uuid4()))
    await paypal.capture(id, PRICE, f"{id}:capture")
    key, part = str(uuid4()), Money(100_00, "EUR")
    made = await paypal.refund(id, part, key)
    assert made.outcome is RefundOutcome.SUCCEEDED
    assert await paypal.refund(id, part, key) == made
    assert await paypal.fetch_refund(made.gateway_id) == await paypal.find_refund(id, key) == made
    assert await paypal.find_refund(id, str(uuid4())) is None
    with pytest.raises(GatewayRefused) as refused:
        await paypal.refund(id, part, str(uuid4()))
    assert refused.value.code == "REFUND_AMOUNT_EXCEEDED"


async def test_lists_have_what_was_promised_taken_and_sent_back(paypal: PayPal, sandbox: Sandbox) -> None:
    taken, only_promised, never = order(), order(), order()
    id = await promised(paypal, sandbox, taken, "dispute")
    await paypal.capture(id, PRICE, f"{id}:capture")
    key, part = str(uuid4()), Money(1_00, "EUR")
    await paypal.refund(id, part, key)
    await promised(paypal, sandbox, only_promised)
    await paypal.authorise(never)
    now = datetime.now(UTC)
    since, until = now - timedelta(minutes=5), now + timedelta(minutes=5)
    listed = [one async for one in paypal.payments_between(since, until)]
    outcomes = {one.payment_id: one.outcome for one in listed}
    assert len(listed) == len(outcomes)
    assert outcomes[taken.payment_id] == Captured(gateway_id=id, amount=PRICE)
    assert isinstance(outcomes[only_promised.payment_id], Authorised)
    assert never.payment_id not in outcomes
    refunds = [one async for one in paypal.refunds_between(since, until) if one.payment == id]
    assert [(one.key, one.amount, one.outcome) for one in refunds] == [(key, part, RefundOutcome.SUCCEEDED)]


async def test_no_answer_means_unknown(paypal: PayPal, sandbox: Sandbox) -> None:
    await sandbox.fault("error", "/paypal/v2/checkout/orders", when="before", times=3)
    with pytest.raises(GatewayUnavailable):
        await paypal.authorise(order())


@pytest.mark.parametrize("kind", ["error", "reset"])
async def test_an_answer_that_was_lost_is_asked_for_again(paypal: PayPal, sandbox: Sandbox, kind: str) -> None:
    one = order()
    await sandbox.fault(kind, "/paypal/v2/checkout/orders", when="after")
    id = await promised(paypal, sandbox, one)
    await sandbox.fault(kind, "/paypal/v2/payments/authorizations/*/capture", when="after")
    await paypal.capture(id, PRICE, f"{id}:capture")
    [made] = await sandbox.orders(one.booking_id)
    assert len(made["purchase_units"][0]["payments"]["captures"]) == 1


async def test_a_client_that_is_refused_decides_nothing(sandbox: Sandbox) -> None:
    stranger = PayPal("someone", "else", "WH-1", f"{sandbox.url}/paypal", str, str)
    with pytest.raises(GatewayUnavailable):
        await stranger.authorise(order())
    await stranger.close()


@pytest.mark.parametrize(
    ("minor", "currency", "value"), [(5, "USD", "0.05"), (500, "JPY", "500"), (12_300, "HUF", "123")]
)
def test_amounts_as_paypal_writes_them(minor: int, currency: str, value: str) -> None:
    money = Money(minor, currency)
    assert written(money) == {"currency_code": currency, "value": value}
    assert from_paypal(written(money)) == money


@pytest.mark.parametrize(("minor", "currency"), [(12_345, "HUF"), (500, "INR"), (5_000, "KWD")])
def test_an_amount_that_paypal_cannot_take(minor: int, currency: str) -> None:
    assert not is_payable(Money(minor, currency))
