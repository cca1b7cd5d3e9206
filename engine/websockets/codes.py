"""The codes that we close sockets with.

Those from 4400 to 4500 are the protocol's, but for 4413; the others are WebSocket's (RFC 6455, section 7.4.1, and IANA's
registry). In the last column: whether graphql-ws' client comes back by itself.

| code | when | comes back |
| --- | --- | --- |
| 1009 | a message has more bytes than `Options.message_bytes` | no |
| 1012 | this server stops: another one, or its successor, serves | yes |
| 4400 | a frame that is no message of the protocol; the reason says why | no |
| 4401 | an operation before `connection_ack` | no |
| 4403 | credentials that are no good at `connection_init`, that have expired since, or that were revoked | yes |
| 4406 | the client does not offer `graphql-transport-ws` | no |
| 4408 | no `connection_init` within `Options.init_seconds` | yes |
| 4409 | an operation with the id of one that is under way | no |
| 4413 | the client takes what it asked for too slowly: more waits for it than `Options.outgoing_bytes`, or it has taken nothing for `Options.patience` seconds | yes |
| 4429 | a second `connection_init` | no |
| 4500 | a fault of ours | no |

A client that cannot even be told so, since it takes nothing at all, sees its connection break (1006). Of frames that are
no WebSocket the server itself says 1002, 1007 (not UTF-8) or 1009.
"""  # noqa: E501 - a table has no line breaks

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

LONGEST_REASON = 123
"""Bytes of a closing reason (RFC 6455, section 5.5)."""


class Code(IntEnum):
    """Why a socket is closed."""

    TOO_LARGE = 1009
    RESTART = 1012
    MALFORMED = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    WRONG_PROTOCOL = 4406
    NO_INIT = 4408
    TAKEN = 4409
    TOO_SLOW = 4413
    TWO_INITS = 4429
    FAULT = 4500


class Closing(NamedTuple):
    """How a socket is closed."""

    code: int
    reason: str

    def message(self) -> dict[str, object]:
        """As ASGI says it; the reason is cut to what fits into a frame."""
        fitting = self.reason.encode(errors="replace")[:LONGEST_REASON].decode(errors="ignore")
        return {"type": "websocket.close", "code": int(self.code), "reason": fitting}


class Closed(Exception):
    """What the client has sent closes its socket."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.closing = Closing(code, reason)
