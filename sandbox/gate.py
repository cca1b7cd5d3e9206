"""The way into /v1: who asks, with which key, whether this was asked before, and which fault strikes.

What always holds: a request's work and the answer saved under its idempotency key are one transaction; of two
requests with one key at most one is at work.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox import api, faults, intents
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.listing import expand
from sandbox.params import Params
from sandbox.settings import Settings
from sandbox.store import Doc, Store
from sandbox.till import Till
from sandbox.wire import API_VERSION, ApiError, decode, new_id

_MAX_BODY = 1_000_000
_MAX_FIELDS = 1000
_MAX_KEY = 255
_KEY_SECONDS = 86400
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Stripe-Version",
    "Access-Control-Expose-Headers": "Request-Id, Idempotent-Replayed",
    "Access-Control-Max-Age": "300",
}
logger = logging.getLogger("sandbox")


@dataclass
class Answer:
    """What goes back: an HTTP status and JSON bytes."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Reset(Exception):
    """A fault: the connection is to be cut instead of answered."""


class Cut(Response):
    """An answer that is none: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut, and wait until the server has noticed, or it would still try to answer."""
        scope["sandbox.cut"]()
        while (await receive())["type"] != "http.disconnect":
            continue


class Gate:
    """Answers every request under /v1. `wake` is called after every commit that may have made something due."""

    def __init__(self, store: Store, clock: Clock, settings: Settings, wake: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._wake = wake
        self._keys_at_work: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as an ASGI application."""
        answer = await self.answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """The answer to a request."""
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_CORS)
        request_id = new_id("req", 14)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        headers = _CORS | {
            "Request-Id": request_id,
            "Stripe-Version": request.headers.get("stripe-version", API_VERSION),
        }
        if key:
            headers["Idempotency-Key"] = key
        try:
            answer = await self._answer(request, request_id, key)
        except ApiError as error:
            answer = _refusal(error, request_id)
        except Reset:
            return Cut()
        return Response(answer.body, answer.status, headers | answer.headers, "application/json")

    async def _answer(self, request: Request, request_id: str, key: str | None) -> Answer:
        pairs = await _pairs(request)
        browser = self._authenticate(request, pairs)
        route, id = api.split(request.scope["path"])
        handler = api.ROUTES.get((request.method, route))
        if handler is None:
            raise ApiError(f"Unrecognized request URL ({request.method}: {request.scope['path']}).", status=404)
        if browser and (request.method, route) not in api.BROWSER:
            raise ApiError(
                "This API call cannot be made with a publishable API key. Please use a secret API key.",
                status=401,
                code="secret_key_required",
            )
        params = decode(pairs)
        till = Till(
            self._store,
            self._clock,
            self._settings,
            self._settings.public_url or f"{request.scope['scheme']}://{request.headers.get('host', '')}",
            request_id,
            key,
        )
        work = Work(till, handler, params, id, browser, _fingerprint(request, params))
        if key is None:
            return await self._with_faults(request, work)
        if len(key) > _MAX_KEY:
            raise ApiError("Idempotency keys have at most 255 characters.", type="idempotency_error")
        if key in self._keys_at_work:
            raise ApiError(
                "There is currently another in-progress request using this Idempotent Key (that probably means you"
                f" submitted twice, and the other request is still going through): {key}. Please try again later.",
                status=409,
                code="idempotency_key_in_use",
            )
        self._keys_at_work.add(key)
        try:
            return await self._with_faults(request, work)
        finally:
            self._keys_at_work.discard(key)

    async def _with_faults(self, request: Request, work: "Work") -> Answer:
        struck = faults.strike_request(self._store, request.method, request.scope["path"])
        before = [fault for fault in struck if fault.when == "before"]
        if (failed := await _suffer(before, work)) is not None:
            return failed
        sticky = next((fault for fault in struck if fault.kind == "error" and fault.sticky), None)
        answer = self._do(work, sticky)
        return await _suffer([fault for fault in struck if fault.when == "after"], work) or answer

    def _do(self, work: "Work", sticky: Fault | None) -> Answer:
        till = work.till
        replayed = self._replay(till.key, work.fingerprint)
        if replayed is not None:
            return replayed
        try:
            with self._store.transaction():
                try:
                    answer = Answer(200, orjson.dumps(work.run()))
                except ApiError as error:
                    if not error.keeps:
                        raise
                    answer = _refusal(error, till.request_id, browser=work.browser)
                self._remember(work, _broken(sticky) if sticky else answer)
        except ApiError as error:
            answer = _refusal(error, till.request_id, browser=work.browser)
            if error.executed:
                with self._store.transaction():
                    self._remember(work, answer)
        except Exception:
            logger.exception("%s failed", till.request_id)
            return Answer(500, _error_body("An unknown error occurred", "api_error", till.request_id))
        self._wake()
        return answer

    def _replay(self, key: str | None, fingerprint: str) -> Answer | None:
        row = self._store.db.execute("SELECT * FROM answers WHERE key = ?", (key,)).fetchone()
        if row is None or row["created"] < self._clock.now() - _KEY_SECONDS:
            return None
        if row["fingerprint"] != fingerprint:
            raise ApiError(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try"
                f" using a key other than '{key}' if you meant to execute a different request.",
                type="idempotency_error",
            )
        replay = {"Idempotent-Replayed": "true", "Original-Request": row["request_id"]}
        return Answer(row["status"], row["body"], replay)

    def _remember(self, work: "Work", answer: Answer) -> None:
        if work.till.key is not None:
            self._store.db.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)",
                (
                    work.till.key,
                    work.fingerprint,
                    answer.status,
                    answer.body,
                    work.till.request_id,
                    self._clock.now(),
                ),
            )

    def _authenticate(self, request: Request, pairs: list[tuple[str, str]]) -> bool:
        """Whether it is a browser with the publishable key; ApiError 401 for anyone unknown."""
        given = _credentials(request) or dict(pairs).get("key")
        if not given:
            raise ApiError(
                "You did not provide an API key. You need to provide your API key in the Authorization header, using"
                " Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
                status=401,
            )
        if hmac.compare_digest(given.encode(), self._settings.key.encode()):
            return False
        if hmac.compare_digest(given.encode(), self._settings.publishable_key.encode()):
            return True
        hidden = given[:8] + "*" * max(0, len(given) - 12) + given[-4:] if len(given) > 12 else "*" * len(given)
        raise ApiError(f"Invalid API Key provided: {hidden}", status=401)


@dataclass(frozen=True)
class Work:
    """A checked request, ready to run."""

    till: Till
    handler: Callable[..., Doc]
    params: Doc
    id: str | None
    browser: bool
    fingerprint: str

    def run(self) -> Doc:
        """Do it, inside the caller's transaction; returns the document to answer with."""
        params = Params(self.params)
        if self.browser and self.id is not None:
            intents.check_client_secret(self.till, self.id, params.text("client_secret"))
        doc = self.handler(self.till, params) if self.id is None else self.handler(self.till, params, self.id)
        doc = expand(self.till.store, doc, params.texts("expand"))
        return intents.public(doc) if self.browser and doc["object"] == "payment_intent" else doc


async def _suffer(struck: list[Fault], work: Work) -> Answer | None:
    """Let faults take effect: wait, then cut the connection or answer with an error, if one of them says so."""
    for fault in struck:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
    if any(fault.kind == "reset" for fault in struck):
        raise Reset
    error = next((fault for fault in struck if fault.kind == "error"), None)
    return _broken(error, work.till.request_id) if error else None


def _broken(fault: Fault, request_id: str | None = None) -> Answer:
    if fault.status == 429:
        body = _error_body("Request rate limit exceeded.", "invalid_request_error", request_id, code="rate_limit")
    else:
        body = _error_body("An error was ordered from the sandbox.", "api_error", request_id)
    return Answer(fault.status, body)


def _error_body(message: str, type: str, request_id: str | None, **fields: Any) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": type, "request_log_url": _log_url(request_id)} | fields})


def _log_url(request_id: str | None) -> str:
    return f"https://dashboard.stripe.com/test/logs/{request_id}"


def _refusal(error: ApiError, request_id: str | None, *, browser: bool = False) -> Answer:
    fields = error.error | {"request_log_url": _log_url(request_id)}
    if browser and "payment_intent" in fields:
        fields["payment_intent"] = intents.public(fields["payment_intent"])
    return Answer(error.status, orjson.dumps({"error": fields}))


async def _pairs(request: Request) -> list[tuple[str, str]]:
    if request.method == "GET":
        raw = request.scope["query_string"]
    else:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        raw = await _body(request)
        if raw and kind != "application/x-www-form-urlencoded":
            raise ApiError("Invalid request (check that your POST content type is application/x-www-form-urlencoded).")
    try:
        return parse_qsl(
            raw.decode(), keep_blank_values=True, strict_parsing=False, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise ApiError("Invalid request: the parameters could not be read.") from error


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY:
                raise ApiError("The request is too large.", status=413)
    except ClientDisconnect as error:
        raise Reset from error
    return bytes(body)


def _credentials(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _fingerprint(request: Request, params: Doc) -> str:
    canonical = orjson.dumps([request.method, request.scope["path"], params], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()
