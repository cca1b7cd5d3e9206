"""What waits to be sent to one socket, and the way of one operation's answers into it.

This is where answers that many share come in: encode an answer once, and give the same bytes to `Subscriber.next` of
everyone; each puts its own id in front.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Send

from engine.websockets.codes import Closing, Code
from engine.websockets.options import Options

WEIGHT = 64
"""Bytes that a waiting message costs beside its own."""

END = b"}"
SLOW = Closing(Code.TOO_SLOW, "You take what you asked for too slowly")


class Outbox:
    """The messages of one socket, sent in their order by whoever runs `run`, never two at a time.

    Nothing is sent after the socket is to be closed, but what waited already. What waits is bounded: `send` closes the
    socket where there is too much, `put` waits. `on_closing` is called once, as soon as that is decided.
    """

    __slots__ = (
        "_deadline",
        "_limit",
        "_on_closing",
        "_options",
        "_room",
        "_send",
        "_stirred",
        "_turn",
        "_waiting",
        "closing",
        "weight",
    )

    def __init__(self, send: Send, options: Options, on_closing: Callable[[], None]) -> None:
        self._send = send
        self._on_closing = on_closing
        self._options = options
        self._waiting: deque[bytes] = deque()
        self._stirred = asyncio.Event()
        self._room = asyncio.Event()
        self._turn = asyncio.Lock()
        self._limit: asyncio.Timeout | None = None
        self._deadline: float | None = None
        self.weight = 0
        """Bytes that wait, or are being sent."""
        self.closing: Closing | None = None
        """How the socket is to be closed, once that is decided."""

    def send(self, message: bytes) -> None:
        """Have one message sent, a whole JSON text; the socket is closed where too much waits."""
        if self.closing is not None:
            return
        if not self._fits(message):
            self._waiting.clear()
            self.close(SLOW)
            return
        self._waiting.append(message)
        self.weight += len(message) + WEIGHT
        self._stirred.set()

    async def put(self, message: bytes) -> None:
        """Have one message sent, once there is room for it, and let others have their turn: first come, first served.

        It never returns once the socket is to be closed, so that a source that always has more cannot go on for ever.
        """
        async with self._turn:
            while self.closing is None and not self._fits(message):
                self._room.clear()
                await self._room.wait()
            if self.closing is not None:
                await asyncio.get_running_loop().create_future()
            self.send(message)
        await asyncio.sleep(0)

    def close(self, closing: Closing) -> None:
        """Have the socket closed after what waits; the first reason counts."""
        if self.closing is not None:
            return
        self.closing = closing
        self._deadline = asyncio.get_running_loop().time() + self._options.closing_seconds
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(self._deadline)
        self._stirred.set()
        self._on_closing()

    async def run(self) -> bool:
        """Send what comes until the socket is closed: whether the other side could still be told so."""
        try:
            with suppress(TimeoutError):
                await self._send_all()
            self._waiting.clear()
            self.close(SLOW)  # counts only where nothing else has closed it: it takes nothing
            await self._deliver((self.closing or SLOW).message())
        except (RuntimeError, OSError):  # TimeoutError, and what servers raise when the other side has just gone
            return False
        return True

    def _fits(self, message: bytes) -> bool:
        """Whether a message may wait with the others. Alone it always may."""
        return self.weight == 0 or self.weight + len(message) + WEIGHT <= self._options.outgoing_bytes

    async def _send_all(self) -> None:
        """Send what comes until the socket is to be closed. Raises TimeoutError where the other side takes nothing."""
        while True:
            while self._waiting:
                message = self._waiting.popleft()
                await self._deliver({"type": "websocket.send", "text": message.decode()})
                self.weight -= len(message) + WEIGHT
                self._room.set()
            if self.closing is not None:
                return
            self._stirred.clear()
            await self._stirred.wait()

    async def _deliver(self, message: MutableMapping[str, Any]) -> None:
        """Hand one message to the server. Raises TimeoutError where that does not take it in time."""
        until = self._deadline or asyncio.get_running_loop().time() + self._options.patience
        try:
            async with asyncio.timeout_at(until) as self._limit:
                await self._send(message)
        finally:
            self._limit = None


class Subscriber:
    """One operation's way to its client. Once it is `ended`, nothing of it is sent any more."""

    __slots__ = ("_front", "_head", "_outbox", "ended")

    def __init__(self, outbox: Outbox, name: str) -> None:
        self._outbox = outbox
        self._head = b'{"id":' + orjson.dumps(name) + b',"type":'
        self._front = self._head + b'"next","payload":'
        self.ended = False

    def next(self, answer: bytes) -> None:
        """Send an encoded answer; the socket is closed where too much waits for this client."""
        if not self.ended:
            self._outbox.send(self._front + answer + END)

    async def put(self, answer: bytes) -> None:
        """Send an encoded answer once there is room for it."""
        if not self.ended:
            await self._outbox.put(self._front + answer + END)

    def refuse(self, errors: Sequence[dict[str, Any]]) -> None:
        """End with `error`."""
        self._end(self._head + b'"error","payload":' + orjson.dumps(errors) + END)

    def complete(self) -> None:
        """End with `complete`."""
        self._end(self._head + b'"complete"}')

    def _end(self, message: bytes) -> None:
        if not self.ended:
            self.ended = True
            self._outbox.send(message)
