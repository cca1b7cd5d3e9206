"""A client that is not the bottleneck: the contract's operations over one kept-alive connection, as bytes.

It speaks only as much HTTP/1.1 as our server's answers need: each has a Content-Length.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import orjson
import websockets
from graphql import parse, print_ast
from graphql.utilities import separate_operations

CONTRACT = Path(__file__).resolve().parent.parent / "docs" / "contract" / "core.graphql"
DOCUMENTS: Mapping[str, str] = {
    name: print_ast(document) for name, document in separate_operations(parse(CONTRACT.read_text())).items()
}
"""Each operation of the contract with the fragments that it needs, as an application would send it."""

PATIENCE = 30.0


class Unexpected(Exception):
    """An answer that is not the one that is measured; a figure that counted it would be worth nothing."""


class Connection(asyncio.Protocol):
    """One connection to `/graphql`: one request at a time."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._received = bytearray()
        self._end = 0

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to the loopback."""
        _, made = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio says that we are connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """asyncio has a part of the answer."""
        self._received += data
        if not self._end:
            head = self._received.find(b"\r\n\r\n")
            if head < 0:
                return
            self._end = head + 4 + content_length(self._received[:head])
        if len(self._received) >= self._end and self._answer is not None:
            answer, self._answer = self._answer, None
            body = bytes(self._received[self._received.index(b"\r\n\r\n") + 4 :])
            self._received.clear()
            self._end = 0
            answer.set_result(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio says that the server has hung up."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    async def send(self, request: bytes) -> bytes:
        """The body of the answer to `request`."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    async def ask(self, operation: str, **variables: Any) -> Any:
        """The data of one of the contract's operations, for preparations that nobody measures."""
        return checked(await self.send(request(operation, variables)))


def content_length(head: bytes | bytearray) -> int:
    """How long a body the head of an answer announces."""
    _, found, rest = bytes(head).lower().partition(b"\r\ncontent-length:")
    if not found:
        raise Unexpected(f"an answer without a length: {head!r}")
    return int(rest.split(b"\r\n", 1)[0])


def request(operation: str, variables: Mapping[str, Any], forwarded_for: str | None = None) -> bytes:
    """A request for one of the contract's operations, or for a document, as it goes over the wire."""
    body = orjson.dumps({"query": DOCUMENTS.get(operation, operation), "variables": variables})
    address = f"x-forwarded-for: {forwarded_for}\r\n" if forwarded_for else ""
    head = f"POST /graphql HTTP/1.1\r\nhost: bench\r\n{address}content-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def checked(answer: bytes, kind: str | None = None) -> Any:
    """What the root field answered; raises Unexpected for errors, null, and another type than `kind`."""
    content = orjson.loads(answer)
    if "errors" in content:
        raise Unexpected(answer[:800].decode())
    (data,) = content["data"].values()
    if data is None or (kind is not None and data["__typename"] != kind):
        raise Unexpected(answer[:800].decode())
    return data


class Watcher:
    """One subscription."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket

    async def next(self) -> Any:
        """The data of the next event; raises TimeoutError where none comes, Unexpected for its end."""
        while True:
            message = json.loads(await asyncio.wait_for(self._socket.recv(), PATIENCE))
            if message["type"] == "next" and "errors" not in message["payload"]:
                (data,) = message["payload"]["data"].values()
                return data
            if message["type"] != "ping":
                raise Unexpected(str(message)[:800])


@asynccontextmanager
async def watching(port: int, operation: str, **variables: Any) -> AsyncIterator[Watcher]:
    """Subscribe to one of the contract's streams as a guest."""
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(
        f"ws://127.0.0.1:{port}/graphql", subprotocols=[protocol], compression=None
    ) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        await socket.recv()
        payload = {"query": DOCUMENTS[operation], "variables": variables}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        yield Watcher(socket)
