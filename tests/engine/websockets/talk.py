"""What is said to sockets and heard from them, in the words of these tests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.engine.websockets.toy import Serving, Toy
from tests.fakes.waiting import eventually

PROTOCOL = Subprotocol("graphql-transport-ws")


def opened(serving: Serving, **more: Any) -> connect:
    """A socket that is not greeted yet."""
    return connect(serving.url, subprotocols=[PROTOCOL], compression=None, max_size=None, **more)


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection) -> Any:
    text = await socket.recv()
    assert isinstance(text, str)
    return json.loads(text)


async def greet(socket: ClientConnection, **init: Any) -> None:
    await say(socket, type="connection_init", **init)
    assert await hear(socket) == {"type": "connection_ack"}


async def subscribe(socket: ClientConnection, query: str | None, name: str = "1", **payload: Any) -> None:
    await say(socket, type="subscribe", id=name, payload={**({} if query is None else {"query": query}), **payload})


async def answers(socket: ClientConnection, name: str = "1") -> list[Any]:
    """What an operation is told, to its end: payloads of `next`, and of `error`."""
    told: list[Any] = []
    while True:
        message = await hear(socket)
        assert message["id"] == name
        if message["type"] == "complete":
            assert set(message) == {"id", "type"}
            return told
        told.append(message["payload"])
        if message["type"] == "error":
            return told


async def refused(socket: ClientConnection, name: str = "1") -> tuple[str, str]:
    """The code and the message of the `error` that an operation ends with."""
    message = await hear(socket)
    assert (message["type"], message["id"]) == ("error", name)
    (error,) = message["payload"]
    return error["extensions"]["code"], error["message"]


async def still_serves(socket: ClientConnection) -> None:
    """That the socket is as good as it was."""
    await subscribe(socket, "{ hello }", "again")
    (answer,) = await answers(socket, "again")
    assert answer["data"] == {"hello": "hello world"}


async def closing(socket: ClientConnection) -> tuple[int, str]:
    """How the server closes it, and that it says nothing before."""
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def ending(socket: ClientConnection) -> tuple[int, str]:
    """How the server closes it, whatever it says before."""
    with pytest.raises(ConnectionClosed) as closed:
        await everything(socket)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def everything(socket: ClientConnection) -> None:
    """Hear all that it says. Raises ConnectionClosed at its end."""
    while True:
        await socket.recv()


async def until_empty(standing: Toy) -> None:
    """Wait until nothing is left of any socket."""

    async def is_empty() -> bool:
        return standing.is_empty

    await eventually(is_empty)
