"""An ASGI connection by hand, for what a real one cannot be made to do on time: a client that stops reading."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.types import ASGIApp, Message

from tests.engine.http.asking import EVENTS


class Wire:
    """One POST of a document to an application, and what came back so far."""

    def __init__(self, query: str, **headers: str) -> None:
        every = {"content-type": "application/json", "accept": EVENTS, **headers}
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in every.items()],
            "request_id": "trip-7",
        }
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._incoming.put_nowait({"type": "http.request", "body": orjson.dumps({"query": query}), "more_body": False})
        self.reading = asyncio.Event()
        self.reading.set()
        self.holds_bodies = False
        """Whether only headers are let through."""
        self.sent: list[Message] = []

    def start(self, app: ASGIApp) -> asyncio.Task[None]:
        """Begin; the task ends when the application has."""

        async def run() -> None:
            await app(self.scope, self._incoming.get, self._send)

        return asyncio.create_task(run())

    def leave(self) -> None:
        """The client closes the connection."""
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def _send(self, message: Message) -> None:
        await self.reading.wait()
        if self.holds_bodies and message["type"] == "http.response.body":
            await asyncio.Future()
        self.sent.append(message)

    @property
    def text(self) -> str:
        """The body so far."""
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    @property
    def ended(self) -> bool:
        """Whether the response has an end."""
        return bool(self.sent) and self.sent[-1].get("more_body") is False
