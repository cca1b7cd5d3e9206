"""Where an order of PayPal's stands, whatever of it is there."""

from __future__ import annotations

from typing import Any

import pytest

from core.money import Money
from services.gateways import Approved, Authorised, Captured, Declined, NeedsAction, Outcome, Processing, Voided
from services.gateways.paypal_words import money_in, outcome_of

AMOUNT = {"currency_code": "EUR", "value": "10.00"}
ID: Any = {"gateway_id": "O1"}
NO_SECRET: Any = {**ID, "client_secret": None}


def order(status: str, authorisation: str | None = None, *captures: str) -> dict[str, Any]:
    parts: dict[str, Any] = {"captures": [{"status": one, "amount": AMOUNT} for one in captures]}
    if authorisation is not None:
        parts["authorizations"] = [{"status": authorisation}]
    return {"id": "O1", "status": status, "purchase_units": [{"payments": parts}], "links": []}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (order("CREATED"), NeedsAction(**NO_SECRET, redirect_url=None)),
        (order("PAYER_ACTION_REQUIRED"), NeedsAction(**NO_SECRET, redirect_url=None)),
        (order("APPROVED"), Approved(**ID)),
        (order("COMPLETED", "CREATED"), Authorised(**NO_SECRET)),
        (order("COMPLETED", "PENDING"), Processing(**NO_SECRET)),
        (order("COMPLETED", "DENIED"), Declined(**ID, code="generic_decline")),
        (order("COMPLETED", "VOIDED"), Voided(**ID)),
        (order("VOIDED"), Voided(**ID)),
        (order("COMPLETED", "CAPTURED", "COMPLETED"), Captured(**ID, amount=Money(10_00, "EUR"))),
        (order("COMPLETED", "CAPTURED", "REFUNDED"), Captured(**ID, amount=Money(10_00, "EUR"))),
        (order("COMPLETED", "CAPTURED", "DECLINED", "COMPLETED"), Captured(**ID, amount=Money(10_00, "EUR"))),
        (order("COMPLETED", "CAPTURED", "PENDING"), Processing(**NO_SECRET)),
        (order("COMPLETED", "CAPTURED", "DECLINED"), Declined(**ID, code="generic_decline")),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else None,
)
def test_where_an_order_stands(found: dict[str, Any], outcome: Outcome) -> None:
    assert outcome_of(found) == outcome


def test_a_capture_that_failed_brought_no_money() -> None:
    assert money_in(order("COMPLETED", "CREATED", "DECLINED", "FAILED")) == []
    assert len(money_in(order("COMPLETED", "CAPTURED", "PENDING"))) == 1
