"""Orders, and the authorisations, captures and refunds inside of them.

An order's document is the one truth: authorisations, captures and refunds stand in its purchase unit, and an id of
theirs is a record that names the order. Handlers run in the caller's transaction and give the HTTP status and the id of
what to show.
"""

from collections.abc import Callable
from typing import Any

from sandbox.paypal import PREFIX
from sandbox.paypal.hooks import emit
from sandbox.paypal.wire import Refusal, linked, missing, moment, new_id, units, written
from sandbox.store import Doc
from sandbox.till import Till

SETTLE, RAISE = "paypal_settle", "paypal_dispute"
_VALID_SECONDS = 29 * 86400
_UNPAID = ("CREATED", "PAYER_ACTION_REQUIRED")

Shown = tuple[int, str]
Handler = Callable[[Till, Doc, str], Shown]


def create(till: Till, body: Doc, _id: str) -> Shown:
    """POST /v2/checkout/orders, of one purchase unit."""
    if body.get("intent") not in ("AUTHORIZE", "CAPTURE"):
        raise Refusal(400, "INVALID_PARAMETER_VALUE", "intent must be CAPTURE or AUTHORIZE.")
    match body.get("purchase_units"):
        case [dict() as unit]:
            minor, currency = units(unit.get("amount"))
        case _:
            raise Refusal(422, "MAX_NUMBER_OF_PURCHASE_UNITS_EXCEEDED", "The sandbox takes one purchase unit.")
    source = body.get("payment_source", {}).get("paypal", {}).get("experience_context", {})
    id, now = new_id(), moment(till.now)
    order: Doc = {
        "id": id,
        "intent": body["intent"],
        "status": "PAYER_ACTION_REQUIRED" if body.get("payment_source") else "CREATED",
        "payment_source": {"paypal": {}},
        "purchase_units": [
            {
                "reference_id": unit.get("reference_id", "default"),
                "amount": written(minor, currency),
                "payee": {"email_address": "seller@sandbox.example", "merchant_id": "SANDBOXMERCHANT"},
            }
            | {name: unit[name] for name in ("description", "custom_id", "invoice_id") if name in unit}
        ],
        "create_time": now,
        "update_time": now,
        "links": [
            linked(till.base_url, f"{PREFIX}/v2/checkout/orders/{id}", "self"),
            linked(till.base_url, f"{PREFIX}/checkoutnow?token={id}", "payer-action"),
        ],
    }
    record = {"id": id, "object": "paypal_order", "created": till.now, "paypal": order}
    till.store.insert(record, {name: source.get(name) for name in ("return_url", "cancel_url")})
    return 201, id


def approve(till: Till, id: str, scenario: str) -> None:
    """The payer agrees on PayPal's page; `scenario` is how their money will behave. Agreeing twice changes nothing."""
    order = of(till, id)
    if order["status"] not in _UNPAID:
        return
    order["status"] = "APPROVED"
    order["payment_source"] = {"paypal": {"account_id": "SANDBOXPAYER1", "account_status": "VERIFIED"}}
    order["payer"] = {"payer_id": "SANDBOXPAYER1", "email_address": "payer@sandbox.example"}
    save(till, order)
    till.store.hide(id, scenario=scenario)
    emit(till, "CHECKOUT.ORDER.APPROVED", "checkout-order", order)


def authorize(till: Till, body: Doc, id: str) -> Shown:
    """POST /v2/checkout/orders/{id}/authorize."""
    order = _approved(till, id, "AUTHORIZE", "ORDER_ALREADY_AUTHORIZED")
    pending = till.store.hidden(id).get("scenario") == "pending"
    part = _new_part(till, order, "authorizations", order["purchase_units"][0]["amount"])
    part |= {"status": "CREATED", "expiration_time": moment(till.now + _VALID_SECONDS)}
    if pending:
        part |= {"status": "PENDING", "status_details": {"reason": "PENDING_REVIEW"}}
        till.after(till.settings.settle_seconds, SETTLE, part["id"])
    _complete(till, order)
    emit(till, "PAYMENT.AUTHORIZATION.CREATED", "authorization", part)
    return 201, id


