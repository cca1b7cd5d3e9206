"""Topics: what a live stream listens to.

A topic is a stream of facts by the name that it has in the outbox, and the pub/sub channel of that name.
"""

from __future__ import annotations

from uuid import UUID

from services import flights, outbox, users
from services import notices as kept


def slot(slot_id: int) -> str:
    """The topic of a slot: its seats, and its flight's day."""
    return outbox.slot_stream(slot_id)


def booking(booking_id: UUID) -> str:
    """The topic of a booking, its payments, its tickets and the notices about it."""
    return outbox.booking_stream(booking_id)


def notices(user_id: UUID) -> str:
    """The topic of the notices of a user."""
    return kept.owner_stream(user_id)


def airport(code: str) -> str:
    """The topic of what changes on the departures board of an airport."""
    return flights.airport_stream(code)


def reviews() -> str:
    """The topic of payments that staff have to look at."""
    return outbox.REVIEWS


def session_endings() -> str:
    """The topic of every sign-in that ends."""
    return users.SESSION_ENDINGS
