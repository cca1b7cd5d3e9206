"""/v1/disputes: charges that the payer's bank takes back, and how they end."""

from sandbox import shapes
from sandbox.methods import behaviour
from sandbox.params import Params
from sandbox.store import Doc
from sandbox.till import Till
from sandbox.wire import ApiError, missing

_OPEN = ("needs_response", "under_review")


def raise_dispute(till: Till, charge_id: str) -> None:
    """Timer: a charge of a disputing test card is disputed, and its money taken."""
    charge = till.store.get(charge_id, "charge")
    if charge is None or charge["disputed"] or charge["amount_refunded"]:
        return
    reason = behaviour(till, charge["payment_method"]).dispute or "general"
    line = shapes.balance_transaction(till.now, charge, -charge["amount_captured"], "adjustment", charged=1500)
    dispute = shapes.dispute(till.now, charge, reason, line["id"])
    line["source"] = dispute["id"]
    charge["disputed"] = True
    till.store.insert(line)
    till.store.insert(dispute)
    till.store.save(charge)
    till.emit("charge.dispute.created", dispute)
    till.emit("charge.dispute.funds_withdrawn", dispute)


def retrieve(till: Till, params: Params, id: str) -> Doc:
    """GET /v1/disputes/{id}."""
    dispute = till.store.get(id, "dispute")
    if dispute is None:
        raise missing("dispute", id, "dispute")
    return dispute


def update(till: Till, params: Params, id: str) -> Doc:
    """POST /v1/disputes/{id}: `winning_evidence` wins, `losing_evidence` loses, as in Stripe's test mode."""
    params.only({"evidence", "metadata", "submit"})
    dispute = _undecided(till, params, id)
    evidence = params.inside("evidence").text("uncategorized_text")
    dispute["metadata"] = params.metadata(dispute["metadata"])
    dispute["evidence"]["uncategorized_text"] = evidence
    dispute["evidence_details"] |= {"has_evidence": evidence is not None, "submission_count": 1}
    if evidence == "winning_evidence":
        return _end(till, dispute, "won")
    if evidence == "losing_evidence":
        return _end(till, dispute, "lost")
    dispute["status"] = "under_review"
    till.store.save(dispute)
    till.emit("charge.dispute.updated", dispute)
    return dispute


def close(till: Till, params: Params, id: str) -> Doc:
    """POST /v1/disputes/{id}/close: accept that it is lost."""
    params.only(set())
    return _end(till, _undecided(till, params, id), "lost")


def _undecided(till: Till, params: Params, id: str) -> Doc:
    dispute = retrieve(till, params, id)
    if dispute["status"] not in _OPEN:
        raise ApiError("This dispute is already closed.", executed=True)
    return dispute


def _end(till: Till, dispute: Doc, status: str) -> Doc:
    dispute["status"] = status
    if status == "won":
        line = shapes.balance_transaction(till.now, dispute, dispute["amount"], "adjustment")
        till.store.insert(line)
        dispute["balance_transactions"].append(line["id"])
    till.store.save(dispute)
    if status == "won":
        till.emit("charge.dispute.funds_reinstated", dispute)
    till.emit("charge.dispute.closed", dispute)
    return dispute