def capture_order(till: Till, body: Doc, id: str) -> Shown:
    """POST /v2/checkout/orders/{id}/capture, of an order that wants no separate authorisation."""
    order = _approved(till, id, "CAPTURE", "ORDER_ALREADY_CAPTURED")
    taken = _capture(till, order, units(order["purchase_units"][0]["amount"])[0])
    _complete(till, order)
    emit(till, "PAYMENT.CAPTURE.COMPLETED", "capture", taken)
    return 201, id


def capture(till: Till, body: Doc, id: str) -> Shown:
    """POST /v2/payments/authorizations/{id}/capture: once, for the whole amount or less."""
    order, authorization = part_of(till, id, "authorizations")
    left, currency = units(authorization["amount"])
    if authorization["status"] == "VOIDED":
        raise Refusal(422, "AUTHORIZATION_VOIDED", "A voided authorization cannot be captured or reauthorized.")
    if authorization["status"] == "CAPTURED":
        raise Refusal(422, "AUTHORIZATION_ALREADY_CAPTURED", "Authorization has already been captured.")
    if authorization["status"] != "CREATED":
        raise Refusal(422, "AUTHORIZATION_DENIED", "A denied or pending authorization cannot be captured.")
    asked, in_currency = units(body["amount"]) if "amount" in body else (left, currency)
    if in_currency != currency:
        raise Refusal(422, "CURRENCY_MISMATCH", "The currency of the capture differs from the authorization's.")
    if asked > left:
        raise Refusal(422, "MAX_CAPTURE_AMOUNT_EXCEEDED", "Capture amount exceeds allowable limit.")
    authorization |= {"status": "CAPTURED", "update_time": moment(till.now)}
    taken = _capture(till, order, asked)
    save(till, order)
    emit(till, "PAYMENT.CAPTURE.COMPLETED", "capture", taken)
    if till.store.hidden(order["id"]).get("scenario") == "dispute":
        till.after(0, RAISE, taken["id"])
    return 201, taken["id"]


def void(till: Till, body: Doc, id: str) -> Shown:
    """POST /v2/payments/authorizations/{id}/void."""
    order, authorization = part_of(till, id, "authorizations")
    if authorization["status"] == "CAPTURED":
        raise Refusal(
            422, "PREVIOUSLY_CAPTURED", "Authorization has been previously captured and hence cannot be voided."
        )
    if authorization["status"] == "VOIDED":
        raise Refusal(
            422, "PREVIOUSLY_VOIDED", "Authorization has been previously voided and hence cannot be voided again."
        )
    authorization |= {"status": "VOIDED", "update_time": moment(till.now)}
    save(till, order)
    emit(till, "PAYMENT.AUTHORIZATION.VOIDED", "authorization", authorization)
    return 204, id


def refund(till: Till, body: Doc, id: str) -> Shown:
    """POST /v2/payments/captures/{id}/refund: never more than was taken; without an amount, all that is left."""
    order, taken = part_of(till, id, "captures")
    whole, currency = units(taken["amount"])
    left = whole - sum(units(one["amount"])[0] for one in _refunds_of(order, id))
    if left == 0:
        raise Refusal(422, "CAPTURE_FULLY_REFUNDED", "The capture has already been fully refunded.")
    asked, in_currency = units(body["amount"]) if "amount" in body else (left, currency)
    if in_currency != currency:
        raise Refusal(422, "REFUND_CAPTURE_CURRENCY_MISMATCH", "Refund must be in the same currency as the capture.")
    if asked > left:
        raise Refusal(
            422, "REFUND_AMOUNT_EXCEEDED", "The refund amount must be less than or equal to the capture amount."
        )
    made = _new_part(till, order, "refunds", written(asked, currency))
    made |= {"status": "COMPLETED", "capture_id": id}
    made |= {name: body[name] for name in ("custom_id", "invoice_id", "note_to_payer") if name in body}
    made["links"].append(linked(till.base_url, f"{PREFIX}/v2/payments/captures/{id}", "up"))
    taken["status"] = "REFUNDED" if asked == left else "PARTIALLY_REFUNDED"
    save(till, order)
    emit(till, "PAYMENT.CAPTURE.REFUNDED", "refund", made)
    return 201, made["id"]


