"""What surrounds every request: its id, its line in the log, headers for browsers, and a limit on what is read.

Pure ASGI, in this order from outside: RequestId, AccessLog, SecurityHeaders, BodyLimit.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import BAD_REQUEST, Unexpected, body, internal
from engine.responses import JSON

SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
CLIENT_LEFT = 499
"""The status in the log of a request whose client left before it was answered."""


class RequestId:
    """Gives every request an id: the client's own X-Request-Id where it is sane, a new one otherwise.

    It stands in `scope["request_id"]`, in the answer's header, and, by `bind`, on every line of the log.
    """

    def __init__(self, app: ASGIApp, bind: Callable[[str], None]) -> None:
        self.app = app
        self.bind = bind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its id."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if SANE_ID.fullmatch(asked) else uuid.uuid4().hex
        scope["request_id"] = request_id
        self.bind(request_id)
        await self.app(scope, receive, adding({"X-Request-Id": request_id}, send))


class AccessLog:
    """Writes a line for every request and socket, and answers 500 for an exception that nobody else caught.

    `write` gets the facts of the line: method, path (no query string), route, status, duration_ms. For a socket the
    method is `WEBSOCKET` and the status its closing code.
    """

    def __init__(self, app: ASGIApp, write: Callable[..., None], unexpected: Unexpected) -> None:
        self.app = app
        self.write = write
        self.unexpected = unexpected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and write its line when it has ended."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        ending = Ending(receive, send)
        try:
            await self.app(scope, ending.receive, ending.send)
        except Exception as error:
            self.unexpected(error)
            if scope["type"] == "websocket" or ending.status is not None:
                raise
            fault = JSON(body(*internal(scope.get("request_id", ""))), status_code=500)
            await fault(scope, receive, ending.send)
        finally:
            self.write(
                method=scope.get("method", "WEBSOCKET"),
                path=scope["path"],
                route=getattr(scope.get("route"), "path", "none"),
                status=ending.status or CLIENT_LEFT,
                duration_ms=round((time.perf_counter() - began) * 1000, 2),
            )


class Ending:
    """Listens to both directions of a connection for how it ends."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.status: int | None = None
        """The HTTP status that was sent, or the code that a socket was closed with, by whichever side."""

    async def receive(self) -> Message:
        """The next message from the server."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and self.status is None:
            self.status = message.get("code", 1005)
        return message

    async def send(self, message: Message) -> None:
        """Pass a message to the server."""
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self.status = message["status"]
        elif message["type"] == "websocket.close" and self.status is None:
            self.status = message.get("code", 1000)
        await self._send(message)


class SecurityHeaders:
    """Headers that tell browsers what a page of ours may do; `policies` are Content-Security-Policies by exact path.

    Source: OWASP Secure Headers Project.
    """

    def __init__(self, app: ASGIApp, policy: str, policies: Mapping[str, str]) -> None:
        self.app = app
        self.policy = policy
        self.policies = policies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its answer gets the headers."""
        if scope["type"] == "http":
            headers = {
                "Content-Security-Policy": self.policies.get(scope["path"], self.policy),
                "Cross-Origin-Opener-Policy": "same-origin",
                "Referrer-Policy": "same-origin",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "SAMEORIGIN",
            }
            send = adding(headers, send)
        await self.app(scope, receive, send)


class BodyLimit:
    """Answers 413 to a body of more than `limit` bytes, whether or not its length was announced."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, and pass the request on where it is small enough."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        fits = announced.isdigit() and int(announced) <= self.limit
        try:
            content = await self._read(receive) if fits else None
        except ClientDisconnect:
            return
        if content is None:
            refusal = body(f"The body has more than {self.limit} bytes.", {"code": BAD_REQUEST})
            await JSON(refusal, status_code=413, headers={"Connection": "close"})(scope, receive, send)
        else:
            await self.app(scope, replaying(content, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body; None as soon as there is too much of it. Raises ClientDisconnect where it never ends."""
        content = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            content += message.get("body", b"")
            more = message.get("more_body", False)
            if len(content) > self.limit:
                return None
        return bytes(content)


def replaying(content: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once more, whole, and then what comes."""
    waiting: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def adding(headers: Mapping[str, str], send: Send) -> Send:
    """A `send` that puts headers on the answer, except those that it has already."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            message["headers"] = list(message.get("headers", ()))
            answer = MutableHeaders(scope=message)
            for name, value in headers.items():
                answer.setdefault(name, value)
        await send(message)

    return send_with_headers
