"""What Stripe's objects say, in Jetway's words, and what it is asked in its own.

Nothing here talks to anybody. Codes, statuses and parameters are those of API version 2026-10-28.endive.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import stripe
from stripe.params import (
    PaymentIntentConfirmParams,
    PaymentIntentCreateParams,
    PaymentIntentCreateParamsMandateData,
    PaymentIntentListParamsCreated,
)

from core.log import logger
from core.money import Money
from services.gateways.protocol import (
    UNKNOWN_RISK,
    Approved,
    Authorised,
    Capture,
    Captured,
    Concern,
    Declined,
    ListedDispute,
    ListedRefund,
    Means,
    NeedsAction,
    Order,
    Outcome,
    Processing,
    RefundAnswer,
    RefundOutcome,
    Risk,
    Voided,
)
from services.gateways.stripe_line import refusal_in
from services.gateways.stripe_risk import risk_of

EVERYWHERE = (Means(kind="card", capture=Capture.SEPARATE),)
"""What is paid with in every currency. Apple Pay and Google Pay are cards."""

BY_CURRENCY = {
    "EUR": (
        Means(kind="ideal", capture=Capture.IMMEDIATE, redirects=True),
        Means(kind="bancontact", capture=Capture.IMMEDIATE, redirects=True),
        Means(kind="sepa_debit", capture=Capture.DELAYED, patience=timedelta(days=10)),
    ),
    "INR": (Means(kind="upi", capture=Capture.IMMEDIATE, redirects=True),),
    "USD": (
        Means(kind="alipay", capture=Capture.IMMEDIATE, redirects=True),
        Means(kind="us_bank_account", capture=Capture.DELAYED, patience=timedelta(days=8)),
    ),
}
"""What besides. SEPA debits are known after five business days, ACH debits after four, and holidays come on top."""

PATIENCE = {means.kind: means.patience for some in BY_CURRENCY.values() for means in some}

CONCERNS = {
    "charge.dispute.created": Concern.DISPUTE,
    "charge.dispute.funds_withdrawn": Concern.DISPUTE,
    "payment_intent.amount_capturable_updated": Concern.PAYMENT,
    "payment_intent.canceled": Concern.PAYMENT,
    "payment_intent.payment_failed": Concern.PAYMENT,
    "payment_intent.processing": Concern.PAYMENT,
    "payment_intent.succeeded": Concern.PAYMENT,
    "refund.failed": Concern.REFUND,
    "refund.updated": Concern.REFUND,
}
"""Events that something may wait for. What Stripe tells of our own calls beside these, we know from their answers."""

REFUNDS = {
    "succeeded": RefundOutcome.SUCCEEDED,
    "failed": RefundOutcome.FAILED,
    "canceled": RefundOutcome.FAILED,
    "pending": RefundOutcome.PENDING,
    "requires_action": RefundOutcome.PENDING,
}

RENAMED = {
    "payment_intent_authentication_failure": "authentication_failed",
    "payment_intent_payment_attempt_failed": "bank_refused",
}
"""Error codes of Stripe's that have a plainer name here."""

MANDATE: PaymentIntentCreateParamsMandateData = {"customer_acceptance": {"type": "offline"}}
"""That the payer was shown the terms and has agreed, as Stripe wants to be told of whatever is confirmed by a server
(https://docs.stripe.com/payments/finalize-payments-on-the-server). Debits cannot do without. Of the payer's browser
nothing is passed on, so to Stripe the word was not given online."""

EXPANDED = ["latest_charge"]
"""What comes with a PaymentIntent, and tells with what kind of method it was paid."""

THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

log = logger("stripe")


def between(since: datetime, until: datetime) -> PaymentIntentListParamsCreated:
    """A window of a list, in whole seconds, both ends included."""
    return {"gte": int(since.timestamp()), "lte": int(until.timestamp())}


def creation(order: Order) -> PaymentIntentCreateParams:
    """The parameters for an order: the same order gives the same parameters, as its idempotency key demands."""
    params: PaymentIntentCreateParams = {
        "amount": to_stripe(order.amount),
        "currency": order.amount.currency.lower(),
        "payment_method": order.method,
        # Said of cards alone: said of the PaymentIntent, it would exclude every method that cannot.
        "payment_method_options": {"card": {"capture_method": "manual"}},
        "mandate_data": MANDATE,
        "confirm": True,
        "expand": EXPANDED,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "always" if order.return_url else "never"},
        "description": f"Booking {order.pnr}",
        "metadata": {"payment": str(order.payment_id), "booking": str(order.booking_id), "pnr": order.pnr},
    }
    if order.return_url is not None:
        params["return_url"] = order.return_url
    if order.off_session:
        # A stored method has its mandate; nobody is there to give another.
        params["off_session"] = True
        del params["mandate_data"]
    return params


def again(order: Order) -> PaymentIntentConfirmParams:
    """The parameters for asking about an order's declined PaymentIntent once more."""
    params: PaymentIntentConfirmParams = {"payment_method": order.method, "expand": EXPANDED}
    if order.return_url is not None:
        params["return_url"] = order.return_url
    if order.off_session:
        params["off_session"] = True
    else:
        params["mandate_data"] = {"customer_acceptance": {"type": "offline"}}
    return params


def confirmation() -> PaymentIntentConfirmParams:
    """The parameters for a PaymentIntent that the payer's browser has given a method."""
    return {"mandate_data": {"customer_acceptance": {"type": "offline"}}, "expand": EXPANDED}


