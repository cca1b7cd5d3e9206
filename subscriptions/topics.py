"""Topics, and the cursors with which a client comes back.

A topic is a stream of facts by the name that it has in the outbox, and the pub/sub channel of that name. A cursor is a
position of the relay in an envelope that says which kind of cursor it is: opaque to clients, checked here.
"""

from __future__ import annotations

import re

from core.errors import Invalid
from core.keys import decode, encode
from services import outbox

POSITION = re.compile(rb"p(0|[1-9][0-9]{0,17})")


def slot(slot_id: int) -> str:
    """The topic of a slot: its seats, and its flight's day."""
    return outbox.slot_stream(slot_id)


def cursor(position: int) -> str:
    """The cursor of a client that knows everything up to `position`."""
    return encode(b"p%d" % position)


def position(cursor: str) -> int:
    """The inverse of `cursor`; raises Invalid (INVALID_CURSOR, field `after`) for anything that it did not make."""
    match = POSITION.fullmatch(decode(cursor) or b"")
    if match is None:
        raise Invalid("This is no cursor of an event.", field="after", code="INVALID_CURSOR")
    return int(match[1])
