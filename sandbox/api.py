"""The table of /v1: which handler answers which method and path, and what a browser may call."""

from collections.abc import Callable

from sandbox import disputes, intents, methods, refunds
from sandbox.listing import event, getter, lister
from sandbox.params import Params
from sandbox.store import Doc
from sandbox.till import Till

Handler = Callable[[Till, Params], Doc] | Callable[[Till, Params, str], Doc]

ROUTES: dict[tuple[str, str], Handler] = {
    ("POST", "payment_intents"): intents.create,
    ("GET", "payment_intents"): lister("payment_intent", "/v1/payment_intents", "customer"),
    ("GET", "payment_intents/*"): intents.retrieve,
    ("POST", "payment_intents/*"): intents.update,
    ("POST", "payment_intents/*/confirm"): intents.confirm,
    ("POST", "payment_intents/*/capture"): intents.capture,
    ("POST", "payment_intents/*/cancel"): intents.cancel,
    ("POST", "refunds"): refunds.create,
    ("GET", "refunds"): lister("refund", "/v1/refunds", "payment_intent", "charge"),
    ("GET", "refunds/*"): refunds.retrieve,
    ("POST", "refunds/*"): refunds.update,
    ("GET", "charges"): lister("charge", "/v1/charges", "payment_intent", "customer"),
    ("GET", "charges/*"): getter("charge"),
    ("GET", "balance_transactions"): lister("balance_transaction", "/v1/balance_transactions", "type"),
    ("GET", "balance_transactions/*"): getter("balance_transaction"),
    ("GET", "disputes"): lister("dispute", "/v1/disputes", "payment_intent", "charge"),
    ("GET", "disputes/*"): disputes.retrieve,
    ("POST", "disputes/*"): disputes.update,
    ("POST", "disputes/*/close"): disputes.close,
    ("GET", "events"): lister("event", "/v1/events", "type"),
    ("GET", "events/*"): event,
    ("POST", "payment_methods"): methods.create,
    ("GET", "payment_methods"): lister("payment_method", "/v1/payment_methods", "customer", "type"),
    ("GET", "payment_methods/*"): methods.retrieve,
    ("POST", "payment_methods/*/attach"): methods.attach,
    ("POST", "payment_methods/*/detach"): methods.detach,
    ("POST", "customers"): methods.create_customer,
    ("GET", "customers/*"): getter("customer"),
}

BROWSER = frozenset({("GET", "payment_intents/*"), ("POST", "payment_intents/*/confirm"), ("POST", "payment_methods")})


def split(path: str) -> tuple[str, str | None]:
    """`/v1/refunds/re_1` as (`refunds/*`, `re_1`): the table's key and the id, if the path has one."""
    steps = path.removeprefix("/v1/").split("/")
    if len(steps) == 1:
        return steps[0], None
    return "/".join([steps[0], "*", *steps[2:]]), steps[1]
