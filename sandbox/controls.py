"""/sandbox: what Stripe doesn't have. Faults, webhooks, the clock, the books; for holders of the secret key."""

import functools
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import faults
from sandbox.clock import Clock
from sandbox.paypal import reports
from sandbox.settings import Settings
from sandbox.store import Store

Endpoint = Callable[[Request], Awaitable[Response]]
_STATES = ("pending", "delivered", "dropped")


class Refused(Exception):
    """A control asked for wrongly: HTTP status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Controls:
    """The JSON endpoints under /sandbox; `wake` is called when something may have become due."""

    def __init__(self, store: Store, clock: Clock, settings: Settings, wake: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._wake = wake

    def routes(self) -> list[Route]:
        """Everything but the 3-D Secure page."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/sandbox/faults", self.list_faults),
            ("POST", "/sandbox/faults", self.order_fault),
            ("DELETE", "/sandbox/faults", self.clear_faults),
            ("DELETE", "/sandbox/faults/{id}", self.clear_faults),
            ("GET", "/sandbox/webhooks", self.list_webhooks),
            ("POST", "/sandbox/webhooks/retry", self.retry_webhooks),
            ("POST", "/sandbox/events/{id}/redeliver", self.redeliver),
            ("GET", "/sandbox/clock", self.read_clock),
            ("POST", "/sandbox/clock", self.advance_clock),
            ("GET", "/sandbox/books", self.books),
            ("GET", "/sandbox/orders", self.orders),
        ]
        routes = [Route(path, self._guarded(endpoint), methods=[method]) for method, path, endpoint in table]
        return [Route("/sandbox/health", self.health, methods=["GET"]), *routes]

    async def health(self, request: Request) -> Response:
        """Whether the store answers, how many webhooks wait, and what is due and has yet to happen; open to all."""
        db, now = self._store.db, self._clock.now()
        waiting = db.execute("SELECT count(*) AS n FROM deliveries WHERE state = 'pending'").fetchone()["n"]
        due = db.execute("SELECT count(*) AS n FROM timers WHERE due <= ?", (now,)).fetchone()["n"]
        return _json({"status": "ok", "time": int(now), "pending_webhooks": waiting, "due_timers": due})

    async def list_faults(self, request: Request) -> Response:
        """Faults that have yet to strike."""
        return _json({"data": faults.pending(self._store)})

    async def order_fault(self, request: Request) -> Response:
        """Order a fault; see docs/sandbox.md for the fields."""
        wish = await _object(request)
        try:
            with self._store.transaction():
                return _json(faults.order(self._store, wish), 201)
        except faults.BadFault as error:
            raise Refused(400, str(error)) from error

    async def clear_faults(self, request: Request) -> Response:
        """Call off one fault, or all."""
        with self._store.transaction():
            return _json({"cleared": faults.clear(self._store, request.path_params.get("id"))})

    async def list_webhooks(self, request: Request) -> Response:
        """Deliveries in a `state` (pending by default; delivered, dropped), newest first, at most 100."""
        state = request.query_params.get("state", "pending")
        if state not in _STATES:
            raise Refused(400, f"state must be one of {', '.join(_STATES)}")
        rows = self._store.db.execute(
            "SELECT d.id, d.event, o.type, d.state, d.attempts, d.due, d.last_status, d.last_error FROM deliveries d"
            " JOIN objects o ON o.id = d.event WHERE d.state = ? ORDER BY d.id DESC LIMIT 100",
            (state,),
        )
        return _json({"data": [dict(row) for row in rows]})

    async def retry_webhooks(self, request: Request) -> Response:
        """Make every pending delivery due now."""
        with self._store.transaction():
            count = self._store.db.execute(
                "UPDATE deliveries SET due = ? WHERE state = 'pending'", (self._clock.now(),)
            ).rowcount
        self._wake()
        return _json({"due": count})

    async def redeliver(self, request: Request) -> Response:
        """Send an event once more, whatever became of it before."""
        event_id = request.path_params["id"]
        event = self._store.get(event_id)
        urls = {"event": self._settings.webhook_url, "paypal_event": self._settings.paypal_webhook_url}
        if event is None or event["object"] not in urls:
            raise Refused(404, f"no event {event_id}")
        if urls[event["object"]] is None:
            raise Refused(409, "the sandbox was started without a webhook address for it")
        with self._store.transaction():
            self._store.db.execute(
                "INSERT INTO deliveries (event, state, due) VALUES (?, 'pending', ?)", (event_id, self._clock.now())
            )
        self._wake()
        return _json({"queued": event_id}, 202)

    async def read_clock(self, request: Request) -> Response:
        """Sandbox time in seconds since the epoch."""
        return _json({"time": self._clock.now()})

    async def advance_clock(self, request: Request) -> Response:
        """Move sandbox time forward by `advance` seconds; what falls due on the way happens."""
        seconds = (await _object(request)).get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise Refused(400, "advance must be a number of seconds")
        try:
            self._clock.advance(seconds)
        except ValueError as error:
            raise Refused(400, str(error)) from error
        self._wake()
        return _json({"time": self._clock.now()})

    async def books(self, request: Request) -> Response:
        """What the sandbox holds, per currency, in smallest units: the gateway's own account of the money."""
        rows = self._store.db.execute(
            """
            SELECT json_extract(body, '$.currency') AS currency,
                   sum(json_extract(body, '$.amount_capturable')) AS authorised,
                   sum(json_extract(body, '$.amount_received')) AS captured
            FROM objects WHERE kind = 'payment_intent' GROUP BY 1
            """
        )
        books = {row["currency"]: dict(row) | {"refunded": 0, "fees": 0, "balance": 0} for row in rows}
        refunded = self._store.db.execute(
            "SELECT json_extract(body, '$.currency') AS currency, sum(json_extract(body, '$.amount_refunded')) AS"
            " refunded FROM objects WHERE kind = 'charge' GROUP BY 1"
        )
        lines = self._store.db.execute(
            "SELECT json_extract(body, '$.currency') AS currency, sum(json_extract(body, '$.fee')) AS fees,"
            " sum(json_extract(body, '$.net')) AS balance FROM objects WHERE kind = 'balance_transaction' GROUP BY 1"
        )
        for row in (*refunded, *lines):
            books[row["currency"]] |= dict(row)
        return _json({"data": list(books.values()), "paypal": reports.books(self._store)})

    async def orders(self, request: Request) -> Response:
        """PayPal's orders, the newest first, at most 100: PayPal itself lists none."""
        docs, _ = self._store.page("paypal_order", limit=100)
        return _json({"data": [doc["paypal"] for doc in docs]})

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        async def guarded(request: Request) -> Response:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), self._settings.key.encode()):
                return _json({"error": "the sandbox's controls need its secret key as Bearer token"}, 401)
            try:
                return await endpoint(request)
            except Refused as refused:
                return _json({"error": str(refused)}, refused.status)

        return guarded


async def _object(request: Request) -> dict[str, Any]:
    try:
        value = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Refused(400, "the body must be JSON") from error
    if not isinstance(value, dict):
        raise Refused(400, "the body must be a JSON object")
    return value


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
