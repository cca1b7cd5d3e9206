"""The lane beside uvicorn's own way: the same bytes, and nothing else that the server does is any different."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn

from engine.http import Lane, Options, lane_protocol
from engine.surroundings import Surroundings, browser_headers
from tests.engine.caching.shop import Shop

LINE = "\r\n"
POLICY = "default-src 'self'"
MOTTO = b'{"query":"{ motto }"}'
OWN = re.compile(rb"x-request-id: [0-9a-f]{32}\r\n|date: [^\r]*\r\n|age: \d+\r\n")


@dataclass
class Standing:
    """A shop behind uvicorn with a lane, and what was seen of each request."""

    shop: Shop
    port: int = 0
    lines: list[tuple[Any, ...]] = field(default_factory=list)
    by_lane: list[str] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    bound: list[str] = field(default_factory=list)
    open: list[Line] = field(default_factory=list)

    def line(self) -> Line:
        """A new connection, which is closed in the end."""
        self.open.append(Line(self.port))
        return self.open[-1]

    def lane(self) -> Lane:
        """The lane, whose lines are written down apart as well."""

        def write(*line: Any) -> None:
            self.by_lane.append(line[0])
            self.lines.append(line)

        headers = browser_headers(POLICY)
        return Lane(
            self.shop.http,
            path="/graphql",
            headers=headers,
            bind=self.bound.append,
            write=write,
            unexpected=self.faults.append,
        )


@contextmanager
def standing(**shop: Any) -> Iterator[Standing]:
    """Serve it on a port of its own, in a thread."""
    one = Standing(Shop(**shop))
    lane = one.lane()
    app = Surroundings(
        one.shop.http,
        bind=one.bound.append,
        write=lambda *line: one.lines.append(line),
        unexpected=one.faults.append,
        policy=POLICY,
        policies={},
    )
    config = uvicorn.Config(app, http=lane_protocol(lambda: lane), lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        one.port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield one
        finally:
            for line in one.open:
                line.socket.close()
            server.should_exit = True
            thread.join()
    assert one.faults == []


@pytest.fixture
def one() -> Iterator[Standing]:
    with standing() as one:
        yield one


def request(*headers: str, body: bytes = MOTTO, method: str = "POST", target: str = "/graphql") -> bytes:
    """A request as it goes over the wire."""
    every = ["host: x", *headers]
    if method == "POST":
        every += ["content-type: application/json", f"content-length: {len(body)}"]
    return f"{method} {target} HTTP/1.1\r\n{LINE.join(every)}\r\n\r\n".encode() + (body if method == "POST" else b"")


class Line:
    """One connection, by hand."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.left = b""

    def send(self, data: bytes) -> None:
        """Write."""
        self.socket.sendall(data)

    def answer(self) -> tuple[bytes, bytes]:
        """The head and the body of the next answer."""
        while b"\r\n\r\n" not in self.left:
            self._read()
        head, _, self.left = self.left.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        wanted = int(length[1]) if length else 0
        while len(self.left) < wanted:
            self._read()
        body, self.left = self.left[:wanted], self.left[wanted:]
        return head + b"\r\n", body

    def ask(self, data: bytes) -> tuple[bytes, bytes]:
        """The answer to a request."""
        self.send(data)
        return self.answer()

    def _read(self) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise EOFError
        self.left += data


def alike(answer: tuple[bytes, bytes]) -> tuple[list[bytes], bytes]:
    """An answer without what is each one's own, its headers in no order."""
    return sorted(OWN.sub(b"", answer[0]).splitlines()), answer[1]


@pytest.mark.parametrize(
    "data",
    [
        request(),
        request("accept: application/graphql-response+json"),
        request("accept: */*", "authorization: Bearer guest-7", "cookie: a=b"),
        request("x-request-id: trip-7"),
        request(method="GET", target="/graphql?query=%7Bmotto%7D"),
        request('if-none-match: "x"', method="GET", target="/graphql?query=%7Bmotto%7D"),
        request("if-none-match: *", method="GET", target="/graphql?query=%7Bmotto%7D"),
        request(body=b'{"query":"{ things }"}'),
    ],
)
def test_a_repeated_request_gets_the_same_bytes(one: Standing, data: bytes) -> None:
    line = one.line()
    first = line.ask(data)
    assert one.by_lane == []
    for count in range(1, 4):
        assert alike(line.ask(data)) == alike(first)
        assert len(one.by_lane) == count
    assert len(one.shop.executed) == 1
    assert {line[:4] for line in one.lines} in (
        {(data[:4].strip().decode(), "/graphql", route, status) for route in ("none", "/graphql")}
        for status in (200, 304)
    )


