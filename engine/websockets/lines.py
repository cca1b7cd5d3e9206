"""Between a socket and the server: what it writes to, and what it hears.

There are two kinds. Where the server hands its connection over (`serving.SocketProtocol`), a socket writes to the
transport, hears each message as it is parsed, and has no task, no queue and no request that is kept for it. Over any
other ASGI server it is an `AsgiLine`, with the task of the application that reads and one that writes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from engine.surroundings import HANDING
from engine.websockets.codes import Closing

FULL = 64 * 1024
"""Bytes that wait to be sent, beyond which a line is full."""


class Hearer(Protocol):
    """Who hears what happens on a line. None of it waits."""

    def heard(self, text: str | None) -> float:
        """A message came; None stands for a binary one. For how many seconds no other is to be read."""

    def drained(self) -> None:
        """The line was full, and is not any more."""

    def gone(self) -> None:
        """The other side has left, or is not to be heard any more."""


class Line(Protocol):
    """A connection that speaks WebSocket."""

    is_full: bool
    """Whether more waits in it than should."""

    def write(self, message: bytes) -> None:
        """Send a message, a whole text; what is not sent at once waits in the line, however much that is."""

    def close(self, closing: Closing) -> None:
        """Say why it is closed, after all that was written."""

    def cut(self) -> None:
        """End it now, whatever waits in it."""


class Handing(Protocol):
    """How a server gives its connection away. The application returns then, and the connection stays."""

    def hand_over(self, hearer: Callable[[Line], Hearer]) -> None:
        """Give the line to somebody who hears it from now on."""

    def at_end(self, tell: Callable[[int], None]) -> bool:
        """Have the closing code told when the connection has ended; False where it was not handed over."""


class AsgiLine:
    """A line over `receive` and `send`, which is served by `serve`."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.is_full = False
        self._receive = receive
        self._send = send
        self._waiting: deque[MutableMapping[str, Any]] = deque()
        self._weight = 0
        self._stirred = asyncio.Event()
        self._cut = asyncio.Event()

    def write(self, message: bytes) -> None:
        """Have a message sent."""
        self._weight += len(message)
        self.is_full = self.is_full or self._weight > FULL
        self._put({"type": "websocket.send", "text": message.decode()})

    def close(self, closing: Closing) -> None:
        """Have it closed."""
        self._put(closing.message())

    def cut(self) -> None:
        """End it: the server closes what the application leaves."""
        self._cut.set()

    async def serve(self, hearer: Hearer) -> None:
        """Read and write until either side has closed it."""
        tasks = {asyncio.ensure_future(work) for work in (self._read(hearer), self._write(hearer), self._cut.wait())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hearer.gone()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _put(self, message: MutableMapping[str, Any]) -> None:
        self._waiting.append(message)
        self._stirred.set()

    async def _read(self, hearer: Hearer) -> None:
        """Hear every message until the other side has gone."""
        while (event := await self._receive())["type"] != "websocket.disconnect":
            pause = hearer.heard(event.get("text"))
            if pause > 0:
                await asyncio.sleep(pause)

    async def _write(self, hearer: Hearer) -> None:
        """Send what comes, until the closing or the other side's end."""
        with suppress(RuntimeError, OSError):  # what servers raise when the other side has just gone
            while True:
                while self._waiting:
                    message = self._waiting.popleft()
                    await self._send(message)
                    if message["type"] == "websocket.close":
                        return
                    self._weight -= len(message["text"].encode())
                    if self.is_full and self._weight <= FULL // 4:
                        self.is_full = False
                        hearer.drained()
                self._stirred.clear()
                await self._stirred.wait()


def handing_of(scope: Scope) -> Handing | None:
    """What the server of this connection gives it away with; None where it does not."""
    found: Handing | None = (scope.get("extensions") or {}).get(HANDING)
    return found