def settle(till: Till, id: str) -> None:
    """Timer: PayPal has looked at an authorisation that was pending, and lets it be."""
    order, authorization = part_of(till, id, "authorizations")
    if authorization["status"] == "PENDING":
        authorization["status"] = "CREATED"
        del authorization["status_details"]
        save(till, order)
        emit(till, "PAYMENT.AUTHORIZATION.CREATED", "authorization", authorization)


def shown(till: Till, id: str) -> Doc:
    """Whatever has that id, as PayPal shows it; raises Refusal."""
    record = till.store.get(id)
    if record is None or not record["object"].startswith("paypal_"):
        raise missing()
    if record["object"] in ("paypal_order", "paypal_dispute"):
        doc: Doc = record["paypal"]
        return doc
    return part_of(till, id)[1]


def of(till: Till, id: str) -> Doc:
    """The order of that id; raises Refusal."""
    record = till.store.get(id, "paypal_order")
    if record is None:
        raise missing()
    doc: Doc = record["paypal"]
    return doc


def part_of(till: Till, id: str, kind: str | None = None) -> tuple[Doc, Doc]:
    """An order, and the authorisation, capture or refund in it that has that id; raises Refusal."""
    record = till.store.get(id)
    if record is None or "order" not in record or kind not in (None, record["part"]):
        raise missing()
    order = of(till, record["order"])
    return order, next(one for one in order["purchase_units"][0]["payments"][record["part"]] if one["id"] == id)


def save(till: Till, order: Doc) -> None:
    """Write a changed order back."""
    order["update_time"] = moment(till.now)
    record: dict[str, Any] = till.store.need(order["id"], "paypal_order")
    till.store.save(record | {"paypal": order})


def _approved(till: Till, id: str, intent: str, already: str) -> Doc:
    order = of(till, id)
    if order["intent"] != intent:
        raise Refusal(422, "ACTION_DOES_NOT_MATCH_INTENT", f"The order was created with another intent than {intent}.")
    if order["status"] == "COMPLETED":
        raise Refusal(422, already, f"Order already {'authorized' if intent == 'AUTHORIZE' else 'captured'}.")
    if order["status"] != "APPROVED":
        raise Refusal(422, "ORDER_NOT_APPROVED", "Payer has not yet approved the Order for payment.")
    if till.store.hidden(id).get("scenario") == "decline":
        raise Refusal(
            422,
            "INSTRUMENT_DECLINED",
            "The instrument presented was either declined by the processor or bank, or it can't be used here.",
        )
    return order


def _capture(till: Till, order: Doc, minor: int) -> Doc:
    currency = order["purchase_units"][0]["amount"]["currency_code"]
    taken = _new_part(till, order, "captures", written(minor, currency))
    taken |= {"status": "COMPLETED", "final_capture": True}
    return taken


def _new_part(till: Till, order: Doc, kind: str, amount: Doc) -> Doc:
    unit = order["purchase_units"][0]
    id, now = new_id(), moment(till.now)
    part: Doc = {
        "id": id,
        "amount": amount,
        "create_time": now,
        "update_time": now,
        "links": [linked(till.base_url, f"{PREFIX}/v2/payments/{kind}/{id}", "self")],
        "supplementary_data": {"related_ids": {"order_id": order["id"]}},
    }
    part |= {name: unit[name] for name in ("custom_id", "invoice_id") if name in unit}
    unit.setdefault("payments", {}).setdefault(kind, []).append(part)
    record = {"id": id, "object": f"paypal_{kind}", "created": till.now, "order": order["id"], "part": kind}
    till.store.insert(record)
    return part


def _complete(till: Till, order: Doc) -> None:
    order["status"] = "COMPLETED"
    save(till, order)


def _refunds_of(order: Doc, capture_id: str) -> list[Doc]:
    made = order["purchase_units"][0]["payments"].get("refunds", [])
    return [one for one in made if one["capture_id"] == capture_id]
