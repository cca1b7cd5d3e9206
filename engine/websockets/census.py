"""The sockets of one process, counted and found."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from engine.errors import Refused
from engine.websockets.options import Options

if TYPE_CHECKING:
    from engine.websockets.socket import Socket

RETRY_AFTER = 5
"""Seconds after which a client may try again that was one too many."""


def too_many(status: int, message: str, code: str) -> Refused:
    """The refusal of one more socket."""
    return Refused(status, message, {"code": code, "retryAfter": RETRY_AFTER})


class Census:
    """Who is here. A place is taken before a socket is accepted, and given back when it has ended."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.count = 0
        """Sockets, from the handshake to their end."""
        self.silent = 0
        """Those among them without connection_init."""
        self.clients: Counter[str] = Counter()
        self.sockets: dict[Socket, None] = {}
        """Those that were accepted, the oldest first."""
        self.known: dict[Hashable, set[Socket]] = {}
        """Sockets by the identities that may be revoked."""
        self._left: asyncio.Future[None] | None = None

    def enter(self, client: str | None) -> None:
        """Take a place for one more socket. Raises Refused 503 or 429."""
        options = self._options
        if self.count >= options.sockets or self.silent >= options.silent_sockets:
            raise too_many(503, "Too many sockets are open here.", "UNAVAILABLE")
        if client is not None and self.clients[client] >= options.sockets_per_client:
            raise too_many(429, "You have too many sockets open.", "RATE_LIMITED")
        self.count += 1
        if client is not None:
            self.clients[client] += 1

    def leave(self, client: str | None) -> None:
        """Give the place back."""
        self.count -= 1
        if client is not None:
            self.clients[client] -= 1
            if not self.clients[client]:
                del self.clients[client]

    def list(self, socket: Socket) -> None:
        """Have an accepted socket found."""
        self.sockets[socket] = None
        self.silent += 1

    def unlist(self, socket: Socket) -> None:
        """Forget a socket that has ended."""
        del self.sockets[socket]
        self.heard(socket)
        self._forget(socket)
        if self._left is not None and not self.sockets and not self._left.done():
            self._left.set_result(None)

    async def emptied(self) -> None:
        """Wait until the last of the sockets has ended."""
        if self.sockets:
            self._left = asyncio.get_running_loop().create_future()
            await self._left

    def heard(self, socket: Socket) -> None:
        """Count a socket as one that has sent its connection_init, or that never will."""
        if socket.is_silent:
            socket.is_silent = False
            self.silent -= 1

    def identify(self, socket: Socket, identities: Iterable[Hashable]) -> None:
        """Have a socket found by these identities."""
        socket.identities = tuple(identities)
        for identity in socket.identities:
            self.known.setdefault(identity, set()).add(socket)

    def _forget(self, socket: Socket) -> None:
        for identity in socket.identities:
            others = self.known.get(identity, set())
            others.discard(socket)
            if not others:
                self.known.pop(identity, None)
