"""/v1/payment_intents: what may be asked of an intent, in which status, and in which words it is refused."""

import hmac
from urllib.parse import urlsplit

from sandbox import attempts, banks, methods, money, shapes
from sandbox.methods import behaviour
from sandbox.params import Params
from sandbox.store import Doc
from sandbox.till import Till
from sandbox.wire import ApiError, missing

_ECHOED = frozenset(
    {"description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group"}
)
_CONFIRMING = frozenset({"return_url", "off_session", "error_on_requires_action", "use_stripe_sdk", "mandate_data"})
_METHOD = frozenset({"payment_method", "payment_method_data", "payment_method_options", "setup_future_usage"})
_CREATE = (
    _ECHOED
    | _CONFIRMING
    | _METHOD
    | {"amount", "currency", "confirm", "capture_method", "confirmation_method", "automatic_payment_methods"}
    | {"allowed_payment_method_types", "excluded_payment_method_types", "metadata", "customer", "shipping"}
)
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELLABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
_PUBLIC = (
    "id object amount automatic_payment_methods canceled_at cancellation_reason capture_method client_secret "
    "confirmation_method created currency description last_payment_error livemode next_action payment_method "
    "payment_method_types processing receipt_email setup_future_usage shipping source status"
).split()


def create(till: Till, params: Params) -> Doc:
    """POST /v1/payment_intents."""
    _checked(params, _CREATE)
    params.required("amount")
    currency = money.check_currency(params.need("currency"))
    amount = params.integer("amount", 0)
    money.check_amount(amount, currency)
    confirm = params.flag("confirm")
    for name in ("return_url", "off_session", "error_on_requires_action"):
        if name in params and not confirm:
            raise ApiError(f"The parameter `{name}` can only be passed when `confirm` is `true`.", param=name)
    intent = shapes.payment_intent(till.now, amount, currency)
    intent["metadata"] = params.metadata()
    intent["capture_method"] = (
        params.choice("capture_method", ("automatic", "automatic_async", "manual")) or intent["capture_method"]
    )
    intent["confirmation_method"] = params.choice("confirmation_method", ("automatic", "manual")) or "automatic"
    intent["shipping"] = params.raw("shipping")
    if (customer := params.text("customer")) is not None:
        intent["customer"] = methods.existing_customer(till, customer, "customer")["id"]
    _accept_methods(intent, params)
    _echo(intent, params)
    method_doc = _chosen_method(till, intent, params)
    till.store.insert(intent)
    till.emit("payment_intent.created", intent)
    if method_doc is not None:
        intent |= {"payment_method": method_doc["id"], "status": "requires_confirmation"}
        till.store.save(intent)
    return _confirm(till, intent, params, method_doc) if confirm else intent


def update(till: Till, params: Params, id: str) -> Doc:
    """POST /v1/payment_intents/{id}."""
    _checked(params, _ECHOED | _METHOD | {"amount", "currency", "metadata", "customer", "shipping"})
    intent = _existing(till, id)
    shaping = [name for name in ("amount", "currency", "customer", *_METHOD) if name in params]
    if shaping and intent["status"] not in _OPEN:
        raise _unexpected(
            intent,
            f"This PaymentIntent's {shaping[0]} could not be updated because it has a status of {intent['status']}."
            f" You may only update the {shaping[0]} of a PaymentIntent with one of the following statuses: "
            f"{', '.join(_OPEN)}.",
        )
    currency = money.check_currency(params.text("currency") or intent["currency"])
    amount = params.integer("amount", intent["amount"])
    money.check_amount(amount, currency)
    intent |= {"amount": amount, "currency": currency, "metadata": params.metadata(intent["metadata"])}
    if (customer := params.text("customer")) is not None:
        intent["customer"] = methods.existing_customer(till, customer, "customer")["id"]
    if "shipping" in params:
        intent["shipping"] = params.raw("shipping")
    _echo(intent, params)
    if (method_doc := _chosen_method(till, intent, params)) is not None:
        intent |= {"payment_method": method_doc["id"], "next_action": None, "status": "requires_confirmation"}
    till.store.save(intent)
    return intent


def retrieve(till: Till, params: Params, id: str) -> Doc:
    """GET /v1/payment_intents/{id}."""
    return _existing(till, id)


