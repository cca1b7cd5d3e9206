"""What uvicorn does not do for sockets: say why one fails, cut one that takes nothing, drain before it stops.

    uvicorn.Config(app, ws=SocketProtocol, ...)
    DrainingServer(config, drain=lambda: sockets.drain(evenly(5))).run()

Without these `GraphQLSocket` works, but for clients that no longer read: their connections stay half-open.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from engine.websockets.socket import ABORT

logger = logging.getLogger("uvicorn.error")

CLOSING_SECONDS = 2.0
"""How long a client may take to answer when we close, before the connection is cut."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own, with ends that hold.

    - A client that breaks WebSocket itself (RFC 6455), or sends too much, is told so: the connection stays open for
      reading until the client has closed it. Closed at once, as uvicorn does, what is unread makes the kernel reset it,
      and the client may never see the code.
    - A connection whose client reads nothing is cut. Closed, as uvicorn does, it would wait for ever for its buffer to
      be taken.
    """

    cut: asyncio.TimerHandle | None = None

    async def run_asgi(self) -> None:
        """Give the application the means to cut the connection."""
        self.close_timeout = CLOSING_SECONDS
        extensions = cast("dict[str, object]", self.scope["extensions"])
        extensions[ABORT] = self.transport.abort
        await super().run_asgi()

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
        self.queue.put_nowait({"type": "websocket.disconnect", "code": told.code, "reason": told.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.close_sent = True
        self.stop_keepalive()
        self.close_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def keepalive_timeout(self) -> None:
        """Close, and cut what does not close."""
        super().keepalive_timeout()
        self._cut_later()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Cut what has not closed by itself soon after the application has ended."""
        super().on_task_complete(task)
        self._cut_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to be cut."""
        super().connection_lost(exc)
        if self.cut is not None:
            self.cut.cancel()
            self.cut = None

    def _cut_later(self) -> None:
        if self.cut is None and not self.disconnected:
            self.cut = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)


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
