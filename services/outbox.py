"""Facts: what happened, written in the transaction that made it so.

The relay (`services/relay.py`) tells them to everybody after the commit, at least once and in order per stream.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert

from core.db import Session
from models import Fact


def slot_stream(slot_id: int) -> str:
    """The stream of everything that happens to a slot: its seats, and its flight's day."""
    return f"slot:{slot_id}"


def booking_stream(booking_id: UUID) -> str:
    """The stream of everything that happens to a booking, its payments and its tickets."""
    return f"booking:{booking_id}"


def hold_stream(hold_id: UUID) -> str:
    """The stream of everything that happens to a hold."""
    return f"hold:{hold_id}"


async def record(session: Session, kind: str, stream: str, payload: dict[str, Any]) -> None:
    """Write that `kind` (past tense, `flight.delayed`) happened to `stream`.

    Call it while the row of what it happened to is locked: then the facts of one stream are in order. `payload` is
    JSON with UUIDs and times as strings.
    """
    await session.execute(insert(Fact).values(kind=kind, stream=stream, payload=payload))
