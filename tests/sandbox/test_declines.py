"""Stripe's documented test methods that say no."""

import pytest
import stripe

from tests.sandbox.orders import BACK, order
from tests.sandbox.receiver import Receiver


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
        ("pm_card_visa_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_radarBlock", "card_declined", "fraudulent"),
    ],
)
async def test_declined(
    pay: stripe.StripeClient, receiver: Receiver, method: str, code: str, decline_code: str | None
) -> None:
    intent = await pay.v1.payment_intents.create_async({"amount": 4200, "currency": "eur", "capture_method": "manual"})
    with pytest.raises(stripe.CardError) as declined:
        await pay.v1.payment_intents.confirm_async(intent.id, {"payment_method": method, "return_url": BACK})
    error = declined.value.error
    assert error is not None
    assert (declined.value.http_status, error.code, error.to_dict().get("decline_code")) == (402, code, decline_code)
    after = await pay.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge"]})
    assert (after.status, after.payment_method, after.amount_capturable) == ("requires_payment_method", None, 0)
    assert after.last_payment_error is not None
    assert after.last_payment_error.code == code
    charge = after.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, code)
    receiver.wait(intent.id, "payment_intent.payment_failed")
    receiver.wait(intent.id, "charge.failed")


async def test_another_card_saves_a_declined_intent(pay: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await pay.v1.payment_intents.create_async(order(payment_method="pm_card_chargeDeclined"))
    assert declined.value.error is not None
    assert declined.value.error.payment_intent is not None
    intent = await pay.v1.payment_intents.confirm_async(
        declined.value.error.payment_intent.id, {"payment_method": "pm_card_amex", "return_url": BACK}
    )
    assert (intent.status, intent.last_payment_error) == ("succeeded", None)


async def test_elevated_risk_is_told_and_pays(pay: stripe.StripeClient) -> None:
    intent = await pay.v1.payment_intents.create_async(
        order(payment_method="pm_card_riskLevelElevated", expand=["latest_charge"])
    )
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert intent.latest_charge.outcome is not None
    assert (intent.status, intent.latest_charge.outcome.risk_level) == ("succeeded", "elevated")
    assert intent.latest_charge.outcome.risk_score == 70


@pytest.mark.parametrize("method", ["pm_card_authenticationRequired", "pm_card_threeDSecure2Required"])
async def test_no_payer_to_authenticate(pay: stripe.StripeClient, method: str) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await pay.v1.payment_intents.create_async(
            {"amount": 4200, "currency": "eur", "confirm": True, "off_session": True, "payment_method": method}
        )
    assert declined.value.code == "authentication_required"
