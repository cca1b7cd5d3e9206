"""What Jetway answers over HTTP beside GraphQL, and what is told of errors everywhere: the gateway's webhook, the page,
the log's lines.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from core import log, telemetry
from core.db import Database
from core.errors import DomainError, Forbidden, Invalid, RateLimited, Unavailable
from engine.errors import BAD_REQUEST, Description, body
from engine.responses import JSON, Files
from resolvers.context import Application
from services.gateways import Gateways

ReceiveWebhook = Callable[[Database, Gateways, bytes, str], Awaitable[None]]
"""Keeps a gateway's event, given its raw body and its signature. Raises Forbidden where the signature is not good."""

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: their lines are for debugging."""

POLICY = "; ".join(
    (
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "frame-src http: https:",  # the bank's own page, wherever that is, for 3-D Secure
        "frame-ancestors 'self'",
        "object-src 'none'",
        "base-uri 'none'",
    )
)
POLICIES = {"/graphiql": f"{POLICY}; font-src 'self' data:"}

logger = log.logger("http")
lines = log.Lines("http")


def application(connection: HTTPConnection) -> Application:
    """What `app.py` opened for this process."""
    return cast("Application", connection.app.state.application)


def describe(error: BaseException) -> Description | None:
    """A refusal's message and extensions; None for what is no refusal, and is masked."""
    return (error.message, extensions(error)) if isinstance(error, DomainError) else None


def extensions(refusal: DomainError) -> dict[str, Any]:
    """`code`, and `field` or `retryAfter` (seconds) where the refusal has one."""
    told: dict[str, Any] = {"code": refusal.code}
    if isinstance(refusal, Invalid) and refusal.field is not None:
        told["field"] = refusal.field
    if isinstance(refusal, RateLimited | Unavailable):
        told["retryAfter"] = refusal.retry_after
    return told


def unexpected(error: BaseException) -> None:
    """Count a fault of ours, and write where it happened; the line has the request's id."""
    telemetry.UNEXPECTED.inc()
    logger.error("unexpected_error", exc_info=error)


def write_access(method: str, path: str, route: str, status: int, milliseconds: float) -> None:
    """Write the line of one request or socket, and count the request."""
    facts = {"method": method, "path": path, "status": status, "duration_ms": round(milliseconds, 2)}
    if path in PROBES:
        logger.debug("request", **facts)
    else:
        lines.write("request", facts)
    if method != "WEBSOCKET":
        telemetry.count_request(method, route, status, milliseconds / 1000)


def webhook(receive: ReceiveWebhook) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that Stripe tells its events to: 200 once the event is kept, 400 for a signature that is not good.

    Anything else (503, 500) makes Stripe send the event again.
    """

    async def endpoint(request: Request) -> Response:
        app = application(request)
        try:
            await receive(app.database, app.gateways, await request.body(), request.headers.get("stripe-signature", ""))
        except (Forbidden, Invalid) as refusal:
            return JSON(body(refusal.message, {"code": BAD_REQUEST}), status_code=400)
        except Unavailable as refusal:
            return JSON(body(refusal.message, extensions(refusal)), status_code=503)
        return Response()

    return endpoint


def page(files: Files, name: str) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers with one file of the page."""

    async def endpoint(request: Request) -> Response:
        return await files.get_response(name, request.scope)

    return endpoint


WEB = Path(__file__).parents[1] / "web"
"""The page: plain files, served as they are."""
