"""A booking, rebuilt from its record: the facts of its stream, which are kept for ever.

Facts say nothing about persons, so what is rebuilt is what became of the booking, its money and its tickets, and not
who travels. A test holds it against the rows after every journey.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.db import ReadSession
from models import Fact
from services import outbox


@dataclass
class Rebuilt:
    """What the facts of a booking say: its columns, and by key its payments, refunds, tickets, extras and changes.

    Statuses are text. `gone` are the passengers who left it, `given_up` the flights (by slot) that were cancelled of
    it.
    """

    booking: dict[str, Any] = field(default_factory=dict)
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    tickets: dict[str, dict[str, Any]] = field(default_factory=dict)
    extras: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    given_up: set[int] = field(default_factory=set)
    amendments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take_in(self, kind: str, payload: Mapping[str, Any]) -> None:
        """One more fact, in order. What is about none of these changes none of them."""
        said = {key: value for key, value in payload.items() if key not in ("from", "actor", "reason")}
        match kind.partition(".")[0]:
            case "booking":
                self.booking |= said
                self.gone.update(said.get("passengers", ()))
                self.given_up.update(said.get("slots", ()))
            case "payment":
                self.payments.setdefault(said["payment"], {}).update(said)
            case "refund":
                self.refunds.setdefault(said["refund"], {}).update(said)
            case "amendment":
                self.amendments.setdefault(said["amendment"], {}).update(said)
            case "extra":
                self.extras.setdefault(said["extra"], {}).update(said)
            case "ticket":
                self.tickets.setdefault(said["ticket"], {}).update(said)


def rebuild(facts: Iterable[tuple[str, Mapping[str, Any]]]) -> Rebuilt:
    """What became of a booking: kinds and payloads of its facts, in order."""
    rebuilt = Rebuilt()
    for kind, payload in facts:
        rebuilt.take_in(kind, payload)
    return rebuilt


async def record(session: ReadSession, booking_id: UUID) -> Rebuilt:
    """A booking from the facts of its stream."""
    chosen = select(Fact.kind, Fact.payload).where(Fact.stream == outbox.booking_stream(booking_id)).order_by(Fact.id)
    return rebuild([(row.kind, row.payload) for row in await session.execute(chosen)])
