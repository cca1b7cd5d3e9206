"""Clients of Jetway as partners write them: the contract's documents over HTTP, and graphql-transport-ws by hand."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import websockets

DOCUMENTS = (Path(__file__).parents[2] / "docs" / "contract" / "core.graphql").read_text()
PATIENCE = 20.0
ADDRESSES = (f"127.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" if sys.platform == "linux" else None for n in count(2**16))
"""Addresses of this machine, one for each client: tests share a server, which counts what comes from one address.

Other systems have a single one.
"""


class Client:
    """Somebody who sends the contract's operations, from a device; a guest, or signed in with an access token."""

    def __init__(self, url: str, access_token: str | None = None, device: str | None = None) -> None:
        headers = {"authorization": f"Bearer {access_token}"} if access_token else {}
        headers |= {"x-jetway-device": device} if device else {}
        self.url = url
        transport = httpx.AsyncHTTPTransport(local_address=next(ADDRESSES))
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=30, transport=transport)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def post(self, query: str, variables: dict[str, Any] | None = None, operation: str | None = None) -> Any:
        """The whole answer to a document."""
        body = {"query": query, "variables": variables or {}, "operationName": operation}
        return (await self._http.post("/graphql", json=body)).json()

    async def ask(self, operation: str, **variables: Any) -> Any:
        """The data of one of the contract's operations; it must have no errors."""
        answer = await self.post(DOCUMENTS, variables, operation)
        assert "errors" not in answer, answer
        (data,) = answer["data"].values()
        return data

    async def do(self, operation: str, **input_: Any) -> Any:
        """The same for a mutation, which takes one input."""
        return await self.ask(operation, input=input_)

    async def refused(self, operation: str, **variables: Any) -> dict[str, Any]:
        """The extensions of the one error that a query is refused with; its data is null."""
        answer = await self.post(DOCUMENTS, variables, operation)
        (error,) = answer["errors"]
        assert answer["data"] is None or set(answer["data"].values()) == {None}
        extensions: dict[str, Any] = error["extensions"]
        return extensions


def key() -> str:
    """A guest's idempotency key."""
    return str(uuid4())


class Watcher:
    """One subscription: its events in the order in which they come."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket

    async def message(self) -> Any:
        """The next message that is no ping; raises TimeoutError where none comes."""
        while True:
            message = json.loads(await asyncio.wait_for(self._socket.recv(), PATIENCE))
            if message["type"] != "ping":
                return message

    async def next(self) -> Any:
        """The data of the next event; raises TimeoutError where none comes."""
        message = await self.message()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        (data,) = message["payload"]["data"].values()
        return data

    async def told(self, *kinds: str) -> Any:
        """Read on until those facts were told; the last event. What happened before may have been on its way still."""
        left = set(kinds)
        while True:
            event = await self.next()
            left -= set(event["happened"])
            if not left:
                return event

    async def refusal(self) -> Any:
        """The errors with which the stream ends."""
        message = await self.message()
        if message["type"] == "error":
            return message["payload"]
        assert message["type"] == "next", message
        assert message["payload"].get("data") is None, message
        return message["payload"]["errors"]

    async def until(self, number: str, status: str) -> Any:
        """Read on until that seat has that status; the event that said so."""
        while True:
            event = await self.next()
            if any(seat["number"] == number and seat["status"] == status for seat in event["seats"]):
                return event


@asynccontextmanager
async def watching(url: str, operation: str, **variables: Any) -> AsyncIterator[Watcher]:
    """Subscribe to one of the contract's streams as a guest."""
    address = url.replace("http://", "ws://") + "/graphql"
    async with websockets.connect(address, subprotocols=[websockets.Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        payload = {"query": DOCUMENTS, "operationName": operation, "variables": variables}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        yield Watcher(socket)
