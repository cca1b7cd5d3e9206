"""Whether a socket is opened at all: pages of other origins, other protocols, and how a refusal is told."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.requests import HTTPConnection
from starlette.types import Message, Scope, Send
from strawberry.http.websocket_origin import is_same_origin, normalize_allowed_origins, normalize_origin

from engine.errors import BAD_REQUEST, Refused, body

PROTOCOL = "graphql-transport-ws"
EVERY = "*"
FOREIGN = "Pages of other origins may not open sockets here."


class Origins:
    """Whose pages may open sockets: our own, and those of `allowed`.

    No browser asks before it opens a socket to another origin (RFC 6455, section 10.2), so we look. Clients that are no
    browsers send no Origin, and bring no one else's cookies.
    """

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = normalize_allowed_origins(allowed)

    def check(self, connection: HTTPConnection) -> None:
        """Raises Refused 403 for a page that may not."""
        origin = connection.headers.get("origin")
        if origin is None or EVERY in self._allowed or is_own(origin, connection.headers):
            return
        if normalize_origin(origin) not in self._allowed:
            raise Refused(403, FOREIGN, {"code": "FORBIDDEN"})


def is_own(origin: str, headers: Mapping[str, str]) -> bool:
    """Whether a page of this host asks."""
    return headers.get("sec-fetch-site") == "same-origin" or is_same_origin(origin, headers.get("host"))


async def accept(scope: Scope, send: Send) -> bool:
    """Accept the socket; whether it speaks our protocol. If not, it can only be closed."""
    speaks = PROTOCOL in scope.get("subprotocols", ())
    accepted: Message = {"type": "websocket.accept"}
    if speaks:
        accepted["subprotocol"] = PROTOCOL
    await send(accepted)
    return speaks


async def refuse(scope: Scope, send: Send, refusal: Refused) -> None:
    """Answer the handshake with the refusal's status, and with 403 where the server can say nothing else."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    content = orjson.dumps(body(refusal.message, {"code": BAD_REQUEST, **refusal.extensions}))
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(content)).encode()),
    ]
    if "retryAfter" in refusal.extensions:
        headers.append((b"retry-after", str(refusal.extensions["retryAfter"]).encode()))
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": content})
