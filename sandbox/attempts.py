"""What happens to money: an attempt to charge, its 3-D Secure, its refusal, the capture, the release.

Every function changes documents inside the caller's transaction and emits the events that Stripe would. Since API
version 2025-03-31.basil a released authorisation is no refund: `amount_refunded` stays, no Refund is made.
"""

import secrets

from sandbox import shapes
from sandbox.cards import GENERIC, UNAUTHENTICATED
from sandbox.kinds import Decline, Method
from sandbox.methods import behaviour, bind
from sandbox.store import Doc
from sandbox.till import Till
from sandbox.wire import ApiError, doc_url

EXPIRE, BANK, DISPUTE = "expire_authorisation", "settle_bank_debit", "open_dispute"
_QR_SECONDS = 300
_UNAUTHENTICATED_MESSAGE = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


def attempt(
    till: Till, intent: Doc, method_doc: Doc, *, off_session: bool, return_url: str | None, no_action: bool
) -> ApiError | None:
    """Try to charge the intent; returns the refusal to answer with, if there is one.

    The payer is asked for 3-D Secure where the method wants it, unless `off_session` (then the bank declines) or
    `no_action` (error_on_requires_action).
    """
    method = behaviour(till, method_doc["id"])
    intent["payment_method"] = method_doc["id"]
    wanted = intent["payment_method_options"].get("card", {}).get("request_three_d_secure") in ("any", "challenge")
    if off_session:
        challenged = method.challenge == "always"
    else:
        challenged = method.challenge in ("always", "on_session") or (wanted and method.challenge == "on_request")
    if not challenged:
        return _charge(till, intent, method_doc, method, authenticated=False)
    if off_session or no_action:
        charge = shapes.charge(till.now, intent, method_doc, method, authenticated=False)
        return _refuse(till, intent, method_doc, charge, UNAUTHENTICATED)
    _challenge(till, intent, method, return_url)
    return None


def answer_challenge(till: Till, intent: Doc, *, passed: bool) -> None:
    """The payer came back from 3-D Secure: charge the intent, or ask for another method."""
    method_doc = till.store.need(intent["payment_method"], "payment_method")
    if passed:
        _charge(till, intent, method_doc, behaviour(till, method_doc["id"]), authenticated=True)
        return
    # A card's payer was not recognised; whoever pays by bank or app turned away.
    card = behaviour(till, method_doc["id"]).type == "card"
    code = "payment_intent_authentication_failure" if card else "payment_intent_payment_attempt_failed"
    intent["last_payment_error"] = {
        "code": code,
        "doc_url": doc_url(code),
        "message": _UNAUTHENTICATED_MESSAGE if card else "The customer did not approve this payment.",
        "payment_method": method_doc,
        "type": "invalid_request_error",
    }
    _back_to_start(till, intent)


def capture(till: Till, intent: Doc, amount: int) -> None:
    """Take `amount` of an authorised intent and release the rest."""
    charge = _latest_charge(till, intent)
    _collect(till, charge, amount)
    intent |= {"amount_capturable": 0, "amount_received": amount, "status": "succeeded"}
    till.store.save(intent)
    till.emit("charge.captured", charge)
    till.emit("payment_intent.succeeded", intent)