def kind_of(intent: Mapping[str, Any]) -> str | None:
    """With what kind of method a PaymentIntent was last tried; None where it was not, or was not asked."""
    charge = intent.get("latest_charge")
    details = charge.get("payment_method_details") if isinstance(charge, dict) else None
    kind: str | None = details["type"] if details else None
    return kind


def page_of(intent: Mapping[str, Any]) -> str | None:
    """Where the payer agrees: their bank's page, or Stripe's own with a code for their app; None for neither."""
    action = intent.get("next_action") or {}
    if (page := action.get("redirect_to_url")) is not None:
        return str(page["url"])
    code = action.get("upi_handle_redirect_or_display_qr_code")
    return None if code is None else str(code["hosted_instructions_url"])


def outcome_of(intent: Mapping[str, Any], risk: Risk = UNKNOWN_RISK) -> Outcome:
    """Where a PaymentIntent stands, in our words."""
    gateway_id, secret, error = intent["id"], intent.get("client_secret"), intent.get("last_payment_error")
    match intent["status"]:
        case "requires_capture":
            return Authorised(gateway_id=gateway_id, client_secret=secret, risk=risk)
        case "requires_action":
            return NeedsAction(gateway_id=gateway_id, client_secret=secret, redirect_url=page_of(intent))
        case "requires_confirmation":
            return Approved(gateway_id=gateway_id)
        case "processing":
            patience = PATIENCE.get(kind_of(intent) or "")
            return Processing(gateway_id=gateway_id, client_secret=secret, patience=patience)
        case "succeeded":
            return Captured(gateway_id=gateway_id, amount=received_by(intent), risk=risk)
        case "canceled" if error is None:
            return Voided(gateway_id=gateway_id)
        case _:
            return Declined(gateway_id=gateway_id, code=code_of(error or {}), risk=risk)


def received_by(intent: Mapping[str, Any]) -> Money:
    """What a PaymentIntent has brought."""
    return from_stripe(intent["amount_received"], intent["currency"].upper())


def decline_of(error: stripe.CardError | stripe.InvalidRequestError, card_key: bytes) -> Declined:
    """What a refused creation is: the bank's no, a method that cannot be used, or a request that Stripe won't have."""
    refusal = refusal_in(error)
    intent = refusal.get("payment_intent")
    gateway_id = None if intent is None else intent["id"]
    if isinstance(error, stripe.CardError):
        risk = UNKNOWN_RISK if intent is None else risk_of(intent, card_key)
        return Declined(gateway_id=gateway_id, code=code_of(refusal), risk=risk)
    if error.code == "payment_intent_incompatible_payment_method":
        return Declined(gateway_id=gateway_id, code="method_not_supported")
    if error.param == "payment_method":
        return Declined(gateway_id=gateway_id, code="unknown_method")
    log.error("stripe.refused", code=error.code, param=error.param, request_id=error.request_id)
    return Declined(gateway_id=gateway_id, code="gateway_refused")


def code_of(error: Mapping[str, Any]) -> str:
    """The decline code of an error object; its error code where the bank gave none."""
    code: str = error.get("decline_code") or error.get("code") or "generic_decline"
    return RENAMED.get(code, code)


def status_in(error: stripe.StripeError) -> str | None:
    """The status of the PaymentIntent that a refusal was about."""
    intent = refusal_in(error).get("payment_intent")
    return None if intent is None else intent["status"]


def named_in(about: Mapping[str, Any], name: str) -> str | None:
    """What we had written into the metadata of an object under that name."""
    found: str | None = (about.get("metadata") or {}).get(name)
    return found


def answer_of(refund: Mapping[str, Any]) -> RefundAnswer:
    """Where a Refund stands, in our words."""
    goes_to: str | None = (refund.get("destination_details") or {}).get("type")
    return RefundAnswer(
        gateway_id=refund["id"],
        outcome=REFUNDS[refund.get("status") or "pending"],
        to_card=None if goes_to is None else goes_to == "card",
    )


def refund_of(about: Mapping[str, Any]) -> ListedRefund:
    """A Refund of a list, in our words."""
    return ListedRefund(
        gateway_id=about["id"],
        payment=str(about["payment_intent"]),
        key=named_in(about, "refund"),
        amount=from_stripe(about["amount"], about["currency"].upper()),
        outcome=answer_of(about).outcome,
    )


def dispute_of(about: Mapping[str, Any]) -> ListedDispute:
    """A Dispute, in our words."""
    return ListedDispute(
        gateway_id=about["id"],
        payment=str(about["payment_intent"]),
        amount=from_stripe(about["amount"], about["currency"].upper()),
        reason=about["reason"],
        status=about["status"],
    )


def is_chargeable(amount: Money) -> bool:
    """Whether Stripe can charge that amount: of currencies with three decimals the last one has to be 0.

    It is not rounded: whoever pays is charged the price they were told, or nothing.
    """
    return amount.currency not in THREE_DECIMALS or amount.minor_units % 10 == 0


def to_stripe(money: Money) -> int:
    """The amount as Stripe counts it: minor units, and the króna still in hundredths, though it has none."""
    return money.minor_units * 100 if money.currency == "ISK" else money.minor_units


def from_stripe(amount: int, currency: str) -> Money:
    """The inverse of `to_stripe`."""
    return Money(amount // 100 if currency == "ISK" else amount, currency)