def confirm(till: Till, params: Params, id: str) -> Doc:
    """POST /v1/payment_intents/{id}/confirm."""
    _checked(params, _CONFIRMING | _METHOD | {"client_secret", "capture_method", "receipt_email", "shipping"})
    intent = _existing(till, id)
    status = intent["status"]
    if status == "succeeded":
        raise _unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
        )
    if status not in _OPEN:
        raise _unexpected(
            intent,
            f"You cannot confirm this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one"
            " of the following statuses may be confirmed: requires_confirmation, requires_action.",
        )
    if (method := params.choice("capture_method", ("automatic", "automatic_async", "manual"))) is not None:
        intent["capture_method"] = method
    if "shipping" in params:
        intent["shipping"] = params.raw("shipping")
    _echo(intent, params)
    method_doc = _chosen_method(till, intent, params)
    if method_doc is None and intent["payment_method"] is not None:
        method_doc = till.store.get(intent["payment_method"], "payment_method")
    return _confirm(till, intent, params, method_doc)


def capture(till: Till, params: Params, id: str) -> Doc:
    """POST /v1/payment_intents/{id}/capture: once, for the whole amount or less; the rest is released."""
    params.only({"amount_to_capture", "final_capture", "metadata", "statement_descriptor"})
    intent = _existing(till, id)
    status = intent["status"]
    if status == "succeeded":
        raise _unexpected(intent, "This PaymentIntent could not be captured because it has already been captured.")
    if status != "requires_capture":
        raise _unexpected(
            intent,
            f"This PaymentIntent could not be captured because it has a status of {status}. Only a PaymentIntent with"
            " one of the following statuses may be captured: requires_capture.",
        )
    amount = params.integer("amount_to_capture", intent["amount_capturable"])
    if amount < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount_to_capture",
        )
    if amount > intent["amount_capturable"]:
        raise ApiError(
            f"The amount_to_capture ({money.words(amount, intent['currency'])}) is greater than the amount that can be"
            f" captured ({money.words(intent['amount_capturable'], intent['currency'])}).",
            code="amount_too_large",
            param="amount_to_capture",
            executed=True,
        )
    if params.text("final_capture") == "false":
        raise ApiError("This PaymentIntent is not eligible for multicapture.", param="final_capture", executed=True)
    intent["metadata"] = params.metadata(intent["metadata"])
    attempts.capture(till, intent, amount)
    return intent


def cancel(till: Till, params: Params, id: str) -> Doc:
    """POST /v1/payment_intents/{id}/cancel."""
    params.only({"cancellation_reason"})
    reason = params.choice("cancellation_reason", ("duplicate", "fraudulent", "requested_by_customer", "abandoned"))
    intent = _existing(till, id)
    if intent["status"] not in _CANCELLABLE:
        raise _unexpected(
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent"
            f" with one of the following statuses may be canceled: {', '.join(_CANCELLABLE)}.",
        )
    attempts.cancel(till, intent, reason)
    return intent


def check_client_secret(till: Till, id: str, secret: str | None) -> None:
    """Let a browser near an intent only with that intent's client secret."""
    intent = till.store.get(id, "payment_intent")
    if intent is None or not hmac.compare_digest(intent["client_secret"].encode(), (secret or "").encode()):
        raise ApiError(
            "The client_secret provided does not match any associated PaymentIntent on this account.",
            code="payment_intent_invalid_parameter",
            param="client_secret",
        )


def public(intent: Doc) -> Doc:
    """What of an intent a browser may see."""
    return {name: intent[name] for name in _PUBLIC}


def _confirm(till: Till, intent: Doc, params: Params, method_doc: Doc | None) -> Doc:
    if method_doc is None:
        raise _unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the"
            " PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a"
            " payment method or ConfirmationToken.",
        )
    kept = method_doc["customer"] is not None
    if behaviour(till, method_doc["id"]).type in banks.MANDATED and not kept and "mandate_data" not in params:
        raise ApiError(
            "This PaymentIntent requires a mandate, but no existing mandate was found. Collect mandate acceptance from"
            " the customer and try again, providing acceptance data in the mandate_data parameter.",
            param="mandate_data",
        )
    off_session = params.text("off_session") not in (None, "false")
    return_url = _checked_url(params.text("return_url"))
    redirects = (intent["automatic_payment_methods"] or {}).get("allow_redirects") == "always"
    if redirects and return_url is None and not off_session and not params.flag("use_stripe_sdk"):
        raise ApiError(
            "This PaymentIntent is configured to accept payment methods that might redirect your customer off of your"
            " page, so you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set"
            " `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to"
            " `never`.",
            param="return_url",
        )
    refusal = attempts.attempt(
        till,
        intent,
        method_doc,
        off_session=off_session,
        return_url=return_url,
        no_action=params.flag("error_on_requires_action"),
    )
    if refusal is not None:
        raise refusal
    return intent


