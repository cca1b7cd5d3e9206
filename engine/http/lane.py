"""A lane past what an ASGI server does for a request: kept answers while the request is parsed, others in one task.

A kept answer is found in 2 µs. What an ASGI server does to ask an application, and what surrounds an application to
answer, costs thirty times that. So `LaneProtocol`, which is uvicorn's own HTTP protocol, looks a request to one path
up in the cache as soon as its body is there, and writes the answer. What is not kept, but is plainly a POST of JSON, is
given to `GraphQLHTTP.reply` in a task of its own, and its answer is written in the same way. Whatever is neither goes
on as everything else does. All get the same bytes but for the request's id.

What it needs of uvicorn are the callbacks of its parser and the state around them, which are no public promise:
uvicorn is pinned, and tests hold the ways against each other on a real server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from engine.errors import Unexpected
from engine.http.app import GraphQLHTTP
from engine.http.caching import Raw
from engine.http.negotiation import negotiated
from engine.http.replies import Reply
from engine.http.turns import Forwarding, Turn
from engine.surroundings import CLIENT_LEFT, Header, Write, request_ids, sane_id

ASIDE = frozenset({b"content-encoding", b"transfer-encoding", b"upgrade", b"last-event-id"})
"""A request with one of these headers is not looked up by its bytes."""

JSON = b"application/json"
CLOSING = b"connection: close\r\n"
LONGEST = 16 * 1024
"""Bytes of a body that is waited for; nothing longer is found by its bytes."""

COPIED = 64 * 1024
"""Bytes of a body that is copied behind its head, so that both are one write."""

STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class Lane:
    """Answers requests to `path` for `http`, with what `engine.surroundings` puts around every answer.

    `executes`: whether it answers what is not kept, too.
    """

    def __init__(
        self,
        http: GraphQLHTTP,
        *,
        path: str,
        headers: Iterable[Header],
        bind: Callable[[str], object],
        write: Write,
        unexpected: Unexpected,
        executes: bool = False,
    ) -> None:
        self.http = http
        self.path = path
        self.headers = rendered(headers)
        self.bind = bind
        self.write = write
        self.unexpected = unexpected
        self.executes = executes
        self.ids: Iterator[str] = request_ids()
        self.outgoing: list[tuple[asyncio.Transport, bytes, bytes]] = []

    def known(self, method: str, headers: list[Header]) -> Mapping[bytes, bytes] | None:
        """The headers by name of a request that may be answered here; None for any other."""
        known = dict(headers)
        if len(known) != len(headers) or not ASIDE.isdisjoint(known):
            return None
        if method == "POST" and known.get(b"content-type") != JSON:
            return None
        return known

    def answers(self, raw: Raw, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a request of which nothing is kept is answered here."""
        options = self.http.options
        if not self.executes or raw.method != "POST":
            return False
        if len(raw.content) > min(options.body_bytes, options.unpacked_bytes):
            return False
        accepted = negotiated(headers.get(b"accept"))
        return accepted.kind is not None and not accepted.events

    def id_for(self, headers: list[Header]) -> str:
        """The id of a request: its own where that is sane, or a new one."""
        return sane_id(headers) or next(self.ids)

    def head(self, reply: Reply, request_id: str) -> bytes:
        """The head of an answer, but for what the server adds to it."""
        length = b"" if reply.status == 304 else b"content-length: %d\r\n" % len(reply.body)
        own = b"x-request-id: %b\r\n" % request_id.encode("latin-1")
        return b"".join((STATUS[reply.status], rendered(reply.headers), length, own, self.headers))

    def send(self, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        """Send an answer, whole, at the end of this turn of the event loop, beside those of others.

        A write is a system call, which costs more than to copy a short answer; and one that wakes its reader costs
        most. A reader who is woken once gets all that is there for him.
        """
        self.outgoing.append((transport, head, body))
        if len(self.outgoing) == 1:
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Send what waits."""
        outgoing, self.outgoing = self.outgoing, []
        for transport, head, body in outgoing:
            if not transport.is_closing():
                if len(body) > COPIED:
                    transport.write(head)
                    transport.write(body)
                else:
                    transport.write(head + body)


def rendered(headers: Iterable[Header]) -> bytes:
    """Headers as they stand in a message."""
    return b"".join([b"%b: %b\r\n" % pair for pair in headers])


def lane_protocol(lane: Callable[[], Lane | None]) -> type[LaneProtocol]:
    """What uvicorn takes as `http`: `lane` is asked for each request, since it comes and goes with the application."""

    rules: dict[int, Forwarding] = {}

    class Bound(LaneProtocol):
        def lane(self) -> Lane | None:
            return lane()

        def forwarding(self) -> Forwarding:
            return rules.get(id(self.config)) or rules.setdefault(id(self.config), Forwarding(self.config))

    return Bound


class LaneProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with a lane beside it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts: list[bytes] | None = None
        """The body so far of a request that may be answered here; None for one that goes on as usual."""
        self.began = 0.0
        self.present: Lane | None = None
        """The lane as the present request found it."""
        self.dated: tuple[Any, bytes] = (None, b"")
        """The headers that the server adds to every answer, and what they are in bytes."""

    def lane(self) -> Lane | None:
        """The lane; None where there is none now."""
        return None

    def forwarding(self) -> Forwarding:
        """What proxies are believed."""
        return Forwarding(self.config)

    def on_headers_complete(self) -> None:
        """The parser has the headers: wait for the body, or go on at once."""
        if self._may_be_kept():
            self.began = time.perf_counter()
            self.parts = []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """The parser has a part of the body."""
        if self.parts is None:
            super().on_body(body)
            return
        self.parts.append(body)
        if sum(map(len, self.parts)) > LONGEST:
            self._go_on()

    def on_message_complete(self) -> None:
        """The parser has all of the request."""
        if self.parts is not None:
            if self._answered(b"".join(self.parts)):
                self.parts = None
                return
            self._go_on()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes have come. A request of which they are a part goes on: its time is for the application to watch."""
        super().data_received(data)
        if self.parts is not None:
            self._go_on()

    def shutdown(self) -> None:
        """The server stops: what was answered is sent before connections are closed."""
        lane = self.lane()
        if lane is not None:
            lane.flush()
        super().shutdown()

    def _may_be_kept(self) -> bool:
        """Whether a request may be looked up: it is alone on its connection, and could be answered at once."""
        lane, cycle = self.lane(), self.cycle
        self.present = lane
        return (
            lane is not None
            and self.url.partition(b"?")[0] == lane.path.encode()
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and not self.root_path
        )

    def _go_on(self) -> None:
        """Let the request go on as it would have."""
        parts, self.parts = self.parts or [], None
        if self.transport.is_closing():
            return
        super().on_headers_complete()
        for body in parts:
            super().on_body(body)

    def _answered(self, body: bytes) -> bool:
        """Whether the request is answered here; then it was, or will be."""
        lane = self.present
        if lane is None:
            return False
        try:
            method = self.parser.get_method().decode("ascii")
            if method not in ("GET", "POST") or (headers := lane.known(method, self.headers)) is None:
                return False
            content = body if method == "POST" else self.url.partition(b"?")[2]
            raw = lane.http.raw(method, content, headers, self.client[0] if self.client else "")
            reply = lane.http.kept(raw, headers)
            if reply is None:
                return lane.answers(raw, headers) and self._start(lane, raw, headers)
        except Exception as error:  # noqa: BLE001 - the usual way still has an answer
            lane.unexpected(error)
            return False
        request_id = lane.id_for(self.headers)
        lane.bind(request_id)
        self._send(lane, lane.head(reply, request_id), reply)
        self.on_response_complete()
        self._note(lane, method, reply.status, self.began)
        return True

    def _start(self, lane: Lane, raw: Raw, headers: Mapping[bytes, bytes]) -> bool:
        """Begin to answer a POST, in a task that the server waits for when it stops; False where it limits those."""
        if self.limit_concurrency is not None:
            return False
        path, _, query = self.url.partition(b"?")
        scope = cast("Scope", self.scope)
        scope.update(method="POST", path=lane.path, raw_path=path, query_string=query)
        scope["request_id"] = lane.id_for(self.headers)
        self.forwarding().settle(scope, headers.keys())
        turn = Turn()
        self.cycle = cast("RequestResponseCycle", turn)
        task = self.loop.create_task(self._reply(lane, turn, scope, raw, headers))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return True

    async def _reply(self, lane: Lane, turn: Turn, scope: Scope, raw: Raw, headers: Mapping[bytes, bytes]) -> None:
        """Answer a POST, and write its line when that is done."""
        began, status = self.began, CLIENT_LEFT
        lane.bind(scope["request_id"])
        try:
            reply = await lane.http.reply(scope, raw, headers)
            status = reply.status
            turn.response_complete = True
            if not turn.disconnected:
                head = lane.head(reply, scope["request_id"])
                self._send(lane, head if turn.keep_alive else head + CLOSING, reply)
                if not turn.keep_alive:
                    lane.flush()
                    self.transport.close()
            self.on_response_complete()
        except Exception as error:  # noqa: BLE001 - nobody else hears of it, and the client is not to wait for ever
            lane.unexpected(error)
            self.transport.close()
        finally:
            self._note(lane, "POST", status, began)

    def _send(self, lane: Lane, head: bytes, reply: Reply) -> None:
        """Send an answer with what the server adds to every head."""
        added = self.server_state.default_headers
        if self.dated[0] is not added:
            self.dated = (added, rendered(added) + b"\r\n")
        lane.send(self.transport, head + self.dated[1], b"" if reply.status == 304 else reply.body)

    def _note(self, lane: Lane, method: str, status: int, began: float) -> None:
        """Write the line of a request that has ended."""
        lane.write(method, lane.path, lane.path, status, (time.perf_counter() - began) * 1000)