def cancel(till: Till, intent: Doc, reason: str | None) -> None:
    """End an intent; an authorisation it holds is released."""
    intent |= {
        "amount_capturable": 0,
        "canceled_at": till.now,
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    till.store.save(intent)
    till.emit("payment_intent.canceled", intent)


def expire(till: Till, intent_id: str) -> None:
    """Timer: an authorisation that nobody captured in seven days ends by itself."""
    intent = till.store.get(intent_id, "payment_intent")
    if intent is not None and intent["status"] == "requires_capture":
        till.emit("charge.expired", _latest_charge(till, intent))
        cancel(till, intent, "expired")


def settle_bank_debit(till: Till, intent_id: str) -> None:
    """Timer: the payer's bank says how a debit ended."""
    intent = till.store.get(intent_id, "payment_intent")
    if intent is None or intent["status"] != "processing":
        return
    charge = _latest_charge(till, intent)
    method = behaviour(till, charge["payment_method"])
    if method.bank == "succeeds":
        charge |= {"paid": True, "status": "succeeded"}
        _collect(till, charge, charge["amount"])
        _succeed(till, intent, charge)
        return
    method_doc = till.store.need(charge["payment_method"], "payment_method")
    code = "payment_intent_payment_attempt_failed"
    message = "The customer's account could not be debited for this payment."
    if method.failure == "insufficient_funds":
        message = "The customer's account has insufficient funds to cover this payment."
    charge |= {"failure_code": method.failure, "failure_message": message, "paid": False, "status": "failed"}
    till.store.save(charge)
    till.emit("charge.failed", charge)
    intent["last_payment_error"] = {
        "charge": charge["id"],
        "code": code,
        "doc_url": doc_url(code),
        "message": message,
        "payment_method": method_doc,
        "type": "invalid_request_error",
    }
    _back_to_start(till, intent)


def _charge(till: Till, intent: Doc, method_doc: Doc, method: Method, *, authenticated: bool) -> ApiError | None:
    charge = shapes.charge(till.now, intent, method_doc, method, authenticated=authenticated)
    if method.decline is not None:
        return _refuse(till, intent, method_doc, charge, method.decline)
    _remember_method(till, intent, method_doc)
    intent |= {"last_payment_error": None, "latest_charge": charge["id"], "next_action": None}
    if method.bank:
        charge |= {"paid": False, "status": "pending"}
        till.store.insert(charge)
        intent["status"] = "processing"
        till.store.save(intent)
        till.emit("charge.pending", charge)
        till.emit("payment_intent.processing", intent)
        if method.bank != "waits":
            till.after(max(till.settings.settle_seconds, method.delay), BANK, intent["id"])
        return None
    till.store.insert(charge)
    if method.type == "card" and captured_by_hand(intent):
        intent |= {"amount_capturable": intent["amount"], "status": "requires_capture"}
        till.store.save(intent)
        till.emit("charge.succeeded", charge)
        till.emit("payment_intent.amount_capturable_updated", intent)
        till.after(shapes.AUTHORISATION_SECONDS, EXPIRE, intent["id"])
        return None
    _collect(till, charge, charge["amount"])
    _succeed(till, intent, charge)
    return None


def captured_by_hand(intent: Doc) -> bool:
    """Whether a card payment of this intent is authorised first and captured later."""
    own = intent["payment_method_options"].get("card", {}).get("capture_method")
    return "manual" in (own, intent["capture_method"])


def _remember_method(till: Till, intent: Doc, method_doc: Doc) -> None:
    if intent["customer"] and intent["setup_future_usage"]:
        bind(till, method_doc, intent["customer"])
    if method_doc["customer"] is None:
        till.store.hide(method_doc["id"], used=True)


def _challenge(till: Till, intent: Doc, method: Method, return_url: str | None) -> None:
    nonce = secrets.token_urlsafe(24)
    till.store.hide(intent["id"], nonce=nonce, return_url=return_url)
    url = f"{till.base_url}/sandbox/3ds/{intent['id']}/{nonce}"
    action: Doc
    if method.type == "upi":
        images = {f"image_url_{kind}": f"{url}?qr={kind}" for kind in ("png", "svg")}
        instructions = {"hosted_instructions_url": url, "qr_code": {"expires_at": till.now + _QR_SECONDS, **images}}
        kind = "upi_handle_redirect_or_display_qr_code"
        action = {kind: instructions, "type": kind}
    elif return_url is not None:
        action = {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}
    else:
        action = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"stripe_js": url, "type": "three_d_secure_redirect"},
        }
    intent |= {"next_action": action, "status": "requires_action"}
    till.store.save(intent)
    till.emit("payment_intent.requires_action", intent)


def _refuse(till: Till, intent: Doc, method_doc: Doc, charge: Doc, decline: Decline) -> ApiError:
    charge |= {
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": _refusal_outcome(charge, decline),
        "paid": False,
        "status": "failed",
    }
    till.store.insert(charge)
    till.emit("charge.failed", charge)
    fields = {
        "advice_code": decline.advice,
        "charge": charge["id"],
        "decline_code": decline.decline_code,
        "network_decline_code": None if decline.blocked else "01",
    }
    told = {name: value for name, value in fields.items() if value is not None}
    intent |= {
        "last_payment_error": told
        | {
            "code": decline.code,
            "doc_url": doc_url(decline.code),
            "message": decline.message,
            "payment_method": method_doc,
            "type": "card_error",
        },
        "latest_charge": charge["id"],
    }
    _back_to_start(till, intent)
    return ApiError(
        decline.message,
        status=402,
        type="card_error",
        code=decline.code,
        keeps=True,
        payment_intent=intent,
        payment_method=method_doc,
        **told,
    )


def _refusal_outcome(charge: Doc, decline: Decline) -> Doc:
    common: Doc = charge["outcome"] | {"advice_code": decline.advice}
    if decline.blocked:
        return common | {
            "network_status": "not_sent_to_network",
            "reason": "highest_risk_level",
            "seller_message": "The sandbox blocked this payment as too risky.",
            "type": "blocked",
        }
    return common | {
        "network_decline_code": "01",
        "network_status": "declined_by_network",
        "reason": decline.decline_code or decline.code,
        "seller_message": "The bank did not return any further details with this decline."
        if decline is GENERIC
        else f"The bank returned the decline code `{decline.decline_code or decline.code}`.",
        "type": "issuer_declined",
    }


def _back_to_start(till: Till, intent: Doc) -> None:
    intent |= {"next_action": None, "payment_method": None, "status": "requires_payment_method"}
    till.store.save(intent)
    till.emit("payment_intent.payment_failed", intent)


def _collect(till: Till, charge: Doc, amount: int) -> None:
    charge |= {"amount_captured": amount, "captured": True}
    line = shapes.capture_transaction(till.now, charge)
    till.store.insert(line)
    charge["balance_transaction"] = line["id"]
    till.store.save(charge)
    if behaviour(till, charge["payment_method"]).dispute:
        till.after(0, DISPUTE, charge["id"])


def _succeed(till: Till, intent: Doc, charge: Doc) -> None:
    intent |= {"amount_received": charge["amount_captured"], "status": "succeeded"}
    till.store.save(intent)
    till.emit("charge.succeeded", charge)
    till.emit("payment_intent.succeeded", intent)


def _latest_charge(till: Till, intent: Doc) -> Doc:
    return till.store.need(intent["latest_charge"], "charge")
