"""What goes out: whole responses, with the headers that never change made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from starlette.types import Send

from engine.http.caching import Stored
from engine.http.negotiation import Kind

Headers = list[tuple[bytes, bytes]]

TYPES = {kind: (b"content-type", f"{kind.value}; charset=utf-8".encode()) for kind in Kind}
VARY = (b"vary", b"Accept")
NO_STORE = (b"cache-control", b"no-store")


class Reply(NamedTuple):
    """One whole response."""

    status: int
    headers: Headers
    body: bytes

    async def __call__(self, send: Send) -> None:
        """Send it."""
        length = (b"content-length", b"%d" % len(self.body))
        headers = self.headers if self.status == 304 else [*self.headers, length]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def answered(kind: Kind, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A response that nobody keeps."""
    if headers:
        more = [pair for pair in pairs(headers) if pair[0] != b"cache-control"]
        return Reply(status, [TYPES[kind], VARY, NO_STORE, *more], body)
    return Reply(status, [TYPES[kind], VARY, NO_STORE], body)


def aged(kind: Kind, body: bytes, age: int | None) -> Reply:
    """A response that nobody beyond us keeps, and its age where we kept it."""
    if age is None:
        return Reply(200, [TYPES[kind], VARY, NO_STORE], body)
    return Reply(200, [TYPES[kind], VARY, NO_STORE, (b"age", b"%d" % age)], body)


def kept(kind: Kind, stored: Stored, vary: tuple[bytes, bytes]) -> Reply:
    """A response to a GET that may be kept, as its Cache-Control says."""
    headers: Headers = [TYPES[kind], vary, (b"cache-control", (stored.cache_control or "no-store").encode("latin-1"))]
    if stored.etag is not None:
        headers.append((b"etag", stored.etag.encode("latin-1")))
    if stored.age is not None:
        headers.append((b"age", b"%d" % stored.age))
    return Reply(200, headers, stored.body)


def unchanged(reply: Reply) -> Reply:
    """304 in place of a response that the client has already."""
    return Reply(304, [pair for pair in reply.headers if pair[0] != b"content-type"], b"")


def refused(kind: Kind, errors: list[dict[str, Any]], status: int, headers: Mapping[str, str] | None = None) -> Reply:
    """A response to a request of which nothing was executed."""
    return answered(kind, orjson.dumps({"errors": errors}), status, headers)


def pairs(headers: Mapping[str, str]) -> Headers:
    """Headers as ASGI has them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
