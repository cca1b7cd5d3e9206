"""What Jetway answers over HTTP beside GraphQL, and what is told of errors everywhere: the gateway's webhook, the page,
the log's lines.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from core import clock, log, telemetry
from core.db import Database
from core.errors import DomainError, Forbidden, Invalid, NotFound, RateLimited, Unavailable
from engine.errors import BAD_REQUEST, Description, body
from engine.responses import JSON, Files
from resolvers.context import Application
from services.gateways import Gateways

ReceiveWebhook = Callable[[Database, Gateways, str, bytes, Mapping[str, str]], Awaitable[None]]
"""Keeps an event of the gateway of that name, given its raw body and its headers. Raises Forbidden where the signature
is not good, NotFound where there is no such gateway."""

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: their lines are for debugging."""

SECRET = re.compile(r"^(/payments/[^/]*/).+", re.DOTALL)
"""Paths that carry a token. Whoever reads the log may not come back for a payer."""

JOURNAL_SECONDS = 0.02
"""How long the line of a request may wait."""

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


class Journal:
    """Writes the line of each request and socket, and counts the requests: a few milliseconds later, many at once.

    Done for each alone it would cost more than a cached answer does.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[str, str, str, int, float, str | None, datetime]] = []

    def write(self, method: str, path: str, route: str, status: int, milliseconds: float) -> None:
        """Note one that has ended."""
        self.waiting.append((method, path, route, status, milliseconds, log.REQUEST.get(), clock.now()))
        if len(self.waiting) == 1:
            asyncio.get_running_loop().call_later(JOURNAL_SECONDS, self.flush)

    def flush(self) -> None:
        """Write and count what waits."""
        ended, self.waiting = self.waiting, []
        lines = []
        for method, path, route, status, milliseconds, request_id, moment in ended:
            if method != "WEBSOCKET":
                telemetry.count_request(method, route, status, milliseconds / 1000)
            shown = SECRET.sub(r"\1{token}", path)
            facts = {"method": method, "path": shown, "status": status, "duration_ms": round(milliseconds, 2)}
            if path in PROBES:
                logger.debug("request", **facts, request_id=request_id)
            else:
                lines.append(facts | {"request_id": request_id, "timestamp": moment})
        log.write_lines("http", "request", lines)


journal = Journal()
telemetry.REQUESTS.before = journal.flush


def webhook(receive: ReceiveWebhook) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that gateways tell their events to: 200 once an event is kept, 400 for a signature that is not good.

    Anything else (503, 500) makes a gateway send the event again.
    """

    async def endpoint(request: Request) -> Response:
        app = application(request)
        try:
            gateway, told = request.path_params["gateway"], await request.body()
            await receive(app.database, app.gateways, gateway, told, request.headers)
        except NotFound as refusal:
            return JSON(body(refusal.message, extensions(refusal)), status_code=404)
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
