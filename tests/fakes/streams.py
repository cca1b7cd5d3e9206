"""The streams of docs/contract/live.graphql, read as anybody: over a WebSocket, and as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import websockets

from tests.fakes.clients import Watcher

DOCUMENTS = (Path(__file__).parents[2] / "docs" / "contract" / "live.graphql").read_text()
PROTOCOL = websockets.Subprotocol("graphql-transport-ws")


@asynccontextmanager
async def streaming(
    url: str, operation: str, access: str | None = None, *, documents: str = DOCUMENTS, **variables: Any
) -> AsyncIterator[Watcher]:
    """Subscribe, as a guest or with the access token `access`."""
    init: dict[str, Any] = {"type": "connection_init"}
    if access is not None:
        init["payload"] = {"authorization": f"Bearer {access}"}
    async with websockets.connect(url.replace("http", "ws", 1) + "/graphql", subprotocols=[PROTOCOL]) as socket:
        await socket.send(json.dumps(init))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        payload = {"query": documents, "operationName": operation, "variables": variables}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        yield Watcher(socket)


async def refused(url: str, operation: str, access: str | None = None, **variables: Any) -> str:
    """The code with which a stream is refused at once."""
    async with streaming(url, operation, access, **variables) as watcher:
        (error,) = await watcher.refusal()
        code: str = error["extensions"]["code"]
        return code


@dataclass(frozen=True)
class Sent:
    """One server-sent event."""

    id: str | None
    data: Any


@asynccontextmanager
async def sent(
    url: str, operation: str, last_id: str | None = None, **variables: Any
) -> AsyncIterator[AsyncIterator[Sent]]:
    """The `next` events of a stream of server-sent events, after the one with `last_id`."""
    headers = {"accept": "text/event-stream", **({"last-event-id": last_id} if last_id else {})}
    body = {"query": DOCUMENTS, "operationName": operation, "variables": variables}
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("POST", f"{url}/graphql", json=body, headers=headers) as response,
    ):
        yield events(response)


async def events(response: httpx.Response) -> AsyncIterator[Sent]:
    """What is sent, by the lines of the HTML standard's event streams."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif fields.get("event") == "next":
            yield Sent(fields.get("id"), json.loads(fields["data"]))
            fields = {}
