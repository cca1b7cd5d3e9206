"""What Jetway answers over HTTP beside the schema itself: who an operation is asked by, what is told of errors, the
gateway's webhook, and the page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from strawberry.schema import BaseSchema

from core import log, telemetry
from core.db import Database
from core.errors import DomainError, Forbidden, Invalid, RateLimited, Unauthenticated, Unavailable
from engine.errors import BAD_REQUEST, Description, Errors, Refused, body
from engine.responses import JSON, Files
from engine.transport import GraphQLApp
from resolvers.context import Application, Context, viewer_from_authorization
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


def graphql(schema: BaseSchema) -> GraphQLApp:
    """The ASGI application at /graphql."""
    return GraphQLApp(
        schema,
        make_context=make_context,
        errors=Errors(describe, unexpected),
        tracking=telemetry.SOCKET_OPERATIONS.track_inprogress,
    )


def application(connection: HTTPConnection) -> Application:
    """What `app.py` opened for this process."""
    return cast("Application", connection.app.state.application)


def make_context(connection: HTTPConnection, authorization: str | None) -> Context:
    """The context of one operation. Raises Refused (401) for a token that is no good."""
    app = application(connection)
    try:
        viewer = viewer_from_authorization(app.keyring, authorization)
    except Unauthenticated as refusal:
        raise Refused(401, refusal.message, extensions(refusal)) from refusal
    ip = connection.client.host if connection.client is not None else ""
    return Context(app=app, viewer=viewer, request_id=connection.scope["request_id"], ip=ip)


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


def write_access(*, method: str, path: str, route: str, status: int, duration_ms: float) -> None:
    """Write the line of one request or socket, and count the request."""
    write = logger.debug if path in PROBES else logger.info
    write("request", method=method, path=path, status=status, duration_ms=duration_ms)
    if method != "WEBSOCKET":
        telemetry.count_request(method, route, status, duration_ms / 1000)


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
