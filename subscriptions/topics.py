"""Topics: what a live stream listens to.

A topic is a stream of facts by the name that it has in the outbox, and the pub/sub channel of that name.
"""

from __future__ import annotations

from services import outbox, users


def slot(slot_id: int) -> str:
    """The topic of a slot: its seats, and its flight's day."""
    return outbox.slot_stream(slot_id)


def session_endings() -> str:
    """The topic of every sign-in that ends."""
    return users.SESSION_ENDINGS
