"""What PayPal's documents say, in Jetway's words, and what it is asked in its own. Nothing here talks to anybody."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.money import EXPONENTS, Money
from services.gateways.protocol import (
    Approved,
    Authorised,
    Captured,
    Concern,
    Declined,
    NeedsAction,
    Order,
    Outcome,
    Processing,
    RefundAnswer,
    RefundOutcome,
    Voided,
    our_id,
)

CURRENCIES = frozenset(
    "AUD BRL CAD CNY CZK DKK EUR HKD HUF ILS JPY MYR MXN TWD NZD NOK PHP PLN GBP SGD SEK CHF THB USD".split()
)
"""https://developer.paypal.com/api/rest/reference/currency-codes/"""

WHOLE = frozenset({"HUF", "JPY", "TWD"})
"""Currencies that PayPal counts without decimals, whatever ISO 4217 says."""

UNPAID = frozenset({"CREATED", "SAVED", "PAYER_ACTION_REQUIRED"})

CONCERNS = {
    "CHECKOUT.ORDER.APPROVED": Concern.PAYMENT,
    "PAYMENT.AUTHORIZATION.CREATED": Concern.PAYMENT,
    "PAYMENT.AUTHORIZATION.VOIDED": Concern.PAYMENT,
    "PAYMENT.CAPTURE.COMPLETED": Concern.PAYMENT,
    "PAYMENT.CAPTURE.DENIED": Concern.PAYMENT,
    "PAYMENT.CAPTURE.REFUNDED": Concern.REFUND,
    "PAYMENT.REFUND.FAILED": Concern.REFUND,
}
"""Events that something may wait for."""

REFUNDS = {
    "COMPLETED": RefundOutcome.SUCCEEDED,
    "FAILED": RefundOutcome.FAILED,
    "CANCELLED": RefundOutcome.FAILED,
    "PENDING": RefundOutcome.PENDING,
}

TAKEN = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})

CODES = {
    "INSTRUMENT_DECLINED": "generic_decline",
    "TRANSACTION_REFUSED": "generic_decline",
    "PAYER_CANNOT_PAY": "generic_decline",
    "PAYER_ACCOUNT_RESTRICTED": "restricted_card",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": "restricted_card",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": "card_velocity_exceeded",
    "CURRENCY_NOT_SUPPORTED": "currency_not_supported",
    "DECLINED_BY_RISK_FRAUD_FILTERS": "fraudulent",
}

DISPUTED_STATES = {"OPEN": "needs_response", "UNDER_REVIEW": "under_review"}


def creation(order: Order, returned: str, turned_back: str) -> dict[str, Any]:
    """What an order is made of: the same order gives the same body, as its request id demands."""
    context = {
        "return_url": returned,
        "cancel_url": turned_back,
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
    }
    unit = {
        "reference_id": str(order.booking_id),
        "custom_id": str(order.payment_id),
        "invoice_id": str(order.payment_id),
        "description": f"Booking {order.pnr}",
        "amount": written(order.amount),
    }
    return {
        "intent": "AUTHORIZE",
        "purchase_units": [unit],
        "payment_source": {"paypal": {"experience_context": context}},
    }


def outcome_of(order: Mapping[str, Any]) -> Outcome:
    """Where an order stands, in our words."""
    gateway_id, status = order["id"], order["status"]
    if status in UNPAID:
        return NeedsAction(gateway_id=gateway_id, client_secret=None, redirect_url=approval(order))
    if status == "APPROVED":
        return Approved(gateway_id=gateway_id)
    taken = parts_in(order, "captures")
    if taken:
        return capture_outcome(gateway_id, taken)
    authorisation = authorisation_in(order)
    match None if authorisation is None else authorisation["status"]:
        case "CREATED":
            return Authorised(gateway_id=gateway_id, client_secret=None)
        case "PENDING":
            return Processing(gateway_id=gateway_id, client_secret=None)
        case "DENIED":
            return Declined(gateway_id=gateway_id, code="generic_decline")
        case _:
            return Voided(gateway_id=gateway_id)


def capture_outcome(gateway_id: str, taken: list[dict[str, Any]]) -> Outcome:
    """What captures make of an order: money that is there counts, money that may come is waited for."""
    amounts = [from_paypal(one["amount"]) for one in taken if one["status"] in TAKEN]
    if amounts:
        return Captured(gateway_id=gateway_id, amount=sum(amounts[1:], amounts[0]))
    if any(one["status"] == "PENDING" for one in taken):
        return Processing(gateway_id=gateway_id, client_secret=None)
    return Declined(gateway_id=gateway_id, code="generic_decline")


def answer_of(refund: Mapping[str, Any]) -> RefundAnswer:
    """Where a refund stands, in our words."""
    return RefundAnswer(gateway_id=refund["id"], outcome=REFUNDS[refund["status"]])


def approval(order: Mapping[str, Any]) -> str | None:
    """The page on which the payer agrees."""
    links = {link["rel"]: link["href"] for link in order.get("links", [])}
    page: str | None = links.get("payer-action") or links.get("approve")
    return page


def parts_in(order: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """The `authorizations`, `captures` or `refunds` of an order."""
    found: list[dict[str, Any]] = order["purchase_units"][0].get("payments", {}).get(kind, [])
    return found


def money_in(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The captures that brought money, or still may."""
    return [one for one in parts_in(order, "captures") if one["status"] in TAKEN or one["status"] == "PENDING"]


def authorisation_in(order: Mapping[str, Any]) -> dict[str, Any] | None:
    """Its authorisation, the newest where there are several; None where there is none."""
    found = parts_in(order, "authorizations")
    return found[-1] if found else None


def names_in(order: Mapping[str, Any]) -> tuple[UUID | None, UUID | None]:
    """The keys of our payment and our booking; None for what another system wrote there."""
    unit = order["purchase_units"][0]
    return our_id(unit.get("custom_id")), our_id(unit.get("reference_id"))


def code_of(issue: str) -> str:
    """A decline code of ours for an issue of PayPal's."""
    return CODES.get(issue, "gateway_refused")


def is_payable(amount: Money) -> bool:
    """Whether PayPal takes that amount: it counts forints without decimals, and nobody is charged a rounded price."""
    if amount.currency not in CURRENCIES:
        return False
    return amount.currency not in WHOLE or amount.minor_units % 10 ** EXPONENTS[amount.currency] == 0


def to_paypal(amount: Money) -> str:
    """The amount as decimal text in major units."""
    return str(amount.amount.quantize(Decimal(1))) if amount.currency in WHOLE else str(amount.amount)


def written(amount: Money) -> dict[str, str]:
    """The amount as an object of PayPal's."""
    return {"currency_code": amount.currency, "value": to_paypal(amount)}


def from_paypal(amount: Mapping[str, str]) -> Money:
    """The inverse of `written`."""
    currency = amount["currency_code"]
    return Money(int(Decimal(amount["value"]).scaleb(EXPONENTS[currency])), currency)
