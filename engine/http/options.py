"""What the HTTP transport reads, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """Bounds and switches. The defaults fit a server on the open internet."""

    body_bytes: int = 256 * 1024
    """The longest body as it comes over the wire; more is 413."""

    unpacked_bytes: int = 1024 * 1024
    """The longest body once it is unpacked; more is 413, whatever it was packed to."""

    body_seconds: float = 30.0
    """How long a body may take to come; longer is 408."""

    url_bytes: int = 16 * 1024
    """The longest query string of a GET; more is 414."""

    batch: int = 0
    """How many operations one body may hold as a JSON array; 0 refuses arrays."""

    preflight: frozenset[str] = frozenset()
    """Names of headers, in lower case, of which a GET must have one (Apollo: `apollo-require-preflight`,
    `x-apollo-operation-name`). None by default: see `GraphQLHTTP`."""

    persisted_cache_control: str = "private, no-cache"
    """Cache-Control of a GET of a persisted document whose answer no cache has decided on: a browser keeps the answer
    and asks with its ETag."""

    varies_by: tuple[str, ...] = ()
    """Names of headers beside Authorization, in lower case, by which answers differ: a cache keeps those apart,
    and `Vary` names them."""