def _checked_url(url: str | None) -> str | None:
    """An absolute address, of a web page or of an app; never a script, because browsers are sent there."""
    if url is None:
        return None
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc or parts.scheme in ("javascript", "data", "vbscript"):
        raise ApiError("Not a valid URL", code="url_invalid", param="return_url")
    return url


def _checked(params: Params, allowed: frozenset[str]) -> None:
    if "payment_method_types" in params:
        raise ApiError(
            "The `payment_method_types` parameter is no longer supported; use `allowed_payment_method_types`.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
    params.only(allowed)


def _accept_methods(intent: Doc, params: Params) -> None:
    ways = [
        name
        for name in ("allowed_payment_method_types", "excluded_payment_method_types", "automatic_payment_methods")
        if name in params
    ]
    if ways[1:] and ways[0] == "allowed_payment_method_types":
        raise ApiError(f"You may only specify one of these parameters: {', '.join(ways)}.", param=ways[0])
    types = ["card", *(name for name, currency in banks.CURRENCIES.items() if currency == intent["currency"])]
    if "allowed_payment_method_types" in params:
        intent["allowed_payment_method_types"] = allowed = params.texts("allowed_payment_method_types")
        intent["payment_method_types"] = [name for name in types if name in allowed]
        return
    if "excluded_payment_method_types" in params:
        intent["excluded_payment_method_types"] = excluded = params.texts("excluded_payment_method_types")
        types = [name for name in types if name not in excluded]
    automatic = params.inside("automatic_payment_methods")
    if "automatic_payment_methods" in params and not automatic.flag("enabled"):
        return
    allow = automatic.choice("allow_redirects", ("always", "never")) or "always"
    intent["automatic_payment_methods"] = {"allow_redirects": allow, "enabled": True}
    intent["payment_method_types"] = [name for name in types if allow == "always" or name not in banks.REDIRECTS]


def _chosen_method(till: Till, intent: Doc, params: Params) -> Doc | None:
    """The method that this request brings, if any, checked against the intent."""
    if "payment_method_options" in params:
        intent["payment_method_options"] = params.raw("payment_method_options")
    if "setup_future_usage" in params:
        intent["setup_future_usage"] = params.choice("setup_future_usage", ("off_session", "on_session"))
    if "payment_method_data" in params:
        doc = methods.from_data(till, params.inside("payment_method_data"))
    elif (given := params.text("payment_method")) is not None:
        doc = methods.mint(till, given, "payment_method")
    else:
        return None
    if doc["customer"] is not None and doc["customer"] != intent["customer"]:
        raise ApiError(
            f"The payment method supplied ({doc['id']}) belongs to the Customer {doc['customer']}. Please include the"
            " Customer in the `customer` parameter on the PaymentIntent.",
            param="payment_method",
        )
    if till.store.hidden(doc["id"]).get("used"):
        raise ApiError(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a"
            " Customer, and may not be used again.",
            param="payment_method",
        )
    kind = behaviour(till, doc["id"]).type
    if kind not in intent["payment_method_types"] or (kind != "card" and intent["capture_method"] == "manual"):
        raise ApiError(
            f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Please attach a PaymentMethod"
            f" of one of the following types: {', '.join(intent['payment_method_types'])}.",
            code="payment_intent_incompatible_payment_method",
            param="payment_method",
        )
    return doc


def _echo(intent: Doc, params: Params) -> None:
    for name in _ECHOED:
        if name in params:
            intent[name] = params.text(name)


def _existing(till: Till, id: str) -> Doc:
    intent = till.store.get(id, "payment_intent")
    if intent is None:
        raise missing("payment_intent", id, "intent")
    return intent


def _unexpected(intent: Doc, message: str) -> ApiError:
    return ApiError(message, code="payment_intent_unexpected_state", payment_intent=intent, executed=True)
