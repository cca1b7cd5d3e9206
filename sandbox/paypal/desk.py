"""The way into PayPal's side: tokens, request ids, faults, and the page on which the payer agrees.

A `PayPal-Request-Id` that was used before for the same request is answered with what came of it, as that stands now;
for another request it is refused. Refusals are not remembered.
"""

import asyncio
import base64
import hashlib
import hmac
import html
import time
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import faults
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.gate import Cut
from sandbox.paypal import PREFIX, orders, reports
from sandbox.paypal.hooks import BASE, CERTIFICATE, certificate
from sandbox.paypal.wire import Refusal, missing
from sandbox.settings import Settings
from sandbox.store import Doc, Store
from sandbox.threeds import page
from sandbox.till import Till

_TOKEN_SECONDS = 32400
_KEY_SECONDS = 6 * 3600
_MAX_BODY = 100_000
_POSTS: dict[str, orders.Handler] = {
    "v2/checkout/orders": orders.create,
    "v2/checkout/orders/*/authorize": orders.authorize,
    "v2/checkout/orders/*/capture": orders.capture_order,
    "v2/payments/authorizations/*/capture": orders.capture,
    "v2/payments/authorizations/*/void": orders.void,
    "v2/payments/captures/*/refund": orders.refund,
}
_SHOWN = ("v2/checkout/orders/*", "v2/payments/authorizations/*", "v2/payments/captures/*", "v2/payments/refunds/*")
_LISTS = {"v1/reporting/transactions": reports.transactions, "v1/customer/disputes": reports.disputes}
_SCENARIOS = {
    "approve": "Pay now",
    "decline": "Pay from an account that is declined",
    "pending": "Pay from an account that is looked at first",
    "dispute": "Pay now, and complain afterwards",
}


