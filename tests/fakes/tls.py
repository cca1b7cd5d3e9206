"""One TLS context for all clients of a test process: reading the world's certificates takes httpx 25 ms a client."""

from __future__ import annotations

from functools import lru_cache

from httpx._transports import default


def share_contexts() -> None:
    """Have clients that ask for the same context get the same one. Nothing here is asked for over TLS."""
    default.create_ssl_context = lru_cache(maxsize=8)(default.create_ssl_context)  # type: ignore[attr-defined]
