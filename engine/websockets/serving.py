"""What uvicorn does not do for sockets: give one away, say why it fails, cut what takes nothing, drain before it stops.

    uvicorn.Config(app, ws=SocketProtocol, ...)
    DrainingServer(config, drain=lambda: sockets.drain(evenly(5))).run()

Without these `GraphQLSocket` works, but a socket costs two tasks and the request that opened it, and the connections of
clients that no longer read stay half-open.

It takes the place of methods of uvicorn's own protocol, which are no public promise: uvicorn is pinned.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any, cast
from weakref import WeakKeyDictionary

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from engine.surroundings import HANDING
from engine.websockets.codes import Closing
from engine.websockets.lines import Hearer, Line

logger = logging.getLogger("uvicorn.error")

CLOSING_SECONDS = 2.0
"""How long a client may take to answer when we close, before the connection is cut."""

SEND_BUFFER = 64 * 1024
"""Bytes that the kernel is asked to hold for one connection (it takes twice as many). Left to itself it holds megabytes
for a client that does not read: what is stale by then, and memory that nobody counts."""

WAITING = 32 * 1024
"""Bytes that wait in a transport, beyond which it is full."""

TURNS = 20
"""Connections are asked for a sign of life in so many parts, one after the other."""

PING = b"\x89\x00"
SHORT = [bytes((0x81, size)) for size in range(126)]
"""The heads of short text frames (RFC 6455, section 5.2), by the length of what follows."""

NOT_WAITED_FOR = asyncio.Event()


class GivenAway:
    """Stands for the timer that closes a connection: it has none, and uvicorn leaves it open."""

    def cancel(self) -> None:
        """There is nothing to be cancelled."""


GIVEN_AWAY = GivenAway()


class Wheel:
    """Asks every connection of a server for signs of life, a part of them at each turn: one timer for all."""

    def __init__(self, interval: float) -> None:
        self._parts: list[set[SocketProtocol]] = [set() for _ in range(TURNS)]
        self._seconds = interval / TURNS
        self._at = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, protocol: SocketProtocol) -> set[SocketProtocol]:
        """Have a connection asked, an interval from now; the part that it is in."""
        part = self._parts[self._at - 1]
        part.add(protocol)
        if self._timer is None:
            self._timer = protocol.loop.call_later(self._seconds, self._turn, protocol.loop)
        return part

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        for protocol in list(self._parts[self._at]):
            protocol.beat()
        self._at = (self._at + 1) % TURNS
        self._timer = loop.call_later(self._seconds, self._turn, loop) if any(self._parts) else None


WHEELS: WeakKeyDictionary[uvicorn.Config, Wheel] = WeakKeyDictionary()


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own, which gives its connection away once that is accepted (`engine.websockets.lines.Handing`).

    From then on it is a `Line`: it has no task, no queue, and nothing of the request; what it hears is heard at once,
    and what is written goes to the transport. Beside that its ends hold:

    - A client that breaks WebSocket itself (RFC 6455), or sends too much, is told so: the connection stays open for
      reading until the client has closed it. Closed at once, as uvicorn does, what is unread makes the kernel reset it,
      and the client may never see the code.
    - A connection whose client reads nothing is cut. Closed, as uvicorn does, it would wait for ever for its buffer to
      be taken.
    """

    _cut_timer: asyncio.TimerHandle | None = None
    _hearer: Hearer | None = None
    _held: list[str | None] | None = None
    """Messages that came together with one after which none is to be read for a while."""
    _part: set[SocketProtocol] | None = None
    _tell_end: Callable[[int], None] | None = None
    _code: int | None = None
    _is_given = False
    is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what waits for it."""
        super().connection_made(transport)
        plain = transport.get_extra_info("socket")
        if plain is not None and plain.family in (socket.AF_INET, socket.AF_INET6):
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.transport.set_write_buffer_limits(high=WAITING)

    async def run_asgi(self) -> None:
        """Run the application, until it has ended or given the connection away."""
        self.close_timeout = CLOSING_SECONDS
        cast("dict[str, object]", self.scope["extensions"])[HANDING] = self
        await super().run_asgi()
        if cast("Any", self.close_timer) is GIVEN_AWAY:
            self.close_timer = None
            for name in ("scope", "request", "response"):
                self.__dict__.pop(name, None)

    def hand_over(self, hearer: Callable[[Line], Hearer]) -> None:
        """Give the line away; what has come already is heard first."""
        self._hearer = hearer(self)
        self._is_given = True
        self.close_timer = cast("Any", GIVEN_AWAY)
        waiting = [self.queue.get_nowait() for _ in range(self.queue.qsize())]
        self.queue = cast("Any", self)
        self.writable = NOT_WAITED_FOR
        for event in waiting:
            self.put_nowait(event)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def at_end(self, tell: Callable[[int], None]) -> bool:
        """Have the closing code told when the connection has ended."""
        if not self._is_given:
            return False
        if self.disconnected:
            tell(self._code or 1006)
        else:
            self._tell_end = tell
        return True

    def put_nowait(self, event: Any) -> None:
        """What uvicorn puts into its queue, which is this object once it was given away, is heard at once."""
        if event["type"] == "websocket.receive":
            self._hear(event.get("text"))
        elif event["type"] == "websocket.disconnect":
            self._code = self._code or event["code"]
            self._leave()

    def write(self, message: bytes) -> None:
        """Send a message; the kernel takes it at the end of this turn of the loop, with all others."""
        size = len(message)
        if size < 126:
            head = SHORT[size]
        elif size < 65_536:
            head = b"\x81\x7e" + size.to_bytes(2, "big")
        else:
            head = b"\x81\x7f" + size.to_bytes(8, "big")
        self.transport.write(head + message)

    def close(self, closing: Closing) -> None:
        """Say why it is closed. The client has its time to answer from when that can have reached it."""
        if self.close_sent or self.transport.is_closing():
            return
        message = closing.message()
        self._code = self._code or closing.code
        self.conn.send_close(closing.code, str(message["reason"]))
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        if not self.is_full:
            self._await_answer()

    def cut(self) -> None:
        """End it now."""
        self.transport.abort()

    def pause_writing(self) -> None:
        """More waits than should."""
        super().pause_writing()
        self.is_full = True

    def resume_writing(self) -> None:
        """It takes messages again."""
        super().resume_writing()
        self.is_full = False
        if self._hearer is None:
            return
        if self.close_sent:
            self._await_answer()
        else:
            self._hearer.drained()

    def send_receive_event_to_app(self) -> None:
        """A message is whole."""
        if self._hearer is None:
            super().send_receive_event_to_app()
            return
        data, self.frames = b"".join(self.frames), []
        if self.close_sent:
            return
        try:
            text = data.decode() if self.curr_msg_data_type == "text" else None
        except UnicodeDecodeError:
            self.conn.send_close(1007)
            self.handle_parser_exception()
        else:
            self._hear(text)

    def data_received(self, data: bytes) -> None:
        """Read on after a failure, and ignore what comes."""
        if self.conn.parser_exc is not None and self.close_sent:
            return
        super().data_received(data)

    def handle_parser_exception(self) -> None:
        """Say why, say no more, and wait for the client to close."""
        told = self.conn.close_sent
        if told is None:  # before the handshake's end there is nothing to be said
            self.transport.abort()
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": told.code, "reason": told.reason})
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.stop_keepalive()
        self.close_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def handle_ping(self) -> None:
        """Answer, unless answers pile up already."""
        if self.is_full:
            self.conn.data_to_send()
        else:
            super().handle_ping()

    def start_keepalive(self) -> None:
        """Have it asked for signs of life by the wheel, with all others."""
        if self.ping_interval:
            wheel = WHEELS.get(self.config)
            if wheel is None:
                wheel = WHEELS[self.config] = Wheel(self.ping_interval)
            self._part = wheel.add(self)

    def stop_keepalive(self) -> None:
        """Ask it no more."""
        if self._part is not None:
            self._part.discard(self)
            self._part = None

    def handle_pong(self, event: Frame) -> None:
        """It lives."""
        self.pending_ping_payload = None

    def beat(self) -> None:
        """Ask for a sign of life, or close what gave none in time, and cut what does not close."""
        now = self.loop.time()
        if self.pending_ping_payload is None:
            self.pending_ping_payload = b""
            self.ping_sent_at = now
            self.transport.write(PING)
        elif self.ping_timeout is not None and now - self.ping_sent_at > self.ping_timeout * 0.9:
            self._code = self._code or 1011
            self.stop_keepalive()
            self.keepalive_timeout()
            self._cut_later()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Cut what has not closed by itself soon after the application has ended."""
        super().on_task_complete(task)
        if not self._is_given:
            self._cut_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to be heard, or to be cut."""
        super().connection_lost(exc)
        self._leave()
        if self._hearer is not None:
            self._hearer = None
            self.queue = cast("Any", None)  # it was this object: nothing is to wait for the garbage collector
        if self._cut_timer is not None:
            self._cut_timer.cancel()
            self._cut_timer = None
        if self._tell_end is not None:
            self._tell_end(self._code or 1006)
            self._tell_end = None

    def _await_answer(self) -> None:
        """The closing was sent: the client has so long to answer it."""
        if self._held is not None:
            self._hear_on()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        self._leave()

    def _leave(self) -> None:
        """Nothing is said any more, and nothing heard."""
        if self._hearer is not None:
            self._hearer.gone()
            self._cut_later()

    def _hear(self, text: str | None) -> None:
        """Have a message heard, and read no more for as long as that takes."""
        if self._held is not None:
            self._held.append(text)
            return
        pause = 0.0 if self._hearer is None else self._hearer.heard(text)
        if pause > 0:
            self._held = []
            if not self.transport.is_closing():
                self.transport.pause_reading()
            self.loop.call_later(pause, self._hear_on)

    def _hear_on(self) -> None:
        """Go on reading, after the messages that came already."""
        held, self._held = self._held or [], None
        for text in held:
            self._hear(text)
        if self._held is None and not self.transport.is_closing():
            self.transport.resume_reading()

    def _cut_later(self) -> None:
        if self._cut_timer is None and not self.disconnected:
            self._cut_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)


class DrainingServer(uvicorn.Server):
    """A server that, before it closes its connections, stops listening and waits for `drain`."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop as ever; a second signal does not wait."""
        for server in self.servers:
            server.close()
        draining = asyncio.ensure_future(self._drain())
        while not draining.done() and not self.force_exit:
            await asyncio.wait((draining,), timeout=0.1)
        draining.cancel()
        (problem,) = await asyncio.gather(draining, return_exceptions=True)
        if isinstance(problem, Exception):
            logger.error("Sockets could not be drained.", exc_info=problem)
        await super().shutdown(sockets)