class Desk:
    """The endpoints under `/paypal`; `wake` is called after every commit that may have made something due."""

    def __init__(self, store: Store, clock: Clock, settings: Settings, wake: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._wake = wake
        self._keys_at_work: set[str] = set()

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route(f"{PREFIX}/v1/oauth2/token", self.token, methods=["POST"]),
            Route(CERTIFICATE, self.certificate, methods=["GET"]),
            Route(f"{PREFIX}/checkoutnow", self.checkout, methods=["GET", "POST"]),
            Route(f"{PREFIX}/{{path:path}}", self.answer, methods=["GET", "POST"]),
        ]

    async def token(self, request: Request) -> Response:
        """POST /v1/oauth2/token: client credentials for a bearer token of nine hours."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        wanted = f"{self._settings.paypal_client_id}:{self._settings.paypal_secret}".encode()
        if scheme.lower() != "basic" or not hmac.compare_digest(given.encode(), base64.b64encode(wanted)):
            told = {"error": "invalid_client", "error_description": "Client Authentication failed"}
            return _json(told, 401)
        ends = int(time.time()) + _TOKEN_SECONDS
        made = {"access_token": f"A21AA{ends}.{self._mac(ends)}", "token_type": "Bearer", "expires_in": _TOKEN_SECONDS}
        return _json(made | {"scope": "https://uri.paypal.com/services/payments/payment", "app_id": "APP-SANDBOX"})

    async def certificate(self, request: Request) -> Response:
        """The certificate of the webhooks."""
        return Response(certificate(self._store), media_type="application/x-pem-file")

    async def answer(self, request: Request) -> Response:
        """Every call of the API."""
        if not self._is_known(request):
            told = {"error": "invalid_token", "error_description": "Token signature verification failed"}
            return _json(told, 401)
        key = request.headers.get("paypal-request-id") if request.method == "POST" else None
        if key is not None and key in self._keys_at_work:
            busy = "A request with this PayPal-Request-Id is at work."
            return _refused(Refusal(409, "PREVIOUS_REQUEST_IN_PROGRESS", busy))
        if key is not None:
            self._keys_at_work.add(key)
        try:
            return await self._with_faults(request, key)
        except Refusal as refusal:
            return _refused(refusal)
        finally:
            self._keys_at_work.discard(key or "")

    async def checkout(self, request: Request) -> Response:
        """The payer's page: GET asks, POST with `outcome` of a scenario agrees, with `cancel` goes back to the shop."""
        id = request.query_params.get("token", "")
        order = self._store.get(id, "paypal_order")
        if order is None:
            return page("Not found", "<h1>This page is not valid</h1><p>Please go back to the shop.</p>", 404)
        hidden = self._store.hidden(id)
        outcome = dict(parse_qsl((await request.body()).decode(errors="replace"))).get("outcome")
        if request.method == "GET" or outcome not in (*_SCENARIOS, "cancel"):
            return _question(order["paypal"], 200 if request.method == "GET" else 400)
        if outcome == "cancel":
            return _back(hidden.get("cancel_url"), {"token": id})
        with self._store.transaction():
            orders.approve(self._till(request), id, outcome)
        self._wake()
        return _back(hidden.get("return_url"), {"token": id, "PayerID": "SANDBOXPAYER1"})

    async def _with_faults(self, request: Request, key: str | None) -> Response:
        struck = faults.strike_request(self._store, request.method, request.url.path)
        if (failed := await _suffer([one for one in struck if one.when == "before"])) is not None:
            return failed
        answered = await self._do(request, key)
        return await _suffer([one for one in struck if one.when == "after"]) or answered

    async def _do(self, request: Request, key: str | None) -> Response:
        route, id = _split(request.url.path)
        till = self._till(request)
        if request.method == "GET":
            if route in _LISTS:
                return _json(_LISTS[route](till, request.query_params))
            if route not in _SHOWN:
                raise missing()
            return _json(orders.shown(till, id))
        handler = _POSTS.get(route)
        if handler is None:
            raise missing()
        raw = await request.body()
        body = _object(raw)
        print_ = hashlib.sha256(request.url.path.encode() + b"\n" + raw).hexdigest()
        with self._store.transaction():
            status, shown = self._replay(key, print_) or handler(till, body, id)
            self._remember(key, print_, status, shown)
        self._wake()
        return Response(status_code=204) if status == 204 else _json(orders.shown(till, shown), status)

    def _replay(self, key: str | None, print_: str) -> orders.Shown | None:
        row = self._store.db.execute("SELECT * FROM answers WHERE key = ?", (f"paypal:{key}",)).fetchone()
        if key is None or row is None or row["created"] < self._clock.now() - _KEY_SECONDS:
            return None
        if row["fingerprint"] != print_:
            raise Refusal(422, "DUPLICATE_REQUEST_ID", "The value of PayPal-Request-Id header has already been used.")
        return (204 if row["status"] == 204 else 200), str(row["request_id"])

    def _remember(self, key: str | None, print_: str, status: int, shown: str) -> None:
        if key is not None:
            self._store.db.execute(
                "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?)",
                (f"paypal:{key}", print_, status, b"", shown, self._clock.now()),
            )

    def _till(self, request: Request) -> Till:
        base = self._settings.public_url or str(request.base_url).rstrip("/")
        if self._store.setting(BASE) != base:
            self._store.set_setting(BASE, base)
        return Till(self._store, self._clock, self._settings, base)

    def _is_known(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer A21AA")
        ends, _, mac = given.partition(".")
        fresh = ends.isascii() and ends.isdigit() and int(ends) > time.time()
        return fresh and hmac.compare_digest(mac, self._mac(int(ends)))

    def _mac(self, ends: int) -> str:
        return hmac.new(self._settings.paypal_secret.encode(), str(ends).encode(), hashlib.sha256).hexdigest()


def _split(path: str) -> tuple[str, str]:
    steps = path.removeprefix(f"{PREFIX}/").split("/")
    if len(steps) <= 3 or steps[0] == "v1":
        return "/".join(steps), ""
    return "/".join([*steps[:3], "*", *steps[4:]]), steps[3]


def _object(raw: bytes) -> Doc:
    try:
        value = orjson.loads(raw or b"{}") if len(raw) <= _MAX_BODY else None
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(400, "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.")
    return value


async def _suffer(struck: list[Fault]) -> Response | None:
    for fault in struck:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
    if any(fault.kind == "reset" for fault in struck):
        return Cut()
    failed = next((fault for fault in struck if fault.kind == "error"), None)
    return (
        None if failed is None else _refused(Refusal(failed.status, "INTERNAL_SERVICE_ERROR", "An error was ordered."))
    )


def _question(order: Doc, status: int) -> Response:
    amount = order["purchase_units"][0]["amount"]
    sum_ = html.escape(f"{amount['value']} {amount['currency_code']}")
    about = html.escape(order["purchase_units"][0].get("description", ""))
    buttons = "".join(
        f'<p><button name="outcome" value="{name}">{label}</button></p>'
        for name, label in (_SCENARIOS | {"cancel": "Cancel and return to the shop"}).items()
    )
    text = f"<h1>Pay with the sandbox</h1><p>You pay <strong>{sum_}</strong>. This is a test; no money moves.</p>"
    body = f'{text}<p>{about}</p><form method="post">{buttons}</form>'
    return page("Pay", body, status, forms="http: https:", frames="'none'")


def _back(url: str | None, added: dict[str, str]) -> Response:
    if url is None:
        return page("Thank you", '<h1 role="status">Thank you</h1><p>You may close this window.</p>')
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added.items()])
    return RedirectResponse(urlunsplit(parts._replace(query=query)), 303)


def _refused(refusal: Refusal) -> Response:
    return _json(refusal.body, refusal.status)


def _json(value: Doc, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
