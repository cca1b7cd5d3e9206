"""An intent from its creation to the end of its money."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
import stripe

from tests.sandbox.orders import BACK, debit, held
from tests.sandbox.receiver import Receiver


async def test_authorise_then_capture(pay: stripe.StripeClient, receiver: Receiver) -> None:
    intent = await pay.v1.payment_intents.create_async(held(metadata={"booking": "b1"}))
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 12_500, 0)
    intent = await pay.v1.payment_intents.capture_async(intent.id)
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("succeeded", 0, 12_500)
    assert intent.metadata.to_dict() == {"booking": "b1"}
    receiver.wait(intent.id, "payment_intent.succeeded")
    receiver.wait(intent.id, "charge.captured")
    assert sorted(receiver.about(intent.id)) == [
        "charge.captured",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "payment_intent.created",
        "payment_intent.succeeded",
    ]


async def test_create_then_confirm_takes_the_money_at_once(pay: stripe.StripeClient) -> None:
    intent = await pay.v1.payment_intents.create_async({"amount": 900, "currency": "eur"})
    assert intent.status == "requires_payment_method"
    intent = await pay.v1.payment_intents.update_async(intent.id, {"payment_method": "pm_card_mastercard"})
    assert intent.status == "requires_confirmation"
    intent = await pay.v1.payment_intents.confirm_async(
        intent.id, {"return_url": BACK, "expand": ["latest_charge.balance_transaction"]}
    )
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert (intent.status, charge.captured, charge.amount_captured) == ("succeeded", True, 900)
    assert (charge.balance_transaction.fee, charge.balance_transaction.net) == (56, 844)


async def test_partial_capture_releases_the_rest_without_a_refund(pay: stripe.StripeClient) -> None:
    intent = await pay.v1.payment_intents.create_async(held())
    intent = await pay.v1.payment_intents.capture_async(
        intent.id, {"amount_to_capture": 10_000, "expand": ["latest_charge"]}
    )
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (12_500, 10_000, 0)
    assert (await pay.v1.refunds.list_async({"payment_intent": intent.id})).data == []


async def test_cancelling_releases_the_authorisation(pay: stripe.StripeClient, receiver: Receiver) -> None:
    intent = await pay.v1.payment_intents.create_async(held())
    intent = await pay.v1.payment_intents.cancel_async(intent.id, {"cancellation_reason": "abandoned"})
    assert (intent.status, intent.amount_capturable, intent.cancellation_reason) == ("canceled", 0, "abandoned")
    receiver.wait(intent.id, "payment_intent.canceled")
    assert "charge.refunded" not in receiver.about(intent.id)


@pytest.mark.parametrize("before", ["capture", "cancel"])
@pytest.mark.parametrize("then", ["capture", "cancel", "confirm"])
async def test_a_finished_intent_stays_as_it_is(pay: stripe.StripeClient, before: str, then: str) -> None:
    intents = pay.v1.payment_intents
    moves: dict[str, Callable[[str], Awaitable[stripe.PaymentIntent]]] = {
        "capture": intents.capture_async,
        "cancel": intents.cancel_async,
        "confirm": intents.confirm_async,
    }
    intent = await moves[before]((await intents.create_async(held())).id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await moves[then](intent.id)
    assert (refused.value.code, refused.value.http_status) == ("payment_intent_unexpected_state", 400)
    assert await intents.retrieve_async(intent.id) == intent


async def test_capturing_more_than_was_authorised_is_refused(pay: stripe.StripeClient) -> None:
    intent = await pay.v1.payment_intents.create_async(held())
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await pay.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 12_501})
    assert (refused.value.code, refused.value.param) == ("amount_too_large", "amount_to_capture")
    assert await pay.v1.payment_intents.retrieve_async(intent.id) == intent


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"amount": "12.50"}, "parameter_invalid_integer", "amount"),
        ({"amount": None}, "parameter_missing", "amount"),
        ({"currency": "xyz"}, None, "currency"),
        ({"payment_method": "pm_card_unheard_of"}, "resource_missing", "payment_method"),
        ({"customer": "cus_nobody"}, "resource_missing", "customer"),
        ({"return_url": "javascript://x/%0aalert(1)"}, "url_invalid", "return_url"),
        ({"return_url": None}, None, "return_url"),
        ({"tip": 5}, "parameter_unknown", "tip"),
        (
            {"payment_method_types[]": "card"},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
    ],
)
async def test_bad_parameters_are_named(
    http: httpx.AsyncClient, change: dict[str, object], code: str | None, param: str
) -> None:
    wanted = {**held(), "confirm": "true", **change}
    form = {name: str(value) for name, value in wanted.items() if value is not None}
    answer = await http.post("/v1/payment_intents", data=form)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error.get("code"), error["param"]) == (code, param)


async def test_bank_debits_settle_later(pay: stripe.StripeClient, http: httpx.AsyncClient, receiver: Receiver) -> None:
    good = await pay.v1.payment_intents.create_async(debit("pm_usBankAccount_success"))
    bad = await pay.v1.payment_intents.create_async(debit("pm_usBankAccount_insufficientFunds"))
    assert (good.status, bad.status) == ("processing", "processing")
    receiver.wait(good.id, "payment_intent.processing")
    await http.post("/sandbox/clock", json={"advance": 3600})
    receiver.wait(good.id, "payment_intent.succeeded")
    receiver.wait(bad.id, "payment_intent.payment_failed")
    bad = await pay.v1.payment_intents.retrieve_async(bad.id)
    assert bad.status == "requires_payment_method"
    assert bad.last_payment_error is not None
    assert bad.last_payment_error.code == "payment_intent_payment_attempt_failed"


async def test_an_authorisation_ends_after_seven_days(
    pay: stripe.StripeClient, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    intent = await pay.v1.payment_intents.create_async(held())
    await http.post("/sandbox/clock", json={"advance": 7 * 86400})
    receiver.wait(intent.id, "charge.expired")
    receiver.wait(intent.id, "payment_intent.canceled")
    intent = await pay.v1.payment_intents.retrieve_async(intent.id)
    assert (intent.status, intent.cancellation_reason) == ("canceled", "expired")


async def test_a_kept_method_pays_again_without_the_payer(pay: stripe.StripeClient) -> None:
    customer = await pay.v1.customers.create_async({"email": "ana@example.com"})
    first = await pay.v1.payment_intents.create_async(held(customer=customer.id, setup_future_usage="off_session"))
    again = await pay.v1.payment_intents.create_async(
        {
            "amount": 700,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": str(first.payment_method),
            "off_session": True,
            "confirm": True,
        }
    )
    assert (again.status, again.payment_method) == ("succeeded", first.payment_method)


async def test_a_method_nobody_kept_pays_once(pay: stripe.StripeClient) -> None:
    first = await pay.v1.payment_intents.create_async(held())
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await pay.v1.payment_intents.create_async(held(payment_method=str(first.payment_method)))
