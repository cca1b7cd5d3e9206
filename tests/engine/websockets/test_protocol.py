"""The protocol by its own words: every message, every code, and that an operation's end is not the socket's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.websockets.raw import raw, said
from tests.engine.websockets.talk import answers, closing, greet, hear, opened, refused, say, still_serves, subscribe
from tests.engine.websockets.toy import Serving, Toy, served, toy
from tests.fakes.waiting import eventually

FOREVER = "subscription { forever }"


async def test_a_query_a_mutation_and_a_subscription(serving: Serving) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        await subscribe(socket, "query Q($name: String!) { hello(name: $name) }", variables={"name": "Ada"})
        assert [answer["data"] for answer in await answers(socket)] == [{"hello": "hello Ada"}]
        await subscribe(socket, "mutation A { change(by: 2) } mutation B { change(by: 3) }", operationName="B")
        assert (await answers(socket))[0]["data"]["change"] == 3
        await subscribe(socket, "subscription { count(to: 2) { number } }")
        assert await answers(socket) == [{"data": {"count": {"number": number}}} for number in (1, 2)]


async def test_operations_are_told_side_by_side(serving: Serving) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        for name in ("a", 'b"\\', "ü"):
            await subscribe(socket, FOREVER, name)
            message = await hear(socket)
            assert message == {"id": name, "type": "next", "payload": {"data": {"forever": 1}}}
        await still_serves(socket)


async def test_what_fails_while_executing_is_told_in_next(serving: Serving) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        await subscribe(socket, "{ hello refusal }")
        (answer,) = await answers(socket)
        assert answer["data"] == {"hello": "hello world", "refusal": None}
        assert answer["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
        await subscribe(socket, "subscription { breaks }")
        one, broken = await answers(socket)
        assert one == {"data": {"breaks": 1}}
        assert broken["errors"][0]["message"] == "Internal error"
        assert broken["errors"][0]["extensions"] == {"code": "INTERNAL", "requestId": "trip-7"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "BAD_REQUEST"),
        ("{ again " * 600 + "{ hello }" + " }" * 600, None),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription A { forever } subscription B { forever }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Query { hello }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($name: String!) { hello(name: $name) }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { refused }", "NOT_FOUND"),
        ('{ hello(name: "\0") }', "BAD_REQUEST"),
    ],
)
async def test_what_is_refused_ends_with_error_and_the_socket_goes_on(
    serving: Serving, query: str, code: str | None
) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        await subscribe(socket, query)
        found, _ = await refused(socket)
        assert code in (None, found)
        await still_serves(socket)


@pytest.mark.parametrize(
    "payload",
    [
        '{"query":"{hello}","variables":{"name":123456789012345678901234567890}}',
        '{"query":"{hello}","variables":{"name":"\\u0000"}}',
        '{"query":"{hello}","query":"{hello}"}',
    ],
)
async def test_what_others_would_understand_otherwise_is_refused(serving: Serving, payload: str) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        await socket.send('{"type":"subscribe","id":"1","payload":' + payload + "}")
        assert (await refused(socket))[0] == "BAD_REQUEST"
        await still_serves(socket)


async def test_a_client_leaves_an_operation_and_its_id_is_free(serving: Serving, standing: Toy) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        before = standing.watch.closed
        for _ in range(3):
            await subscribe(socket, FOREVER)
            assert (await hear(socket))["payload"] == {"data": {"forever": 1}}
            await say(socket, type="complete", id="1")

        async def are_closed() -> bool:
            return standing.watch.closed == before + 3

        await eventually(are_closed)
        await still_serves(socket)


async def test_an_id_is_free_as_soon_as_its_end_is_told(serving: Serving) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        for query in ["{ hello }", "{ nothing }", "subscription { count(to: 1) { number } }"] * 20:
            await subscribe(socket, query)
            await answers(socket)


async def test_what_the_client_left_is_not_answered(serving: Serving) -> None:
    async with raw(serving) as client:
        client.send(said(type="connection_init"))
        await client.hear()
        asking = said(type="subscribe", id="1", payload={"query": "{ hello }"})
        client.send(asking + said(type="complete", id="1") + said(type="complete", id="nobody") + said(type="ping"))
        assert await client.hear() == {"type": "pong"}
        client.send(asking)
        assert (await client.hear())["payload"]["data"] == {"hello": "hello world"}


@pytest.mark.parametrize("greeted", [True, False])
@pytest.mark.parametrize("payload", [{}, {"payload": {"at": [1, None]}}, {"payload": {}}])
async def test_a_ping_is_echoed_at_any_time(serving: Serving, greeted: bool, payload: dict[str, Any]) -> None:
    async with opened(serving) as socket:
        if greeted:
            await greet(socket)
        await say(socket, type="pong", **payload)
        await say(socket, type="ping", **payload)
        assert await hear(socket) == {"type": "pong", **payload}


async def test_null_is_no_payload(serving: Serving) -> None:
    async with opened(serving) as socket:
        await greet(socket, payload=None)
        await say(socket, type="pong", payload=None)
        await say(socket, type="ping", payload=None)
        assert await hear(socket) == {"type": "pong"}
        await subscribe(socket, "{ hello }", variables=None, operationName=None, extensions=None)
        assert (await answers(socket))[0]["data"] == {"hello": "hello world"}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("", "The message is not JSON"),
        ("{", "The message is not JSON"),
        ("NaN", "The message is not JSON"),
        ('"\\ud800"', "The message is not JSON"),
        ("[" * 5_000, "The message is not JSON"),
        ('{"type":"ping","payload":{"a":' + "[" * 5_000, "The message is not JSON"),
        ("7", "A message is a JSON object"),
        ("null", "A message is a JSON object"),
        ("[]", "A message is a JSON object"),
        ('"x"', "A message is a JSON object"),
        ("{}", "A message has a `type`"),
        ('{"type":7}', "A message has a `type`"),
        ('{"type":["ping"]}', "A message has a `type`"),
        ('{"type":"what"}', "A message has a `type`"),
        ('{"type":"connection_ack"}', "A message has a `type`"),
        ('{"type":"next","id":"1","payload":{}}', "A message has a `type`"),
        ('{"type":"error","id":"1","payload":[]}', "A message has a `type`"),
        ('{"type":"start","id":"1","payload":{}}', "A message has a `type`"),
        (b'{"type":"ping"}', "Messages are text frames"),
        (b"\x00", "Messages are text frames"),
        ('{"type":"connection_init","payload":7}', "The payload of connection_init is not an object"),
        ('{"type":"ping","payload":[]}', "The payload of ping is not an object"),
        ('{"type":"pong","payload":"x"}', "The payload of pong is not an object"),
        ('{"type":"complete"}', "complete needs an `id`"),
        ('{"type":"complete","id":7}', "complete needs an `id`"),
        ('{"type":"subscribe","payload":{"query":"{hello}"}}', "subscribe needs an `id`"),
        ('{"type":"subscribe","id":"","payload":{"query":"{hello}"}}', "subscribe needs an `id`"),
        ('{"type":"subscribe","id":7,"payload":{"query":"{hello}"}}', "subscribe needs an `id`"),
        ('{"type":"subscribe","id":"' + "x" * 257 + '","payload":{"query":"{hello}"}}', "subscribe needs an `id`"),
        ('{"type":"subscribe","id":"1"}', "subscribe needs a `payload`"),
        ('{"type":"subscribe","id":"1","payload":null}', "subscribe needs a `payload`"),
        ('{"type":"subscribe","id":"1","payload":["{hello}"]}', "subscribe needs a `payload`"),
        ('{"type":"subscribe","id":"1","payload":{}}', "`query` is not a string"),
        ('{"type":"subscribe","id":"1","payload":{"query":7}}', "`query` is not a string"),
        ('{"type":"subscribe","id":"1","payload":{"query":"{hello}","variables":[]}}', "`variables` is not an object"),
        ('{"type":"subscribe","id":"1","payload":{"query":"{hello}","operationName":1}}', "`operationName` is not"),
        ('{"type":"subscribe","id":"1","payload":{"query":"{hello}","extensions":""}}', "`extensions` is not an"),
        ('{"type":"subscribe","id":"1","payload":{"documentId":1}}', "`documentId` is not a string"),
    ],
)
@pytest.mark.parametrize("greeted", [True, False])
async def test_a_malformed_message_closes_with_4400(
    serving: Serving, frame: str | bytes, reason: str, greeted: bool
) -> None:
    async with opened(serving) as socket:
        if greeted:
            await greet(socket)
        await socket.send(frame)
        code, said = await closing(socket)
        assert code == 4400
        assert said.startswith(reason)
        assert len(said.encode()) <= 123


async def test_nothing_is_run_before_the_greeting(serving: Serving, standing: Toy) -> None:
    before = standing.watch.changes
    async with opened(serving) as socket:
        await subscribe(socket, "mutation { change }")
        assert await closing(socket) == (4401, "Unauthorized")
    assert standing.watch.changes == before


async def test_nobody_is_greeted_twice(serving: Serving) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        await say(socket, type="connection_init")
        assert await closing(socket) == (4429, "Too many initialisation requests")


async def test_who_never_greets_is_shown_out() -> None:
    with served(toy(init_seconds=0.05)) as serving:
        async with opened(serving) as socket:
            assert await closing(socket) == (4408, "Connection initialisation timeout")


async def test_who_greets_may_be_silent_afterwards() -> None:
    standing = toy(init_seconds=60.0)
    with served(standing) as serving:
        async with opened(serving) as socket:
            await greet(socket)
            (one,) = standing.app.census.sockets
            assert one._timer is None


@pytest.mark.parametrize("name", ["1", "ü" * 200])
async def test_one_id_has_one_operation(serving: Serving, name: str) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        await subscribe(socket, FOREVER, name)
        await hear(socket)
        await subscribe(socket, "{ hello }", name)
        code, reason = await closing(socket)
        assert code == 4409
        assert reason == f"Subscriber for {name} already exists".encode()[:123].decode(errors="ignore")
