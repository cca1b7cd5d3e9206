"""What waits to be sent to one socket, and the way of one operation's answers into it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from engine.websockets.codes import Closing, Code
from engine.websockets.lines import Line
from engine.websockets.options import Options

WEIGHT = 64
"""Bytes that a waiting message costs beside its own."""

END = b"}"
ENDED = Closing(Code.RESTART, "")
SLOW = Closing(Code.TOO_SLOW, "You take what you asked for too slowly")


def nothing() -> None:
    """Do nothing."""


class Outbox:
    """The messages of one socket, in their order.

    As long as the line takes them they go out at once. Once it is full they wait here, and only so many bytes of them:
    `send` closes the socket where there is too much, `put` waits. A line that stays full for `Options.patience` seconds
    is closed as well. Nothing is sent after the closing but what waited already. `on_closing` is called once, as soon
    as that is decided.
    """

    __slots__ = (
        "_limit",
        "_on_closing",
        "_options",
        "_ready",
        "_room",
        "_turn",
        "_waiting",
        "closing",
        "line",
        "weight",
    )

    def __init__(self, line: Line, options: Options, on_closing: Callable[[], None]) -> None:
        self.line = line
        self._options = options
        self._on_closing = on_closing
        self._waiting: deque[bytes] | None = None
        self._ready: list[Callable[[], None]] | None = None
        self._turn: asyncio.Lock | None = None
        self._room: asyncio.Event | None = None
        self._limit: asyncio.TimerHandle | None = None
        """While the line is full: until when it may be. Once the socket is closing: when it is cut."""
        self.weight = 0
        """Bytes that wait here, not in the line."""
        self.closing: Closing | None = None
        """How the socket is to be closed, once that is decided."""

    def send(self, message: bytes) -> None:
        """Have one message sent, a whole JSON text; the socket is closed where too much waits."""
        line = self.line
        if self.closing is not None:
            return
        has_room = not line.is_full
        if has_room:
            line.write(message)
            if line.is_full:
                self.filled()
        elif self.weight and self.weight + len(message) + WEIGHT > self._options.outgoing_bytes:
            self._waiting = None
            self.close(SLOW)
        else:
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append(message)
            self.weight += len(message) + WEIGHT

    async def put(self, message: bytes) -> None:
        """Have one message sent, once there is room for it, and let others have their turn: first come, first served.

        It never returns once the socket is to be closed, so that a source that always has more cannot go on for ever.
        """
        if self._turn is None:
            self._turn, self._room = asyncio.Lock(), asyncio.Event()
        async with self._turn:
            await self._until_room()
            if self.closing is not None:
                await asyncio.get_running_loop().create_future()
            self.send(message)
        await asyncio.sleep(0)

    def when_ready(self, call: Callable[[], None]) -> None:
        """Call this once the line is not full any more, and nothing waits."""
        if self._ready is None:
            self._ready = []
        self._ready.append(call)

    def drained(self) -> None:
        """The line takes messages again."""
        if self.closing is not None:
            return
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        while self._waiting and not self.line.is_full:
            message = self._waiting.popleft()
            self.weight -= len(message) + WEIGHT
            self.line.write(message)
        if self.line.is_full:
            self.filled()
            return
        self._waiting = None
        if self._room is not None:
            self._room.set()
        ready, self._ready = self._ready or (), None
        for call in ready:
            call()

    def close(self, closing: Closing) -> None:
        """Have the socket closed after what waits; the first reason counts."""
        if self.closing is not None:
            return
        self.closing = closing
        for message in self._waiting or ():
            self.line.write(message)
        self._waiting = self._ready = None
        self.line.close(closing)
        self._limited(self._options.closing_seconds, self.line.cut)
        self._on_closing()

    def end(self) -> None:
        """The socket has ended: nothing is sent any more."""
        if self.closing is None:
            self.closing = ENDED
        self._waiting = self._ready = None
        self._on_closing = nothing  # it led back to the socket: nothing is to wait for the garbage collector
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    async def _until_room(self) -> None:
        """Wait until the line is not full, or the socket is to be closed."""
        room = self._room
        while room is not None and self.closing is None and self.line.is_full:
            room.clear()
            await room.wait()

    def filled(self) -> None:
        """The line is full from now on: it is given only so long."""
        self._limited(self._options.patience, self.close, SLOW)

    def _limited(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._limit = asyncio.get_running_loop().call_later(seconds, call, *arguments)


class Subscriber:
    """One operation's way to its client. Once it is `ended`, nothing of it is sent any more.

    This is where answers that many share come in: they are encoded once, and each subscriber puts its id in front.
    """

    __slots__ = ("_front", "_line", "_outbox", "_ready", "ended")

    def __init__(self, outbox: Outbox, name: str) -> None:
        self._outbox = outbox
        self._line = outbox.line
        self._front = b'{"id":' + orjson.dumps(name) + b',"type":"next","payload":'
        self._ready: Callable[[], None] | None = None
        self.ended = False

    def when_ready(self, call: Callable[[], None] | None) -> None:
        """Call this, and nothing else, once its client has taken all that it was sent; None for nothing."""
        if call is not None and self._ready is None:
            self._outbox.when_ready(self._call_ready)
        self._ready = call

    def next(self, answer: bytes) -> None:
        """Send an encoded answer; the socket is closed where too much waits for this client."""
        if not self.ended:
            self._outbox.send(self._front + answer + END)

    def tell(self, answers: Sequence[bytes]) -> bool:
        """Send encoded answers at once; False, and nothing is sent, where the client has not taken those before."""
        line = self._line
        was_full = line.is_full
        if was_full or self.ended:
            return self.ended
        for answer in answers:
            line.write(self._front + answer + END)
        if line.is_full:
            self._outbox.filled()
        return True

    async def put(self, answer: bytes) -> None:
        """Send an encoded answer once there is room for it."""
        if not self.ended:
            await self._outbox.put(self._front + answer + END)

    def refuse(self, errors: Sequence[dict[str, Any]]) -> None:
        """End with `error`."""
        self._end(b'"error","payload":' + orjson.dumps(errors) + END)

    def complete(self) -> None:
        """End with `complete`."""
        self._end(b'"complete"}')

    def _end(self, message: bytes) -> None:
        if not self.ended:
            self.ended = True
            self.has_ended()
            self._outbox.send(self._front.removesuffix(b'"next","payload":') + message)

    def has_ended(self) -> None:
        """Called before its end is told."""

    def _call_ready(self) -> None:
        if self._ready is not None:
            self._ready()
