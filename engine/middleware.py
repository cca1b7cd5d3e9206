"""A limit on what is read of a request, for endpoints that have none of their own."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import BAD_REQUEST, body
from engine.responses import JSON


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
