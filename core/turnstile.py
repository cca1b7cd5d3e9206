"""How many of something each client has at once in this process: past the limit one more is refused.

What it counts lives in this process alone, as do the streams that it is for: it bounds what one client costs one
process, and is no business rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import RateLimited

RETRY_AFTER = 10
"""Seconds after which a client is told to ask again: by then another of its streams may have ended."""


class Turnstile:
    """Counts those inside, by room and client."""

    def __init__(self) -> None:
        self._inside: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def inside(self, room: str, client: str, most: int) -> Iterator[None]:
        """Be in a room as one of this client. Raises RateLimited where `most` of it are inside."""
        place = (room, client)
        if self._inside[place] >= most:
            raise RateLimited(f"No more than {most} of these at once; end one first.", retry_after=RETRY_AFTER)
        self._inside[place] += 1
        try:
            yield
        finally:
            self._inside[place] -= 1
            if not self._inside[place]:
                del self._inside[place]
