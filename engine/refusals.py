"""Requests that HTTP itself refuses, before there is anything to execute."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import BAD_REQUEST, Refused


class NotServed(Refused):
    """A request that is no GraphQL request that we serve: its status, and the headers that say what would be served."""

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None, code: str = BAD_REQUEST
    ) -> None:
        super().__init__(status, message, {"code": code})
        self.headers = dict(headers or {})


def malformed(message: str) -> NotServed:
    """400: this is not a well-formed GraphQL-over-HTTP request."""
    return NotServed(400, message)


def too_large(limit: int) -> NotServed:
    """413; the connection ends with it, since the rest of the body was not read."""
    return NotServed(413, f"The body has more than {limit} bytes.", {"Connection": "close"})
