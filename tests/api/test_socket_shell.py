"""graphql-transport-ws on a real socket: the protocol, credentials, and what is told of errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from core import tokens
from core.embedded import EmbeddedValkey
from core.keys import Keyring
from tests.fakes.given import GivenValkey
from tests.fakes.toy_server import SECRET, toy_server, toy_settings
from tests.fakes.waiting import eventually

PROTOCOL = Subprotocol("graphql-transport-ws")
SECRETS = (b"s" * 32,)


@pytest.fixture(scope="module")
def url(module_database_url: str, valkey: EmbeddedValkey | GivenValkey) -> Iterator[str]:
    with toy_server(toy_settings(module_database_url, valkey.url, *SECRETS)) as address:
        yield address.replace("http", "ws") + "/graphql"


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection) -> Any:
    text = await socket.recv()
    assert isinstance(text, str)
    return json.loads(text)


async def greet(socket: ClientConnection, **init: Any) -> None:
    await say(socket, type="connection_init", **init)
    assert await hear(socket) == {"type": "connection_ack"}


async def subscribe(socket: ClientConnection, query: str, name: str = "1", **payload: Any) -> None:
    await say(socket, type="subscribe", id=name, payload={"query": query, **payload})


async def closing_code(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_a_subscription_is_told_to_its_end(url: str) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await greet(socket)
        await subscribe(socket, "subscription($to: Int!) { count(to: $to) }", variables={"to": 2})
        assert [await hear(socket) for _ in range(3)] == [
            {"id": "1", "type": "next", "payload": {"data": {"count": 1}}},
            {"id": "1", "type": "next", "payload": {"data": {"count": 2}}},
            {"id": "1", "type": "complete"},
        ]


async def test_queries_and_mutations_go_over_the_socket_too(url: str) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await greet(socket)
        await subscribe(socket, "mutation { change }")
        assert (await hear(socket))["payload"]["data"] == {"change": True}


async def test_a_subscription_is_ended_by_the_client_and_its_id_is_free_again(url: str) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await greet(socket)
        for _ in range(2):
            await subscribe(socket, "subscription { forever }")
            assert (await hear(socket))["payload"]["data"] == {"forever": "guest"}
            await say(socket, type="complete", id="1")


async def test_a_ping_is_echoed(url: str) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await say(socket, type="ping", payload={"at": 7})
        assert await hear(socket) == {"type": "pong", "payload": {"at": 7}}
        await say(socket, type="ping")
        assert await hear(socket) == {"type": "pong"}


@pytest.mark.parametrize("protocols", [["graphql-ws"], []])
async def test_no_other_protocol_is_spoken(url: str, protocols: list[str]) -> None:
    async with connect(url, subprotocols=[Subprotocol(name) for name in protocols] or None) as socket:
        assert await closing_code(socket) == 4406


@pytest.mark.parametrize(
    "frame",
    ["7", "null", "[]", '"x"', "{", "{}", "[" * 5_000, b"\x00", '{"type":7}', '{"type":"what"}', '{"type":"complete"}',
     '{"type":"connection_init","payload":7}', '{"type":"ping","payload":[]}', '{"type":"subscribe","id":"1"}',
     '{"type":"subscribe","id":"1","payload":{}}', '{"type":"subscribe","payload":{"query":"{hello}"}}',
     '{"type":"subscribe","id":"","payload":{"query":"{hello}"}}',
     '{"type":"subscribe","id":7,"payload":{"query":"{hello}"}}',
     '{"type":"subscribe","id":"1","payload":{"query":"{hello}","variables":[]}}'],
)  # fmt: skip
async def test_a_malformed_message_closes_with_4400(url: str, frame: str | bytes) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await greet(socket)
        await socket.send(frame)
        assert await closing_code(socket) == 4400


async def test_nothing_is_run_before_the_greeting_and_nobody_is_greeted_twice(url: str) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await subscribe(socket, "{ hello }")
        assert await closing_code(socket) == 4401
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await greet(socket)
        await say(socket, type="connection_init")
        assert await closing_code(socket) == 4429


async def test_who_never_greets_is_shown_out(url: str) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        assert await closing_code(socket) == 4408


async def test_one_id_has_one_subscription(url: str) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await greet(socket)
        await subscribe(socket, "subscription { forever }")
        await hear(socket)
        await subscribe(socket, "subscription { forever }")
        assert await closing_code(socket) == 4409


async def test_credentials_come_with_the_greeting(url: str) -> None:
    token, _ = tokens.issue(Keyring(SECRETS), user_id=UUID(int=7), session_id=UUID(int=8), role="CUSTOMER")
    for name in ("authorization", "Authorization"):
        async with connect(url, subprotocols=[PROTOCOL]) as socket:
            await greet(socket, payload={name: f"Bearer {token}"})
            await subscribe(socket, "{ who }")
            assert (await hear(socket))["payload"]["data"] == {"who": f"user:{UUID(int=7)}"}


@pytest.mark.parametrize("credential", ["Bearer x", "", 7, ["Bearer"]])
async def test_bad_credentials_close_with_4403(url: str, credential: object) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await say(socket, type="connection_init", payload={"authorization": credential})
        assert await closing_code(socket) == 4403


async def test_a_token_that_ends_while_the_socket_is_open_is_refused_from_then_on(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, ends_at = tokens.issue(Keyring(SECRETS), user_id=UUID(int=7), session_id=UUID(int=8), role="CUSTOMER")
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await greet(socket, payload={"authorization": f"Bearer {token}"})
        monkeypatch.setattr("core.clock.now", lambda: ends_at)
        await subscribe(socket, "{ who }")
        message = await hear(socket)
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ again " * 600 + "{ hello }" + " }" * 600, "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription A { forever } subscription B { forever }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Query { hello }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription($to: Int!) { count(to: $to) }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_wrong_document_ends_its_operation_and_not_the_socket(url: str, query: str, code: str) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await greet(socket)
        await subscribe(socket, query)
        message = await hear(socket)
        assert (message["id"], message["type"]) == ("1", "error")
        assert {error["extensions"]["code"] for error in message["payload"]} == {code}
        await subscribe(socket, "{ hello }")
        assert (await hear(socket))["payload"]["data"] == {"hello": "hello world"}


async def test_a_refusal_is_told_and_a_fault_is_not(url: str) -> None:
    async with connect(url, subprotocols=[PROTOCOL], additional_headers={"X-Request-Id": "trip-8"}) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-request-id"] == "trip-8"
        await greet(socket)
        await subscribe(socket, "subscription { refused }", "refused")
        refused = await hear(socket)
        ended = await hear(socket)
        await subscribe(socket, "subscription { breaks }", "breaks")
        one, broken = await hear(socket), await hear(socket)
    (refusal,), (fault,) = refused["payload"]["errors"], broken["payload"]["errors"]
    assert (refusal["message"], refusal["extensions"]) == (
        "No such flight.",
        {"code": "INVALID_INPUT", "field": "flightIds"},
    )
    assert ended == {"id": "refused", "type": "complete"}
    assert one["payload"] == {"data": {"breaks": 1}}
    assert (fault["message"], fault["extensions"]) == ("Internal error", {"code": "INTERNAL", "requestId": "trip-8"})
    assert SECRET not in json.dumps(broken)


async def test_pages_of_other_origins_open_no_socket(url: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, subprotocols=[PROTOCOL], origin=Origin("https://elsewhere.example"))
    assert refused.value.response.status_code == 403


async def test_a_large_message_closes_with_1009(url: str) -> None:
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await greet(socket)
        await socket.send("x" * 300_000)
        assert await closing_code(socket) == 1009


async def test_clients_that_vanish_leave_nothing_open_and_are_no_fault(url: str) -> None:
    before = await counted(url)
    for _ in range(5):
        socket = await connect(url, subprotocols=[PROTOCOL])
        await greet(socket)
        for name in ("1", "2"):
            await subscribe(socket, "subscription { forever }", name)
            await hear(socket)
        socket.transport.abort()

    async def as_before() -> bool:
        return await counted(url) == before

    await eventually(as_before)


async def counted(url: str) -> list[str]:
    """The lines of /metrics on open operations and faults."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(url.replace("ws", "http", 1).replace("/graphql", "/metrics"))).text
    names = ("jetway_websocket_operations ", "jetway_unexpected_errors_total ")
    return [line for line in text.splitlines() if line.startswith(names)]
