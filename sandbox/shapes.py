"""New documents in the shapes of Stripe's published examples, every field there, null where nothing is known.

Amounts are integers of the smallest unit; times are seconds since the epoch.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from sandbox.kinds import Method
from sandbox.money import fee
from sandbox.store import Doc
from sandbox.wire import new_id

AUTHORISATION_SECONDS = 7 * 86400
_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


def payment_intent(now: int, amount: int, currency: str) -> Doc:
    """An intent that has yet to get a payment method."""
    intent_id = new_id("pi")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": new_id(f"{intent_id}_secret", 25),
        "confirmation_method": "automatic",
        "created": now,
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def payment_method(now: int, method: Method, billing: Doc | None = None) -> Doc:
    """A PaymentMethod made of a test method."""
    doc: Doc = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": _billing() | (billing or {}),
        "created": now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": method.type,
    }
    doc[method.type] = _SHAPES[method.type](method)
    return doc


def charge(now: int, intent: Doc, method_doc: Doc, method: Method, *, authenticated: bool) -> Doc:
    """The attempt to charge an intent's amount: authorised, not yet captured; the caller settles its fate."""
    charge_id = new_id("ch")
    return {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method_doc["billing_details"],
        "calculated_statement_descriptor": "SANDBOX",
        "captured": False,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": "elevated_risk_level" if method.risk_level == "elevated" else None,
            "risk_level": method.risk_level,
            "risk_score": method.risk,
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": method_doc["id"],
        "payment_method_details": _details(now, intent, method_doc, method, authenticated),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


_TO_CARD: Doc = {
    "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
    "type": "card",
}
"""Where a refund to a card goes."""


def refund(now: int, of: Doc, amount: int, reason: str | None, metadata: Doc) -> Doc:
    """Money of a charge on its way back."""
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "customer": of["customer"],
        "customer_account": None,
        "destination_details": _TO_CARD if of["payment_method_details"]["type"] == "card" else None,
        "metadata": metadata,
        "payment_intent": of["payment_intent"],
        "payment_method": of["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def balance_transaction(now: int, source: Doc, amount: int, type: str, *, charged: int = 0) -> Doc:
    """A line of the account's balance: `amount` is signed; `charged` is the fee in it."""
    fees = [
        {
            "amount": charged,
            "application": None,
            "currency": source["currency"],
            "description": "Sandbox processing fees",
            "type": "stripe_fee",
        }
    ]
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now,
        "balance_type": "payments",
        "created": now,
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": charged,
        "fee_details": fees if charged else [],
        "net": amount - charged,
        "reporting_category": {"adjustment": "dispute"}.get(type, type),
        "source": source["id"],
        "status": "available",
        "type": type,
    }


def capture_transaction(now: int, charged: Doc) -> Doc:
    """The balance line of a captured charge, less the fee."""
    amount = charged["amount_captured"]
    return balance_transaction(now, charged, amount, "charge", charged=fee(amount))


def dispute(now: int, of: Doc, reason: str, transaction: str) -> Doc:
    """A payer's bank wants a charge back; `transaction` is the balance line that took the money."""
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": of["amount_captured"],
        "balance_transactions": [transaction],
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"uncategorized_text": None},
        "evidence_details": {
            "due_by": now + 9 * 86400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": of["payment_intent"],
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": reason,
        "status": "needs_response",
    }


def customer(now: int, **given: Any) -> Doc:
    """A payer who may keep payment methods."""
    return {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": new_id("x", 8)[2:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    } | given


def listing(url: str, docs: Sequence[Doc], more: bool) -> Doc:
    """A page of a list."""
    return {"object": "list", "data": list(docs), "has_more": more, "url": url}


def _billing() -> Doc:
    return {"address": dict(_ADDRESS), "email": None, "name": None, "phone": None, "tax_id": None}


def _fingerprint(method: Method) -> str:
    return hashlib.sha256(method.name.encode()).hexdigest()[:16]


def _checks(method: Method) -> Doc:
    return {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": method.cvc_check}


def _card(method: Method) -> Doc:
    return {
        "brand": method.brand,
        "checks": _checks(method),
        "country": method.country,
        "display_brand": method.brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": _fingerprint(method),
        "funding": method.funding,
        "generated_from": None,
        "last4": method.last4,
        "networks": {"available": [method.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _bank(method: Method) -> Doc:
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": _fingerprint(method),
        "last4": method.last4,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": None,
    }


def _sepa(method: Method) -> Doc:
    return {
        "bank_code": "19043",
        "branch_code": "",
        "country": method.country,
        "fingerprint": _fingerprint(method),
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": method.last4,
    }


_SHAPES: dict[str, Callable[[Method], Doc]] = {
    "card": _card,
    "us_bank_account": _bank,
    "sepa_debit": _sepa,
    "ideal": lambda method: {"bank": "ing", "bic": "INGBNL2A"},
    "bancontact": lambda method: {},
    "alipay": lambda method: {},
    "upi": lambda method: {"vpa": None},
}
"""What a PaymentMethod of each type says of itself."""


def _details(now: int, intent: Doc, method_doc: Doc, method: Method, authenticated: bool) -> Doc:
    if method.type != "card":
        return {"type": method.type, method.type: method_doc[method.type]}
    secure = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("tds", 16),
        "version": "2.2.0",
    }
    return {
        "card": {
            "amount_authorized": intent["amount"],
            "authorization_code": "123456",
            "brand": method.brand,
            "capture_before": now + AUTHORISATION_SECONDS,
            "checks": _checks(method),
            "country": method.country,
            "exp_month": 12,
            "exp_year": 2034,
            "extended_authorization": {"status": "disabled"},
            "fingerprint": _fingerprint(method),
            "funding": method.funding,
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "last4": method.last4,
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": method.brand,
            "network_token": {"used": False},
            "network_transaction_id": new_id("n", 14)[2:],
            "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": secure if authenticated else None,
            "wallet": None,
        },
        "type": "card",
    }
