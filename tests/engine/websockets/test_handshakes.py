"""Who may open a socket at all."""

from __future__ import annotations

import json

import pytest
from starlette.types import Message
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from engine.errors import Refused
from engine.websockets.handshakes import refuse
from tests.engine.websockets.talk import PROTOCOL, closing, greet, opened, still_serves
from tests.engine.websockets.toy import Serving, served, toy


@pytest.mark.parametrize("protocols", [["graphql-ws"], ["graphql-transport-ws2", "mqtt"], []])
async def test_no_other_protocol_is_spoken(serving: Serving, protocols: list[str]) -> None:
    async with connect(serving.url, subprotocols=[Subprotocol(name) for name in protocols] or None) as socket:
        assert socket.subprotocol is None
        assert await closing(socket) == (4406, "Subprotocol not acceptable")


async def test_ours_is_chosen_wherever_it_stands(serving: Serving) -> None:
    async with connect(serving.url, subprotocols=[Subprotocol("graphql-ws"), PROTOCOL]) as socket:
        assert socket.subprotocol == PROTOCOL
        await greet(socket)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://127.0.0.1:1", "null", "https://["])
async def test_pages_of_other_origins_open_no_socket(serving: Serving, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(serving.url, subprotocols=[PROTOCOL], origin=Origin(origin))
    response = refused.value.response
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    (error,) = json.loads(response.body)["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN"}


async def test_pages_of_our_own_origin_do(serving: Serving) -> None:
    async with opened(serving, origin=Origin(f"http://127.0.0.1:{serving.port}")) as socket:
        await greet(socket)


async def test_browsers_that_say_it_is_the_same_origin_are_believed(serving: Serving) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with opened(serving, origin=Origin("https://outside.example"), additional_headers=headers) as socket:
        await greet(socket)


async def test_other_origins_may_be_allowed() -> None:
    with served(toy(allowed_origins=frozenset({"https://Shop.example:443"}))) as serving:
        async with opened(serving, origin=Origin("https://shop.example")) as socket:
            await greet(socket)
            await still_serves(socket)
        with pytest.raises(InvalidStatus):
            await opened(serving, origin=Origin("https://notshop.example"))


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/path"])
def test_what_is_no_origin_cannot_be_allowed(origin: str) -> None:
    with pytest.raises(ValueError, match="Invalid origin"):
        toy(allowed_origins=frozenset({origin}))


async def test_a_server_that_cannot_answer_a_handshake_closes_it() -> None:
    sent = []

    async def send(message: object) -> None:
        sent.append(message)

    await refuse({"type": "websocket"}, send, Refused(429, "Too many.", {}))
    assert sent == [{"type": "websocket.close"}]


@pytest.mark.parametrize("protocols", [["graphql-transport-ws"], []])
@pytest.mark.parametrize("origin", [b"http://elsewhere.example", None])
async def test_a_client_that_has_gone_before_the_answer_is_no_fault(protocols: list[str], origin: bytes | None) -> None:
    standing = toy()
    headers = [] if origin is None else [(b"origin", origin)]
    scope = {"type": "websocket", "path": "/", "headers": headers, "subprotocols": protocols, "query_string": b""}

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        raise OSError

    await standing.app(scope, receive, send)
    assert standing.is_empty