def test_every_answer_has_an_id_of_its_own_and_is_bound_to_it(one: Standing) -> None:
    line = one.line()
    heads = [line.ask(request())[0] for _ in range(3)]
    ids = [re.search(rb"x-request-id: ([0-9a-f]{32})\r\n", head) for head in heads]
    assert [found and found[1].decode() for found in ids] == one.bound
    assert len(set(one.bound)) == 3


@pytest.mark.parametrize(
    "data",
    [
        request("cache-control: no-cache"),
        request("accept: text/event-stream"),
        request("accept: image/png"),
        request("expect: 100-continue"),
        request("content-encoding: identity"),
        request("x-a: 1", "x-a: 2"),
        request("connection: close"),
        request().replace(b"application/json", b"text/plain"),
        request().replace(b"POST", b"PUT", 1),
        request().replace(b"/graphql", b"/other"),
        request().replace(b"HTTP/1.1", b"HTTP/1.0"),
        request(body=b'{"query":"{ motto }", "x":"' + b"x" * 20_000 + b'"}'),
    ],
)
def test_what_is_not_plainly_a_repeated_request_goes_the_usual_way(one: Standing, data: bytes) -> None:
    first = alike(one.line().ask(data))
    one.line().ask(request())
    one.by_lane.clear()
    assert alike(one.line().ask(data)) == first
    assert one.by_lane == []


def test_a_body_that_comes_in_parts_is_the_applications(one: Standing) -> None:
    line = one.line()
    line.ask(request())
    data = request()
    for cut in (len(data) - 5, len(data) - len(MOTTO), 30):
        line.send(data[:cut])
        time.sleep(0.05)
        assert line.ask(data[cut:])[1] == b'{"data":{"motto":"all is well"}}'
    assert line.ask(data)[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert one.shop.executed == ["motto"]


def test_answers_come_in_the_order_of_the_requests(one: Standing) -> None:
    line = one.line()
    things, price = b'{"query":"{ things }"}', b'{"query":"{ price(of: {name: \\"hat\\"}) }"}'
    line.ask(request())
    line.ask(request(body=things))
    line.send(request() + request(body=price) + request(body=things) + request() + request(body=b"{"))
    bodies = [line.answer()[1] for _ in range(5)]
    assert bodies[:4] == [
        b'{"data":{"motto":"all is well"}}',
        b'{"data":{"price":100}}',
        b'{"data":{"things":10}}',
        b'{"data":{"motto":"all is well"}}',
    ]
    assert b'"errors"' in bodies[4]


def test_whoever_reads_slowly_gets_everything(one: Standing) -> None:
    line = one.line()
    fields = "".join(f"f{number}: motto " for number in range(20))
    body = f'{{"query":"{{ {fields}}}"}}'.encode()
    answer = line.ask(request(body=body))[1]
    count = 3_000
    sending = threading.Thread(target=line.send, args=(request(body=body) * count,))
    sending.start()
    time.sleep(0.2)
    assert [line.answer()[1] for _ in range(count)] == [answer] * count
    sending.join()


def test_a_client_that_leaves_disturbs_nobody(one: Standing) -> None:
    one.line().ask(request())
    for _ in range(20):
        line = one.line()
        line.send(request() * 3)
        line.socket.close()
    assert one.line().ask(request())[1] == b'{"data":{"motto":"all is well"}}'


def test_a_fault_in_the_lane_leaves_the_usual_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with standing() as one:
        line = one.line()
        line.ask(request())
        find, calls = one.shop.cache.find, []

        def faulty(raw: Any) -> Any:
            calls.append(raw)
            if len(calls) == 1:
                raise RuntimeError("a fault")
            return find(raw)

        monkeypatch.setattr(one.shop.cache, "find", faulty)
        assert line.ask(request())[1] == b'{"data":{"motto":"all is well"}}'
        assert [str(fault) for fault in one.faults] == ["a fault"]
        one.faults.clear()


def test_where_a_get_needs_a_header_the_lane_does_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    with standing() as one:
        monkeypatch.setattr(one.shop.http, "options", Options(preflight=frozenset({"x-preflight"})))
        line = one.line()
        target = "/graphql?query=%7Bmotto%7D"
        assert line.ask(request("x-preflight: 1", method="GET", target=target))[0].startswith(b"HTTP/1.1 200")
        assert line.ask(request(method="GET", target=target))[0].startswith(b"HTTP/1.1 400")


def test_ordinary_clients_get_through(one: Standing) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{one.port}") as client:
        for _ in range(5):
            assert client.get("/graphql", params={"query": "{motto}"}).json() == {"data": {"motto": "all is well"}}
    assert one.by_lane == ["GET"] * 4
