"""What one process takes from sockets, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """Bounds. The defaults fit a server on the open internet; times are in seconds."""

    init_seconds: float = 3.0
    """How long a socket may be open without `connection_init`; longer is 4408."""

    message_bytes: int = 256 * 1024
    """The longest message; more is 1009. The server's own limit should be the same (uvicorn: `ws_max_size`)."""

    operations: int = 100
    """How many operations one socket may have under way; one more is told an error."""

    operations_per_second: float = 50.0
    operations_burst: int = 100
    """How many operations one socket may start at once, before the rate counts; more are told an error."""

    messages_per_second: float = 200.0
    messages_burst: int = 1_000
    """How many messages of any kind are read at once, before the rate counts; the rest waits at the client."""

    sockets: int = 10_000
    """How many sockets one process serves at a time; one more is refused with 503."""

    sockets_per_client: int = 200
    """How many of those may be one client's (`Hooks.client_of`); one more is refused with 429."""

    silent_sockets: int = 2_000
    """How many of them may be without `connection_init`; one more is refused with 503."""

    outgoing_bytes: int = 1024 * 1024
    """How much may wait for one client; more is 4413. A single message may be longer."""

    patience: float = 30.0
    """How long one write may wait for a client that does not read; longer is 4413."""

    closing_seconds: float = 2.0
    """How long a socket that we close may take what still waits, and the closing; then the connection is cut."""

    allowed_origins: frozenset[str] = frozenset()
    """Other origins whose pages may open sockets here, as `https://shop.example`; `*` for all of them."""
