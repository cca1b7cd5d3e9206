"""Where a response cache fits in: a seam of two calls. Nothing here keeps anything.

A cache is asked twice. `find` comes before anything is decoded, so that a hit costs one look-up; `answer` comes once
the operation is prepared and its context is made, and may execute it or not. What `find` gives out must be what this
very client may see: what is in a `Raw` is all that it is told. `engine.caching` is a cache to be used here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from engine.operations import Answer, Prepared


class Raw(NamedTuple):
    """A request as it came: hashable, equal for equal requests."""

    method: str
    """GET or POST."""

    content: bytes
    """The query string of a GET, the unpacked body of a POST."""

    authorization: bytes | None
    varied: tuple[bytes | None, ...] = ()
    """The headers named in `Options.varies_by`, in that order."""

    address: str = ""
    """Where it came from."""

    fresh: bool = False
    """Whether it says `Cache-Control: no-cache` or `no-store`: then nothing may be found that was kept before."""

    @property
    def asked(self) -> tuple[str, bytes, bytes | None, tuple[bytes | None, ...]]:
        """Equal for requests that ask for the same in the same name."""
        return self[:4]

    @property
    def senders(self) -> tuple[bytes | str, ...]:
        """By what the client is known: requests that share one of these may be the same client's."""
        return (self.address,) if self.authorization is None else (self.address, self.authorization)


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer in bytes. The headers are for a GET; a POST is sent without them."""

    body: bytes
    etag: str | None = None
    """In its quotes (RFC 9110 section 8.8.3)."""

    cache_control: str | None = None
    """None: `no-store`."""

    age: int | None = None
    """Whole seconds since it was made (RFC 9111 section 5.1), which POSTs are told too. None: made now."""

    operation: str = ""
    """What was answered, for those who count: `query.flightSearch`."""


class ResponseCache(Protocol):
    """What keeps answers to queries. Faults of its own it keeps to itself: it then finds nothing, or executes."""

    def find(self, raw: Raw) -> Stored | None:
        """The answer to exactly this request, where it is at hand and still true; at once, without waiting."""

    async def answer(
        self, raw: Raw, prepared: Prepared, context: Any, execute: Callable[[Any], Awaitable[Answer]]
    ) -> Stored | None:
        """The answer to a query: one that is kept, or what `execute` gives, once at most, for this or another context.

        None where the cache has nothing to do with it: then it is executed as if there were none.
        """

    def wrote(self, raw: Raw) -> None:
        """A mutation in this request has ended, well or not: its sender is to see what it did."""


def etag_of(body: bytes) -> str:
    """A strong ETag for these bytes."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def is_known(etag: str, if_none_match: bytes | None) -> bool:
    """Whether the client has this answer already (RFC 9110 section 13.1.2: weak comparison)."""
    if if_none_match is None:
        return False
    known = [one.strip().removeprefix("W/") for one in if_none_match.decode("latin-1").split(",")]
    return etag in known or known == ["*"]
