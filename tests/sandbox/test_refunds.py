"""Money back, and disputes."""

import httpx
import pytest
import stripe

from tests.sandbox.orders import order
from tests.sandbox.receiver import Receiver


async def _paid(pay: stripe.StripeClient, method: str = "pm_card_visa", **more: object) -> stripe.PaymentIntent:
    return await pay.v1.payment_intents.create_async(order(amount=10_000, payment_method=method, **more))


async def test_in_parts_until_nothing_is_left(pay: stripe.StripeClient, receiver: Receiver) -> None:
    intent = await _paid(pay)
    part = await pay.v1.refunds.create_async({"payment_intent": intent.id, "amount": 4000, "metadata": {"leg": "2"}})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await pay.v1.refunds.create_async({"payment_intent": intent.id, "amount": 6001})
    assert refused.value.param == "amount"
    rest = await pay.v1.refunds.create_async({"charge": str(intent.latest_charge)})
    assert (part.amount, part.status, rest.amount) == (4000, "succeeded", 6000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await pay.v1.refunds.create_async({"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"
    charge = await pay.v1.charges.retrieve_async(str(intent.latest_charge), {"expand": ["refunds"]})
    assert charge.refunds is not None
    assert (charge.amount_refunded, charge.refunded) == (10_000, True)
    assert [refund.id for refund in charge.refunds.data] == [rest.id, part.id]
    receiver.wait(intent.id, "refund.created", times=2)
    receiver.wait(intent.id, "charge.refunded", times=2)


async def test_an_authorisation_is_cancelled_not_refunded(pay: stripe.StripeClient) -> None:
    intent = await _paid(pay, capture_method="manual")
    with pytest.raises(stripe.InvalidRequestError, match="must cancel the PaymentIntent"):
        await pay.v1.refunds.create_async({"payment_intent": intent.id})
    assert await pay.v1.payment_intents.retrieve_async(intent.id) == intent


async def test_only_what_was_captured_comes_back(pay: stripe.StripeClient) -> None:
    intent = await _paid(pay, capture_method="manual")
    await pay.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 7000})
    assert (await pay.v1.refunds.create_async({"payment_intent": intent.id})).amount == 7000


async def test_slow_and_failing_refunds(pay: stripe.StripeClient, http: httpx.AsyncClient, receiver: Receiver) -> None:
    slow_intent, failing_intent = await _paid(pay, "pm_card_pendingRefund"), await _paid(pay, "pm_card_refundFail")
    slow = await pay.v1.refunds.create_async({"payment_intent": slow_intent.id})
    failing = await pay.v1.refunds.create_async({"payment_intent": failing_intent.id})
    assert (slow.status, failing.status) == ("pending", "succeeded")
    await http.post("/sandbox/clock", json={"advance": 3600})
    receiver.wait(slow.id, "refund.updated")
    receiver.wait(failing.id, "refund.failed")
    assert (await pay.v1.refunds.retrieve_async(slow.id)).status == "succeeded"
    assert (await pay.v1.refunds.retrieve_async(failing.id)).status == "failed"
    charge = await pay.v1.charges.retrieve_async(str(failing_intent.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (0, False)


async def test_a_disputed_charge_cannot_be_refunded(pay: stripe.StripeClient, receiver: Receiver) -> None:
    intent = await _paid(pay, "pm_card_createDispute")
    [event] = receiver.wait(intent.id, "charge.dispute.created")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await pay.v1.refunds.create_async({"payment_intent": intent.id})
    assert refused.value.code == "charge_disputed"
    dispute = await pay.v1.disputes.update_async(
        event.data.object.id, {"evidence": {"uncategorized_text": "winning_evidence"}}
    )
    assert (dispute.status, len(dispute.balance_transactions)) == ("won", 2)
    receiver.wait(intent.id, "charge.dispute.closed")
