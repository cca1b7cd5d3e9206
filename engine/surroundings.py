"""What surrounds every request and socket: its id, its line in the log, and headers for browsers.

One ASGI middleware for all three, because what each of several would add to every request is more than what it does.
`Shortcut` belongs inside of it: one address past the routing of all others.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import Unexpected, body, internal
from engine.responses import JSON

SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
HANDING = "engine.handing"
"""An extension of a socket's scope, where its server lets the connection outlive the application's call
(`engine.websockets.lines.Handing`): its line is written when the connection has ended."""

CLIENT_LEFT = 499
"""The status in the log of a request whose client left before it was answered."""

Header = tuple[bytes, bytes]
Write = Callable[[str, str, str, int, float], None]
"""Writes the line of one request or socket: method, path (no query string), route, status, milliseconds. For a socket
the method is `WEBSOCKET` and the status its closing code."""

BROWSER: Mapping[bytes, bytes] = {
    b"cross-origin-opener-policy": b"same-origin",
    b"referrer-policy": b"same-origin",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"SAMEORIGIN",
}
"""What a browser may do with an answer of ours (OWASP Secure Headers Project), beside its Content-Security-Policy."""


class Surroundings:
    """The middleware.

    Every request and socket gets an id: the client's own X-Request-Id where it is sane, a new one otherwise. It stands
    in `scope["request_id"]`, is told to `bind`, and goes out with the answer. An answer gets the headers for browsers
    that it does not have already; `policies` are Content-Security-Policies by exact path, `policy` is everybody
    else's. When it has ended its line is written. An exception that nobody else caught is told to `unexpected`, and
    answered with 500 where nothing was sent yet.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        bind: Callable[[str], object],
        write: Write,
        unexpected: Unexpected,
        policy: str,
        policies: Mapping[str, str],
    ) -> None:
        self.app = app
        self.bind = bind
        self.write = write
        self.unexpected = unexpected
        self.headers = {path: browser_headers(own) for path, own in policies.items()}
        self.otherwise = browser_headers(policy)
        self.ids = request_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request or socket on."""
        kind = scope["type"]
        if kind == "lifespan":
            await self.app(scope, receive, send)
            return
        request_id = sane_id(scope["headers"]) or next(self.ids)
        scope["request_id"] = request_id
        self.bind(request_id)
        added = [(b"x-request-id", request_id.encode("latin-1"))]
        if kind == "http":
            added += self.headers.get(scope["path"], self.otherwise)
        await self._served(scope, receive, send, Ending(send, added))

    async def _served(self, scope: Scope, receive: Receive, send: Send, ending: Ending) -> None:
        """Pass it on, and write its line when it has ended."""
        began = time.perf_counter()
        is_socket = scope["type"] == "websocket"
        try:
            await self.app(scope, ending.hearing(receive) if is_socket else receive, ending.send)
        except Exception as error:
            self.unexpected(error)
            if is_socket or ending.status is not None:
                raise
            fault = JSON(body(*internal(scope["request_id"])), status_code=500)
            await fault(scope, receive, ending.send)
        finally:
            method, path = "WEBSOCKET" if is_socket else scope["method"], scope["path"]
            route = getattr(scope.get("route"), "path", "none")

            def end(status: int) -> None:
                self.write(method, path, route, status, (time.perf_counter() - began) * 1000)

            handing = scope["extensions"].get(HANDING) if is_socket and scope.get("extensions") else None
            if handing is None or not handing.at_end(end):
                end(ending.status or CLIENT_LEFT)


class Ending:
    """Listens to a connection for how it ends, and puts headers on its answer."""

    __slots__ = ("_added", "_send", "status")

    def __init__(self, send: Send, added: list[Header]) -> None:
        self._send = send
        self._added = added
        self.status: int | None = None
        """The HTTP status that was sent, or the code that a socket was closed with, by whichever side."""

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message to the server."""
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": together(message.get("headers", ()), self._added)}
        elif kind != "http.response.body":
            message = self._of_a_socket(kind, message)
        return self._send(message)

    def _of_a_socket(self, kind: str, message: Message) -> Message:
        """A message that has to do with a socket, or is none of ours."""
        if kind == "websocket.accept":
            return {**message, "headers": together(message.get("headers", ()), self._added)}
        if kind == "websocket.http.response.start":
            self.status = message["status"]
        elif kind == "websocket.close" and self.status is None:
            self.status = message.get("code", 1000)
        return message

    def hearing(self, receive: Receive) -> Receive:
        """A `receive` that notices a client who leaves."""

        async def heard() -> Message:
            message = await receive()
            if message["type"] == "websocket.disconnect" and self.status is None:
                self.status = message.get("code", 1005)
            return message

        return heard


class Shortcut:
    """Hands what is asked for at exactly `path` to `endpoint`, past the routing that everything else goes through."""

    def __init__(self, app: ASGIApp, path: str, endpoint: ASGIApp) -> None:
        self.app = app
        self.path = path
        self.endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, to the one or the other."""
        if scope["type"] == "http" and scope["path"] == self.path:
            scope["route"] = self
            await self.endpoint(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def browser_headers(policy: str) -> list[Header]:
    """The headers for browsers, with that Content-Security-Policy."""
    return [(b"content-security-policy", policy.encode("latin-1")), *BROWSER.items()]


def together(headers: Iterable[Any], added: list[Header]) -> list[Header]:
    """The headers of an answer, and those added that it does not have."""
    own = [*headers]
    names = {name.lower() for name, _ in own}
    if names.isdisjoint(RESERVED):
        return own + added
    return own + [pair for pair in added if pair[0] not in names]


RESERVED = frozenset({*BROWSER, b"content-security-policy", b"x-request-id"})


def sane_id(headers: Iterable[Header]) -> str | None:
    """The id that a client gave its request; None for none, or one that is not to be repeated."""
    for name, value in headers:
        if name == b"x-request-id":
            return value.decode("latin-1") if SANE_ID.fullmatch(value) else None
    return None


def request_ids() -> Iterator[str]:
    """Ids of 32 hexadecimal digits, no two alike: half is this process's own, half counts."""
    own = secrets.token_hex(8)
    return (f"{own}{number:016x}" for number in itertools.count(1))
