"""What uvicorn's protocol must know of a request that the lane answers in its place, and who sent it.

While it is answered it stands where uvicorn has its own cycle: what is pipelined behind it waits, a server that stops
waits for it, and a connection that was lost is known as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from starlette.types import Message, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})


class Nobody:
    """An event that nobody waits for."""

    def set(self) -> None:
        """It has happened."""


class Turn:
    """One request under way, as uvicorn's protocol looks at it."""

    __slots__ = ("disconnected", "keep_alive", "message_event", "response_complete")

    def __init__(self) -> None:
        self.disconnected = False
        """Whether the client has left; uvicorn says so."""
        self.keep_alive = True
        """Whether the connection stays open afterwards; uvicorn says where not."""
        self.response_complete = False
        self.message_event = Nobody()


class Forwarding:
    """Says who asks where a proxy that is trusted says it, by uvicorn's own rule."""

    def __init__(self, config: Config) -> None:
        trusted = config.forwarded_allow_ips
        self._rule = ProxyHeadersMiddleware(cast("Any", nothing), trusted) if config.proxy_headers else None

    def settle(self, scope: Scope, headers: Iterable[bytes]) -> None:
        """Put the client's address and scheme into the scope of a request with headers of these names."""
        if self._rule is None or FORWARDED.isdisjoint(headers):
            return
        at_once = self._rule(cast("Any", scope), cast("Any", no_message), cast("Any", no_answer))
        try:
            at_once.send(None)
        except StopIteration:
            return
        at_once.close()
        raise RuntimeError("uvicorn's rule for proxies waits for something")


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that does nothing."""


async def no_message() -> Message:
    """Nothing is read."""
    raise RuntimeError("uvicorn's rule for proxies reads the request")


async def no_answer(message: Message) -> None:
    """Nothing is sent."""
    raise RuntimeError("uvicorn's rule for proxies answers the request")
