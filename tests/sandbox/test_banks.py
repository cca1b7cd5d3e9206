"""Methods that cannot be authorised first: debits that settle later, pages and apps where the payer agrees at once."""

from __future__ import annotations

import httpx
import pytest
import stripe
from stripe.params import PaymentIntentCreateParams

from tests.sandbox.orders import BACK, debit, order
from tests.sandbox.receiver import Receiver


async def mixed(pay: stripe.StripeClient, type: str, currency: str) -> PaymentIntentCreateParams:
    """An order that authorises cards first, paid with a method of another type, as a browser makes it."""
    made = await pay.v1.payment_methods.create_async({"type": type})
    params = order(
        payment_method=made.id,
        currency=currency,
        payment_method_options={"card": {"capture_method": "manual"}},
        return_url=BACK,
    )
    del params["allowed_payment_method_types"]
    return params


@pytest.mark.parametrize(
    ("type", "currency"), [("ideal", "eur"), ("bancontact", "eur"), ("alipay", "usd"), ("upi", "inr")]
)
async def test_agreed_at_the_bank_is_taken_at_once(
    pay: stripe.StripeClient, http: httpx.AsyncClient, type: str, currency: str
) -> None:
    intent = await pay.v1.payment_intents.create_async(await mixed(pay, type, currency))
    assert (intent.status, intent.amount_received) == ("requires_action", 0)
    action = intent.next_action
    assert action is not None
    if type == "upi":
        assert action.upi_handle_redirect_or_display_qr_code is not None
        url = action.upi_handle_redirect_or_display_qr_code.hosted_instructions_url
    else:
        url = str(action.redirect_to_url and action.redirect_to_url.url)
    await http.post(url, data={"outcome": "complete"})
    intent = await pay.v1.payment_intents.retrieve_async(intent.id)
    assert (intent.status, intent.amount_received) == ("succeeded", 12_500)


async def test_turned_away_at_the_bank(pay: stripe.StripeClient, http: httpx.AsyncClient) -> None:
    intent = await pay.v1.payment_intents.create_async(await mixed(pay, "ideal", "eur"))
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    await http.post(str(intent.next_action.redirect_to_url.url), data={"outcome": "fail"})
    intent = await pay.v1.payment_intents.retrieve_async(intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "payment_intent_payment_attempt_failed"


async def test_a_debit_that_takes_three_minutes(
    pay: stripe.StripeClient, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    good = await pay.v1.payment_intents.create_async(debit("pm_successDelayed_de"))
    bad = await pay.v1.payment_intents.create_async(debit("pm_insufficientFunds_at"))
    assert (good.status, bad.status) == ("processing", "processing")
    await http.post("/sandbox/clock", json={"advance": 3600})
    receiver.wait(good.id, "payment_intent.succeeded")
    receiver.wait(bad.id, "payment_intent.payment_failed")
    [failed] = (await pay.v1.charges.list_async({"payment_intent": bad.id})).data
    assert (failed.status, failed.failure_code) == ("failed", "insufficient_funds")


async def test_no_debit_without_the_payers_word(pay: stripe.StripeClient) -> None:
    params = debit("pm_success_de")
    del params["mandate_data"]
    with pytest.raises(stripe.InvalidRequestError, match="requires a mandate"):
        await pay.v1.payment_intents.create_async(params)


async def test_an_account_is_known_by_its_number(pay: stripe.StripeClient) -> None:
    made = await pay.v1.payment_methods.create_async(
        {"type": "sepa_debit", "sepa_debit": {"iban": "AT61 1904 3002 3457 3201"}}
    )
    assert made.sepa_debit is not None
    assert made.sepa_debit.country == "AT"
    with pytest.raises(stripe.InvalidRequestError):
        await pay.v1.payment_methods.create_async({"type": "sepa_debit", "sepa_debit": {"iban": "DE00"}})


@pytest.mark.parametrize("change", [{"currency": "usd"}, {"capture_method": "manual"}], ids=["currency", "by hand"])
async def test_not_where_it_cannot_be(pay: stripe.StripeClient, change: dict[str, str]) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await pay.v1.payment_intents.create_async(debit("pm_success_de", **change))
    assert refused.value.code == "payment_intent_incompatible_payment_method"
