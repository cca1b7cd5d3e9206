"""Frames of every kind: answered, or closed with a code and a reason, never without; and the server goes on serving."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.engine.websockets.raw import frame, raw, said
from tests.engine.websockets.talk import greet, opened, still_serves, until_empty
from tests.engine.websockets.toy import Serving, served, toy

CODES = {1009, 4400, 4401, 4403, 4409, 4413, 4429}
MANY = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))

DOCUMENTS = [
    "{ hello }", "{ hello(name: 7) }", "query Q($a: String) { hello(name: $a) }", "{", "", "mutation { change }",
    "subscription { count { number } }", "subscription { forever }", "subscription { refused }",
    "subscription { breaks }", "subscription { flood }", "query A { hello } query B { who }", "{ ...F }",
    "{ fault strictFault }", "fragment F on Query { ...F } { ...F }",
]  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda more: st.lists(more, max_size=3) | st.dictionaries(st.text(), more, max_size=3),
    max_leaves=8,
)
ids = st.sampled_from(["1", "2"]) | values
kinds = st.sampled_from(["connection_init", "ping", "pong", "subscribe", "subscribe", "subscribe", "complete"])
payloads = st.fixed_dictionaries(
    {"query": st.sampled_from(DOCUMENTS) | values},
    optional={
        "variables": st.dictionaries(st.sampled_from(["a", "to"]), values) | values,
        "operationName": st.sampled_from(["A", "Q"]) | values,
        "extensions": st.fixed_dictionaries({"persistedQuery": values}) | values,
        "documentId": values,
        "authorization": st.sampled_from(["Bearer good-ada", "Bearer bad"]) | values,
    },
)
good = st.builds(
    lambda name, query: {"type": "subscribe", "id": name, "payload": {"query": query}},
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(DOCUMENTS),
)
odd = st.fixed_dictionaries({"type": kinds | values}, optional={"id": ids, "payload": payloads | values})
texts = st.one_of(
    (good | odd | values).map(json.dumps),
    st.text(),
    st.sampled_from(["", "[" * 3_000, '{"type":' * 3_000, "x" * 300_000, '{"type":"ping","type":"pong"}']),
)
frames = st.lists(texts | texts | st.binary(max_size=50), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """A server without bounds that a fuzz would come to."""
    with served(toy(init_seconds=60.0, closing_seconds=60.0)) as serving:
        yield serving


async def send_all(socket: ClientConnection, every: list[str | bytes]) -> None:
    """Send the frames, then ask for a sign of life, and hear it, or why there is none."""
    try:
        for one in every:
            await socket.send(one)
        await socket.send('{"type":"ping","payload":{"are you":"there"}}')
        while (text := await socket.recv()) != '{"type":"pong","payload":{"are you":"there"}}':
            check(str(text))
    except ConnectionClosed as closed:
        ending = closed.rcvd
    else:
        return
    assert ending is not None
    assert ending.code in CODES
    assert ending.reason


def check(text: str) -> None:
    """That a message is one of the protocol, and that its errors have codes."""
    message = json.loads(text)
    kind = message["type"]
    assert set(message) <= {"id", "type", "payload"}
    assert kind in ("connection_ack", "pong", "next", "error", "complete")
    errors = message["payload"] if kind == "error" else (message.get("payload") or {}).get("errors") or []
    if kind != "pong":
        assert all(error["message"] and error["extensions"]["code"] for error in errors)


@MANY
@given(every=frames, greeted=st.booleans())
def test_any_message(serving: Serving, every: list[str | bytes], greeted: bool) -> None:
    async def run() -> None:
        async with opened(serving) as socket:
            if greeted:
                await greet(socket)
            await send_all(socket, every)

    asyncio.run(run())


@MANY
@given(
    pieces=st.lists(
        st.binary(max_size=40)
        | st.builds(frame, st.binary(max_size=200), st.integers(0, 255))
        | odd.map(lambda message: frame(json.dumps(message).encode()[:60_000])),
        min_size=1,
        max_size=6,
    )
)
def test_any_bytes(serving: Serving, pieces: list[bytes]) -> None:
    """Bytes that may be no frames at all; the connection ends with a closing frame, or as the client ends it."""

    async def run() -> None:
        async with raw(serving) as client:
            client.send(said(type="connection_init"))
            assert await client.hear() == {"type": "connection_ack"}
            client.send(b"".join(pieces))
            client.writer.write_eof()
            with suppress(asyncio.IncompleteReadError):
                await client.ending()  # with our code, or with the one that these bytes happened to say

    asyncio.run(run())


async def test_afterwards_it_serves_as_before(serving: Serving) -> None:
    await until_empty(serving.standing)
    async with opened(serving) as socket:
        await greet(socket)
        await still_serves(socket)
    assert [fault for fault in serving.standing.watch.faults if type(fault) is not RuntimeError] == []
