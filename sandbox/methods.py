"""Payment methods and customers: just enough to pay, and to pay again without the payer."""

from sandbox import banks, cards, shapes
from sandbox.kinds import Method
from sandbox.params import Params
from sandbox.store import Doc
from sandbox.till import Till
from sandbox.wire import ApiError, missing

_BILLING = ("email", "name", "phone")


def create(till: Till, params: Params) -> Doc:
    """POST /v1/payment_methods, with a test card's number or token."""
    params.only({"type", "card", "billing_details", "metadata", "allow_redisplay", *banks.CURRENCIES})
    doc = from_data(till, params, "")
    doc["metadata"] = params.metadata()
    till.store.save(doc)
    return doc


def from_data(till: Till, data: Params, under: str = "payment_method_data") -> Doc:
    """A new PaymentMethod of `type`: a card by number or token, an account by its number, or a bank's page or app."""
    if (type := data.need("type")) != "card":
        return _keep(till, _of_bank(data, type), _billing(data.inside("billing_details")))
    card = data.inside("card")
    number, token = card.text("number"), card.text("token")
    if number is not None:
        method = cards.by_number(number)
        if method is None:
            raise ApiError(
                "Your card number is incorrect.",
                status=402,
                type="card_error",
                code="incorrect_number",
                param="number" if not under else f"{under}[card][number]",
            )
    else:
        method = cards.find(token or "")
        if method is None:
            raise missing("token", token or "", data.name("card"), status=400)
    return _keep(till, method, _billing(data.inside("billing_details")))


def _of_bank(data: Params, type: str) -> Method:
    if type not in banks.CURRENCIES:
        known = ", ".join(("card", *banks.CURRENCIES))
        raise ApiError(f"The sandbox makes payment methods of these types: {known}.", param=data.name("type"))
    given = data.inside(type)
    name = banks.by_account(type, given.text("iban") or given.text("account_number"))
    if name is None:
        raise ApiError("This is no test account of that type.", param=data.name(type))
    return cards.BY_NAME[name]


def mint(till: Till, id: str, param: str) -> Doc:
    """The PaymentMethod that `id` names: a kept one, or a new one of a test method.

    Raises `resource_missing` for anything else.
    """
    doc = till.store.get(id, "payment_method")
    if doc is not None:
        return doc
    method = cards.find(id) if id.startswith("pm_") else None
    if method is None:
        raise missing("PaymentMethod", id, param, status=400)
    return _keep(till, method, None)


def retrieve(till: Till, params: Params, id: str) -> Doc:
    """GET /v1/payment_methods/{id}."""
    doc = till.store.get(id, "payment_method")
    if doc is not None:
        return doc
    method = cards.find(id) if id.startswith("pm_") else None
    if method is None:
        raise missing("PaymentMethod", id, "id")
    return _keep(till, method, None)


def behaviour(till: Till, id: str) -> Method:
    """What the test method behind a PaymentMethod does."""
    return cards.BY_NAME[till.store.hidden(id)["method"]]


def attach(till: Till, params: Params, id: str) -> Doc:
    """POST /v1/payment_methods/{id}/attach; methods that always decline can't be attached."""
    params.only({"customer"})
    customer = existing_customer(till, params.need("customer"), "customer")
    doc = mint(till, id, "payment_method")
    method = behaviour(till, doc["id"])
    if not method.attachable and method.decline is not None:
        raise ApiError(
            method.decline.message,
            status=402,
            type="card_error",
            code=method.decline.code,
            decline_code=method.decline.decline_code,
            executed=True,
        )
    return bind(till, doc, customer["id"])


def bind(till: Till, doc: Doc, customer: str) -> Doc:
    """Give a PaymentMethod to a customer, and say so."""
    if doc["customer"] not in (None, customer):
        raise ApiError("The payment method you provided has already been attached to a customer.", executed=True)
    if doc["customer"] is None:
        doc["customer"] = customer
        till.store.save(doc)
        till.emit("payment_method.attached", doc)
    return doc


def detach(till: Till, params: Params, id: str) -> Doc:
    """POST /v1/payment_methods/{id}/detach."""
    params.only(set())
    doc = mint(till, id, "payment_method")
    if doc["customer"] is None:
        raise ApiError("The payment method you provided is not attached to a customer.", executed=True)
    previous, doc["customer"] = doc["customer"], None
    till.store.save(doc)
    till.store.hide(doc["id"], used=True)
    till.emit("payment_method.detached", doc, {"customer": previous})
    return doc


def create_customer(till: Till, params: Params) -> Doc:
    """POST /v1/customers."""
    params.only({"email", "name", "phone", "description", "metadata"})
    given = {name: params.text(name) for name in ("email", "name", "phone", "description")}
    doc = shapes.customer(till.now, **given, metadata=params.metadata())
    till.store.insert(doc)
    till.emit("customer.created", doc)
    return doc


def existing_customer(till: Till, id: str, param: str) -> Doc:
    """The customer of that id, or `resource_missing`."""
    doc = till.store.get(id, "customer")
    if doc is None:
        raise missing("customer", id, param, status=400)
    return doc


def _billing(given: Params) -> Doc:
    return {name: given.text(name) for name in _BILLING if name in given}


def _keep(till: Till, method: Method, billing: Doc | None) -> Doc:
    doc = shapes.payment_method(till.now, method, billing)
    till.store.insert(doc, {"method": method.name})
    return doc
