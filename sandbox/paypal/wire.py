"""PayPal's manner of speaking: JSON, errors with issues, amounts as decimal text, ids.

Owns nothing. Refusals are raised as `Refusal`.
"""

import secrets
import string
import time
from decimal import Decimal, InvalidOperation

from sandbox.store import Doc

CURRENCIES = frozenset(
    "AUD BRL CAD CNY CZK DKK EUR HKD HUF ILS JPY MYR MXN TWD NZD NOK PHP PLN GBP SGD SEK CHF THB USD".split()
)
WHOLE = frozenset({"HUF", "JPY", "TWD"})
"""Currencies without decimals here."""

_ALPHABET = string.ascii_uppercase + string.digits
_MESSAGES = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    403: ("NOT_AUTHORIZED", "Authorization failed due to insufficient permissions."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    409: ("RESOURCE_CONFLICT", "The server has detected a conflict while processing this request."),
    422: (
        "UNPROCESSABLE_ENTITY",
        "The requested action could not be performed, semantically incorrect, or failed business validation.",
    ),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error occurred."),
}


class Refusal(Exception):
    """An HTTP status with one issue; `keeps` says that what happened up to here stays."""

    def __init__(self, status: int, issue: str, description: str, *, keeps: bool = False) -> None:
        super().__init__(issue)
        self.status = status
        self.issue = issue
        self.description = description
        self.keeps = keeps

    @property
    def body(self) -> Doc:
        """The answer, as PayPal words it."""
        name, message = _MESSAGES.get(self.status, _MESSAGES[500])
        details = [{"issue": self.issue, "description": self.description}]
        return {"name": name, "message": message, "debug_id": secrets.token_hex(7), "details": details, "links": []}


def missing() -> Refusal:
    """There is no such thing."""
    return Refusal(404, "INVALID_RESOURCE_ID", "Specified resource ID does not exist.")


def new_id() -> str:
    """17 letters and digits, as PayPal's ids have them; unguessable."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(17))


def moment(second: float) -> str:
    """Internet date and time (RFC 3339), in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def units(amount: object) -> tuple[int, str]:
    """The minor units and the currency of an `amount` as it came; raises Refusal."""
    if not isinstance(amount, dict) or not isinstance(amount.get("value"), str):
        raise Refusal(400, "MISSING_REQUIRED_PARAMETER", "A required field is missing: amount.")
    currency = str(amount.get("currency_code"))
    if currency not in CURRENCIES:
        raise Refusal(422, "CURRENCY_NOT_SUPPORTED", f"The currency {currency} is not supported.")
    try:
        value = Decimal(amount["value"]) * (1 if currency in WHOLE else 100)
    except InvalidOperation as error:
        raise Refusal(400, "INVALID_PARAMETER_SYNTAX", "The value of a field does not conform.") from error
    if not value.is_finite() or value != value.to_integral_value():
        raise Refusal(422, "DECIMAL_PRECISION", "If the currency supports decimals, only two decimal place precision.")
    if value <= 0:
        raise Refusal(422, "CANNOT_BE_ZERO_OR_NEGATIVE", "Must be greater than zero.")
    return int(value), currency


def written(minor: int, currency: str) -> Doc:
    """The inverse of `units`."""
    value = str(minor) if currency in WHOLE else f"{minor / 100:.2f}"
    return {"currency_code": currency, "value": value}


def linked(base: str, path: str, rel: str, method: str = "GET") -> Doc:
    """A HATEOAS link."""
    return {"href": f"{base}{path}", "rel": rel, "method": method}
