"""Bodies and URLs of every kind: never a fault, always JSON in which every error has a code."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from engine.http import Options
from tests.engine.http.asking import EVENTS, JSON, RESPONSE
from tests.engine.http.toy import Toy, toy

STATUSES = {200, 400, 401, 405, 406, 413, 414, 415}
MANY = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])

DOCUMENTS = [
    "{ hello }", "{ hello(name: 7) }", "query Q($a: String) { hello(name: $a) }", "{", "", "mutation { change }",
    "subscription { count { number } }", "{ __typename }", "query A { hello } query B { who }", "{ ...F }",
    "query($a: Int!) { hello }", "mutation M($a: Int!) { change(by: $a) }", "{ a: hello b: fault c: strictFault }",
    "fragment F on Query { ...F } { ...F }", '{ hello(name: "\\u{110000}") }', '{ hello(name: """x""") }',
]  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.integers(min_value=2**60, max_value=2**70)
)
values = st.recursive(
    scalars, lambda more: st.lists(more, max_size=4) | st.dictionaries(st.text(), more, max_size=4), max_leaves=10
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "query": st.sampled_from(DOCUMENTS) | st.text() | values,
        "variables": st.dictionaries(st.sampled_from(["a", "b"]) | st.text(), values, max_size=3) | values,
        "operationName": st.sampled_from(["A", "B", "Q"]) | values,
        "extensions": st.fixed_dictionaries({"persistedQuery": values}) | values,
        "documentId": values,
        "other": values,
    },
)


def damaged(content: bytes, damage: list[tuple[int, bytes]]) -> bytes:
    """The content with some bytes in the place of others."""
    for place, piece in damage:
        at = place % (len(content) + 1)
        content = content[:at] + piece + content[at + len(piece) :]
    return content


bodies = st.one_of(
    st.binary(max_size=300),
    (requests | values | st.lists(requests, max_size=3)).map(lambda data: json.dumps(data).encode()),
    (requests | values).map(lambda data: json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.builds(
        damaged,
        requests.map(lambda data: json.dumps(data).encode()),
        st.lists(st.tuples(st.integers(min_value=0), st.binary(min_size=1, max_size=3)), min_size=1, max_size=4),
    ),
    st.builds(lambda opening, depth: opening * depth, st.sampled_from([b"[", b'{"variables":', b'[{"a":']),
              st.integers(1, 3_000)),
)  # fmt: skip
headers = st.fixed_dictionaries(
    {
        "content-type": st.sampled_from([JSON, JSON, JSON, "application/json;charset=x", "text/plain"]),
        "accept": st.sampled_from([RESPONSE, JSON, EVENTS, "*/*", "text/html", f"{JSON}, {EVENTS}"])
        | st.text("a/*;q=0.,"),
    },
    optional={
        "last-event-id": st.text(st.characters(codec="latin-1")),
        "content-encoding": st.sampled_from(["gzip", "x"]),
    },
)


async def ask(standing: Toy, method: str, content: bytes, wanted: dict[str, str]) -> tuple[Message, bytes]:
    """The start and the body of the answer to a request."""
    scope = {
        "type": "http",
        "method": method,
        "path": "/graphql",
        "query_string": content if method == "GET" else b"",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in wanted.items()],
    }
    incoming: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop() if incoming else await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    await standing.app(scope, receive, send)
    return sent[0], b"".join(message.get("body", b"") for message in sent[1:])


def check(start: Message, body: bytes) -> None:
    """That the answer is one that a client can read."""
    assert start["status"] in STATUSES
    kind = dict(start["headers"])[b"content-type"]
    if kind.startswith(EVENTS.encode()):
        parts = [block.split(b"data: ", 1)[1].split(b"\n")[0] for block in body.split(b"\n\n") if b"data: " in block]
        assert body.endswith(b"event: complete\ndata:\n\n")
        answers = [orjson.loads(part) for part in parts]
    else:
        data = orjson.loads(body)
        answers = data if isinstance(data, list) else [data]
    assert answers
    for answer in answers:
        check_answer(answer)


def check_answer(answer: dict[str, Any]) -> None:
    """That every error has a message and a code, and that there is data or an error."""
    assert set(answer) <= {"data", "errors", "extensions"}
    assert "data" in answer or answer["errors"]
    for error in answer.get("errors", ()):
        assert error["message"]
        assert error["extensions"]["code"]
        assert error["extensions"]["code"] != "INTERNAL" or error["path"]


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for all of them."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def toys() -> dict[int, Toy]:
    """Transports, by how many operations they take in a batch."""
    return {most: toy(options=Options(batch=most)) for most in (0, 2)}


@MANY
@given(content=bodies, wanted=headers, batch=st.sampled_from([0, 2]))
def test_a_post_of_anything(
    runner: asyncio.Runner, toys: dict[int, Toy], content: bytes, wanted: dict[str, str], batch: int
) -> None:
    sent = gzip.compress(content, 1) if wanted.get("content-encoding") == "gzip" else content
    check(*runner.run(ask(toys[batch], "POST", sent, wanted)))


@MANY
@given(
    content=st.binary(max_size=200).map(lambda content: content.replace(b"#", b""))
    | st.lists(
        st.tuples(
            st.sampled_from([b"query", b"variables", b"operationName", b"extensions", b"documentId", b"x"]),
            st.sampled_from(
                [b"%7Bhello%7D", b"{hello}", b"%00", b"%ff", b"{}", b"[]", b"", b"A", b"%", b"+", b"1e400"]
            ),
        ),
        max_size=4,
    ).map(lambda pairs: b"&".join(b"=".join(pair) for pair in pairs)),
    wanted=headers,
)
def test_a_get_of_anything(
    runner: asyncio.Runner, toys: dict[int, Toy], content: bytes, wanted: dict[str, str]
) -> None:
    check(*runner.run(ask(toys[0], "GET", content, wanted)))
