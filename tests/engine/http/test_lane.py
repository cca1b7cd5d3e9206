"""What the lane answers in uvicorn's place: in order, for whoever leaves, while the server stops, behind proxies."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import strawberry
import uvicorn
from starlette.requests import HTTPConnection

from engine.errors import Errors
from engine.http import GraphQLHTTP, Lane, Options, lane_protocol
from engine.operations import Engine

WAITS = b'{"query":"mutation { wait }"}'
ASKS = b'{"query":"{ address }"}'


@strawberry.type
class Query:
    """What is asked."""

    @strawberry.field
    def address(self, info: strawberry.Info[Any, Any]) -> str:
        """Where the request came from."""
        return str(info.context)


@strawberry.type
class Mutation:
    """What is changed."""

    @strawberry.mutation
    async def wait(self) -> int:
        """The number of the mutation, when it may go on."""
        number = len(Place.current.begun) + 1
        Place.current.begun.append(number)
        await asyncio.to_thread(Place.current.gate.wait, 20)
        Place.current.ended.append(number)
        return number


SCHEMA = strawberry.Schema(Query, Mutation)


class Place:
    """A server with a lane, and what was seen of it."""

    current: Place

    def __init__(self) -> None:
        Place.current = self
        self.gate = threading.Event()
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.faults: list[BaseException] = []
        self.lines: list[tuple[Any, ...]] = []
        self.bound: list[str] = []
        self.port = 0
        self.server: uvicorn.Server
        self.http: GraphQLHTTP

    def lane(self) -> Lane:
        """The lane over the schema; a context is the client's address."""

        def make_context(connection: HTTPConnection, _: str | None) -> str:
            client = connection.client
            return f"{connection.url.scheme} {client.host if client else None}"

        errors = Errors(lambda _: None, self.faults.append)
        self.http = GraphQLHTTP(Engine(SCHEMA, errors=errors), make_context=make_context, errors=errors)
        return Lane(
            self.http,
            path="/graphql",
            headers=[(b"x-own", b"1")],
            bind=self.bound.append,
            write=lambda *line: self.lines.append(line),
            unexpected=self.faults.append,
            executes=True,
        )

    def connect(self) -> socket.socket:
        """A new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def is_closed(self) -> bool:
        """Whether nobody can connect any more."""
        try:
            self.connect().close()
        except ConnectionError:
            return True
        return False

    def until(self, what: list[Any], count: int) -> None:
        """Wait until there are so many."""
        deadline = time.monotonic() + 20
        while len(what) < count:
            assert time.monotonic() < deadline
            time.sleep(0.005)


@contextmanager
def served(**config: Any) -> Iterator[Place]:
    """Serve in a thread; whatever goes the usual way is a fault."""
    place = Place()
    lane = place.lane()

    async def usual(scope: Any, receive: Any, send: Any) -> None:
        place.faults.append(AssertionError("it went the usual way"))
        await lane.http(scope, receive, send)

    place.server = uvicorn.Server(
        uvicorn.Config(usual, http=lane_protocol(lambda: lane), lifespan="off", log_config=None, ws="none", **config)
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        place.port = listener.getsockname()[1]
        thread = threading.Thread(target=place.server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not place.server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield place
        finally:
            place.gate.set()
            place.server.should_exit = True
            thread.join()
    assert place.faults == []


def request(body: bytes, *headers: str) -> bytes:
    """A request as it goes over the wire."""
    every = ["host: x", "content-type: application/json", f"content-length: {len(body)}", *headers]
    return "\r\n".join(["POST /graphql HTTP/1.1", *every, "", ""]).encode() + body


def read(line: socket.socket, until: bytes) -> bytes:
    """What comes, up to and with those bytes."""
    data = b""
    while until not in data:
        more = line.recv(65_536)
        if not more:
            raise EOFError(data)
        data += more
    return data


def test_an_answer_has_what_surrounds_every_answer() -> None:
    with served() as place, place.connect() as line:
        line.sendall(request(ASKS, "x-request-id: trip-7"))
        head, _, body = read(line, b"}}").partition(b"\r\n\r\n")
        names = {one.split(b":")[0] for one in head.splitlines()[1:]}
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert {b"content-type", b"vary", b"cache-control", b"content-length", b"x-own", b"date"} <= names
        assert b"x-request-id: trip-7" in head.splitlines()
        assert body == b'{"data":{"address":"http 127.0.0.1"}}'
        place.until(place.lines, 1)
        assert place.lines[0][:4] == ("POST", "/graphql", "/graphql", 200)
        assert place.bound == ["trip-7"]


def test_what_comes_behind_a_slow_request_waits_for_it() -> None:
    with served() as place, place.connect() as line:
        line.sendall(request(WAITS) + request(b'{"query":"{ __typename }"}', "x-last: 1"))
        place.until(place.begun, 1)
        place.gate.set()
        data = read(line, b'"Query"}}')
        assert data.index(b'{"data":{"wait":1}}') < data.index(b'{"data":{"__typename":"Query"}}')
        place.faults.clear()  # what is pipelined is uvicorn's


def test_a_mutation_goes_on_whose_client_has_left() -> None:
    with served() as place:
        with place.connect() as line:
            line.sendall(request(WAITS))
            place.until(place.begun, 1)
        place.gate.set()
        place.until(place.ended, 1)
        place.until(place.lines, 1)


def test_a_server_that_stops_answers_what_it_has_begun_and_closes() -> None:
    with served() as place, place.connect() as line:
        line.sendall(request(WAITS))
        place.until(place.begun, 1)
        place.server.should_exit = True
        while not place.is_closed():
            time.sleep(0.01)
        place.gate.set()
        data = read(line, b"}}")
        assert b"connection: close\r\n" in data
        assert data.endswith(b'{"data":{"wait":1}}')
        assert line.recv(10) == b""


@pytest.mark.parametrize(
    ("trusted", "headers", "address"),
    [
        ("127.0.0.1", ("x-forwarded-for: 10.1.2.3", "x-forwarded-proto: https"), "https 10.1.2.3"),
        ("127.0.0.1", ("x-forwarded-for: 6.6.6.6, 10.1.2.3, 127.0.0.1",), "http 10.1.2.3"),
        ("127.0.0.1", (), "http 127.0.0.1"),
        ("10.9.9.9", ("x-forwarded-for: 10.1.2.3", "x-forwarded-proto: https"), "http 127.0.0.1"),
    ],
)
def test_a_proxy_is_believed_where_it_is_trusted(trusted: str, headers: tuple[str, ...], address: str) -> None:
    with served(forwarded_allow_ips=trusted) as place, place.connect() as line:
        line.sendall(request(ASKS, *headers))
        assert f'"address":"{address}"'.encode() in read(line, b"}}")


def test_no_proxy_is_believed_where_none_is_wanted() -> None:
    with served(proxy_headers=False) as place, place.connect() as line:
        line.sendall(request(ASKS, "x-forwarded-for: 10.1.2.3"))
        assert b'"address":"http 127.0.0.1"' in read(line, b"}}")


def test_a_connection_is_used_again_and_again() -> None:
    with served() as place, place.connect() as line:
        for number in range(1, 50):
            line.sendall(request(ASKS))
            assert read(line, b"}}").endswith(b'{"data":{"address":"http 127.0.0.1"}}')
            place.until(place.lines, number)


def test_a_body_that_is_too_long_for_the_transport_is_not_for_the_lane() -> None:
    with served() as place, place.connect() as line:
        place.http.options = Options(body_bytes=40)
        line.sendall(request(ASKS + b" " * 40))
        assert read(line, b"}}").startswith(b"HTTP/1.1 413 ")
        place.faults.clear()  # it went the usual way, as it should
