"""/v1/refunds: money back, never more than was captured."""

from sandbox import money, shapes
from sandbox.methods import behaviour
from sandbox.params import Params
from sandbox.store import Doc
from sandbox.till import Till
from sandbox.wire import ApiError, missing

SETTLE = "settle_refund"
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(till: Till, params: Params) -> Doc:
    """POST /v1/refunds, of a charge or of an intent's latest charge; without an amount, all that is left."""
    params.only({"charge", "payment_intent", "amount", "reason", "metadata", "instructions_email"})
    reason = params.choice("reason", _REASONS)
    asked = params.integer("amount")
    charge = _charge(till, params)
    left = _refundable(charge)
    amount = left if asked is None else asked
    if amount < 1:
        raise ApiError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        currency = charge["currency"]
        raise ApiError(
            f"Refund amount ({money.words(amount, currency)}) is greater than unrefunded amount on charge"
            f" ({money.words(left, currency)})",
            param="amount",
            executed=True,
        )
    refund = shapes.refund(till.now, charge, amount, reason, params.metadata())
    manner = behaviour(till, charge["payment_method"]).refund
    if manner == "pending":
        refund |= {"pending_reason": "processing", "status": "pending"}
    line = shapes.balance_transaction(till.now, refund, -amount, "refund")
    refund["balance_transaction"] = line["id"]
    till.store.insert(line)
    till.store.insert(refund)
    _add(till, charge, amount)
    till.emit("refund.created", refund)
    till.emit("charge.refunded", charge)
    if manner != "instant":
        till.after(till.settings.settle_seconds, SETTLE, refund["id"])
    return refund


def update(till: Till, params: Params, id: str) -> Doc:
    """POST /v1/refunds/{id}: metadata only."""
    params.only({"metadata"})
    refund = retrieve(till, params, id)
    previous, refund["metadata"] = refund["metadata"], params.metadata(refund["metadata"])
    till.store.save(refund)
    till.emit("refund.updated", refund, {"metadata": previous})
    return refund


def retrieve(till: Till, params: Params, id: str) -> Doc:
    """GET /v1/refunds/{id}."""
    refund = till.store.get(id, "refund")
    if refund is None:
        raise missing("refund", id, "id")
    return refund


def settle(till: Till, refund_id: str) -> None:
    """Timer: a refund that took its time arrives, or comes back."""
    refund = till.store.get(refund_id, "refund")
    charge = till.store.get(refund["charge"], "charge") if refund else None
    if refund is None or charge is None:
        return
    previous = refund["status"]
    if behaviour(till, charge["payment_method"]).refund == "pending":
        refund["status"] = "succeeded"
        del refund["pending_reason"]
        till.store.save(refund)
        till.emit("refund.updated", refund, {"status": previous})
        return
    line = shapes.balance_transaction(till.now, refund, refund["amount"], "refund_failure")
    till.store.insert(line)
    refund |= {
        "failure_balance_transaction": line["id"],
        "failure_reason": "expired_or_canceled_card",
        "status": "failed",
    }
    till.store.save(refund)
    _add(till, charge, -refund["amount"])
    till.emit("refund.failed", refund)
    till.emit("refund.updated", refund, {"status": previous})


def _charge(till: Till, params: Params) -> Doc:
    if "charge" in params:
        charge = till.store.get(params.need("charge"), "charge")
        if charge is None:
            raise missing("charge", params.need("charge"), "charge")
        return charge
    if "payment_intent" not in params:
        raise ApiError(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    intent = till.store.get(params.need("payment_intent"), "payment_intent")
    if intent is None:
        raise missing("payment_intent", params.need("payment_intent"), "payment_intent")
    charge = till.store.get(intent["latest_charge"] or "", "charge")
    if charge is None:
        raise _no_charge(intent["id"])
    return charge


def _refundable(charge: Doc) -> int:
    if charge["status"] == "succeeded" and not charge["captured"]:
        intent = charge["payment_intent"]
        raise ApiError(
            f"This uncaptured Charge was created by a PaymentIntent ({intent}). You must cancel the PaymentIntent to"
            " reverse the authorization instead of refunding the Charge directly.",
            param="charge",
            executed=True,
        )
    if charge["status"] != "succeeded":
        raise _no_charge(charge["payment_intent"])
    if charge["disputed"]:
        raise ApiError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
            executed=True,
        )
    left: int = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise ApiError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", executed=True
        )
    return left


def _no_charge(intent_id: str) -> ApiError:
    return ApiError(
        f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.",
        param="payment_intent",
        executed=True,
    )


def _add(till: Till, charge: Doc, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    till.store.save(charge)
