"""Facts: what happened, written in the transaction that made it so.

The relay (`services/relay`) tells them to everybody after the commit, at least once and in order per stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, func, select, text

from core.db import dump_json
from core.journal import Book
from core.rows import Scribe
from models import Fact, RelayCursor

FACTS = Book(
    "facts",
    """INSERT INTO facts (kind, stream, payload) SELECT kind, stream, payload
    FROM unnest({}::text[], {}::text[], {}::jsonb[]) WITH ORDINALITY AS told (kind, stream, payload, place)
    ORDER BY place""",
)
"""Written by the last statement of a transaction (`core.journal`), in the order in which they were recorded."""

VIEWERS = "valkey"
"""The sink of the relay that live viewers hear (`relay_cursors`)."""


def slot_stream(slot_id: int) -> str:
    """The stream of everything that happens to a slot: its seats, and its flight's day."""
    return f"slot:{slot_id}"


def booking_stream(booking_id: UUID) -> str:
    """The stream of everything that happens to a booking, its payments and its tickets."""
    return f"booking:{booking_id}"


def hold_stream(hold_id: UUID) -> str:
    """The stream of everything that happens to a hold."""
    return f"hold:{hold_id}"


REVIEWS = "reviews:payments"
"""The stream of reviews that staff open their list for: one begins, one is decided."""

FRAUD_RULES = "fraud:rules"
"""The stream of changes of the rules against fraud."""


@dataclass(frozen=True)
class Told:
    """A fact: its kind (past tense, `flight.delayed`), its stream, and JSON with UUIDs and times as strings."""

    kind: str
    stream: str
    payload: Mapping[str, Any]


async def record(scribe: Scribe, kind: str, stream: str, payload: Mapping[str, Any]) -> None:
    """Have it written that `kind` happened to `stream`.

    Call it while the row of what it happened to is locked: then the facts of one stream are in order.
    """
    scribe.note(FACTS, kind, stream, dump_json(payload))


async def record_all(scribe: Scribe, facts: Sequence[Told]) -> None:
    """The same for several facts, in their order."""
    for one in facts:
        await record(scribe, one.kind, one.stream, one.payload)


def untold_since() -> ScalarSelect[datetime]:
    """When the oldest fact was recorded that live viewers have not been told yet; `infinity` where there is none."""
    heard = select(RelayCursor.position).where(RelayCursor.sink == VIEWERS).scalar_subquery()
    unplaced = select(func.min(Fact.recorded_at)).where(Fact.position.is_(None)).scalar_subquery()
    placed = select(func.min(Fact.recorded_at)).where(Fact.position > heard).scalar_subquery()
    return select(func.coalesce(func.least(unplaced, placed), text("'infinity'"))).scalar_subquery()
