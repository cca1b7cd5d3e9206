"""Where a response cache fits in, and ETags of what is asked for by GET."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from starlette.requests import HTTPConnection

from engine.http import Raw, Stored
from engine.operations import Answer, Asked, Engine, Prepared, name_of
from tests.engine.http.asking import greeted
from tests.engine.http.toy import served, toy

GREET = {"query": "{ hello }"}


@dataclass
class Memory:
    """Keeps everything for ever, which no real cache may."""

    kept: dict[Raw, Stored] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)
    senders: list[tuple[bytes | str, ...]] = field(default_factory=list)

    def find(self, raw: Raw) -> Stored | None:
        return self.kept.get(raw)

    async def answer(
        self, raw: Raw, prepared: Prepared, context: Any, execute: Callable[[Any], Awaitable[Answer]]
    ) -> Stored | None:
        self.executed.append(context["who"])
        answer = await execute(context)
        body = answer.encode()
        stored = Stored(body, f'"{len(body)}"', "private, max-age=5", None, name_of(prepared.operation))
        if not answer.errors:
            self.kept[raw] = stored
        return stored

    def wrote(self, raw: Raw) -> None:
        self.written.append(raw.content)
        self.senders.append(raw.senders)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def url(memory: Memory) -> Iterator[str]:
    with served(toy(cache=memory).app) as url:
        yield url


def test_a_query_is_executed_once_for_equal_requests(url: str, memory: Memory) -> None:
    for _ in range(3):
        greeted(httpx.post(url, json=GREET))
        greeted(httpx.get(url, params=GREET))
    assert memory.executed == ["guest", "guest"]
    for who in ("ada", "bob", "ada"):
        answer = httpx.post(url, json={"query": "{ who }"}, headers={"authorization": f"Bearer good-{who}"})
        assert answer.json() == {"data": {"who": who}}
    assert memory.executed == ["guest", "guest", "ada", "bob"]


def test_mutations_and_refused_documents_pass_the_cache_by(url: str, memory: Memory) -> None:
    told = [httpx.post(url, json={"query": "mutation { change }"}).json()["data"]["change"] for _ in range(2)]
    httpx.post(url, json={"query": "{ nothing }"})
    assert (told, memory.executed, memory.kept) == ([1, 2], [], {})
    assert memory.written == [b'{"query":"mutation { change }"}'] * 2


def test_what_was_kept_is_counted_and_has_no_time(memory: Memory) -> None:
    standing = toy(cache=memory)
    told: list[tuple[str, str, bool]] = []

    def observe(operation: str, outcome: str, seconds: float | None) -> None:
        told.append((operation, outcome, seconds is not None))

    standing.app.engine.observers = (observe,)
    with served(standing.app) as url:
        for _ in range(3):
            greeted(httpx.post(url, json=GREET))
    assert told == [("query.hello", "ok", True), ("query.hello", "ok", False), ("query.hello", "ok", False)]


def test_headers_for_keeping_go_with_a_get_alone(url: str) -> None:
    for _ in range(2):
        got = httpx.get(url, params=GREET)
        greeted(got)
        assert (got.headers["etag"], got.headers["cache-control"]) == ('"32"', "private, max-age=5")
        assert got.headers["vary"] == "Accept, Authorization"
        posted = httpx.post(url, json=GREET)
        assert ("etag" in posted.headers, posted.headers["cache-control"]) == (False, "no-store")


@pytest.mark.parametrize(
    ("known", "status"), [('"32"', 304), ('W/"32"', 304), ('"1", "32"', 304), ("*", 304), ('"31"', 200), ("32", 200)]
)
def test_a_client_that_has_the_answer_is_told_so(url: str, known: str, status: int) -> None:
    answer = httpx.get(url, headers={"if-none-match": known}, params=GREET)
    assert (answer.status_code, answer.headers["etag"]) == (status, '"32"')
    if status == 304:
        assert answer.content == b""
        assert "content-type" not in answer.headers


def test_a_persisted_document_has_an_etag_without_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    standing = toy()
    prepare = Engine.prepare

    async def persisted(engine: Engine, asked: Asked, **more: Any) -> Prepared:
        return replace(await prepare(engine, asked, **more), persisted=True)

    monkeypatch.setattr(Engine, "prepare", persisted)
    with served(standing.app) as url:
        first = httpx.get(url, params=GREET)
        greeted(first)
        assert first.headers["cache-control"] == "private, no-cache"
        again = httpx.get(url, headers={"if-none-match": first.headers["etag"]}, params=GREET)
        assert (again.status_code, again.content) == (304, b"")
        failed = httpx.get(url, params={"query": "{ hello fault }"})
        assert ("etag" in failed.headers, failed.headers["cache-control"]) == (False, "no-store")


def test_who_wrote_by_another_way_is_known_by_address_and_credentials(memory: Memory) -> None:
    app = toy(cache=memory).app
    headers = [(b"x-forwarded-for", b"10.1.2.3")]
    scope: dict[str, Any] = {"type": "websocket", "client": ("127.0.0.1", 7), "headers": headers}
    app.wrote(HTTPConnection(scope), "Bearer good-ada")
    app.wrote(HTTPConnection({**scope, "headers": []}), None)
    assert memory.senders == [("10.1.2.3", b"Bearer good-ada"), ("127.0.0.1",)]
