"""An amendment's row: its states, and what its facts say.

It is locked after its booking, whose stream its facts are on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.db import Session
from core.errors import NotFound
from core.money import Money
from core.states import Machine
from models import Amendment, AmendmentStatus, BookingLine, PriceLineKind
from services import notices, outbox, transitions
from services.fares import PriceLine
from services.offers import Charged
from services.transitions import Cause

AMENDMENT = Machine(
    "amendment",
    AmendmentStatus,
    AmendmentStatus.QUOTED,
    {
        AmendmentStatus.QUOTED: frozenset(
            {AmendmentStatus.PAYMENT_PENDING, AmendmentStatus.APPLIED, AmendmentStatus.EXPIRED}
        ),
        AmendmentStatus.PAYMENT_PENDING: frozenset(
            {AmendmentStatus.QUOTED, AmendmentStatus.APPLIED, AmendmentStatus.EXPIRED, AmendmentStatus.FAILED}
        ),
        AmendmentStatus.APPLIED: frozenset(),
        AmendmentStatus.EXPIRED: frozenset(),
        AmendmentStatus.FAILED: frozenset(),
    },
)
"""QUOTED follows PAYMENT_PENDING when a payment is declined: the quote stands, and may be paid in another way."""

FACTS = {
    AmendmentStatus.QUOTED: "amendment.quoted",
    AmendmentStatus.PAYMENT_PENDING: "amendment.payment_pending",
    AmendmentStatus.APPLIED: "amendment.applied",
    AmendmentStatus.EXPIRED: "amendment.expired",
    AmendmentStatus.FAILED: "amendment.failed",
}
"""The fact that says an amendment came to be in a state."""


async def begin(session: Session, amendment: Amendment, cause: Cause) -> None:
    """Write a new amendment of a locked booking, QUOTED."""
    amendment.status = AMENDMENT.initial
    session.add(amendment)
    await session.flush()
    stream, fact = outbox.booking_stream(amendment.booking_id), FACTS[AMENDMENT.initial]
    await transitions.begin(session, AMENDMENT, amendment.id, stream, fact, payload(amendment), cause)


async def move(session: Session, amendment: Amendment, to: AmendmentStatus, cause: Cause) -> None:
    """Move a locked amendment of a locked booking, with its history and its fact; raises WrongState."""
    stream, facts = outbox.booking_stream(amendment.booking_id), payload(amendment)
    await transitions.advance(session, AMENDMENT, amendment, amendment.id, to, stream, FACTS[to], facts, cause)
    await notices.of_amendment(session, amendment)


def payload(amendment: Amendment) -> dict[str, Any]:
    """What a fact says of an amendment beside its status. Amounts are minor units; nobody's name."""
    return {
        "amendment": str(amendment.id),
        "booking": str(amendment.booking_id),
        "kind": amendment.kind,
        "difference": amendment.difference,
        "penalty": amendment.penalty,
        "due": amendment.due,
        "currency": amendment.currency,
    }


async def locked(session: Session, amendment_id: UUID) -> Amendment:
    """The amendment of a locked booking as it is now, kept from every other writer; raises NotFound."""
    found = await session.get(Amendment, amendment_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("There is no such quote.")
    return found


async def pending(session: Session, booking_id: UUID) -> Amendment | None:
    """The amendment of a locked booking that waits for its payment, locked; None where there is none."""
    chosen = select(Amendment).where(
        Amendment.booking_id == booking_id, Amendment.status == AmendmentStatus.PAYMENT_PENDING
    )
    found: Amendment | None = await session.scalar(chosen.with_for_update().execution_options(populate_existing=True))
    return found


def charged(line: BookingLine, currency: str) -> Charged:
    """A line of a booking's price as a line of any price."""
    return Charged(PriceLine(line.kind, line.label, Money(line.amount, currency)), line.slot_id, line.unit)


def written(lines: Iterable[Charged]) -> list[dict[str, Any]]:
    """Lines of a price as an amendment keeps them."""
    return [
        {
            "kind": one.line.kind,
            "label": one.line.label,
            "amount": one.line.amount.minor_units,
            "slot_id": one.slot_id,
            "unit": one.unit,
        }
        for one in lines
    ]


def read(lines: Iterable[dict[str, Any]], currency: str) -> list[Charged]:
    """The lines that `written` wrote."""
    return [
        Charged(
            PriceLine(PriceLineKind(one["kind"]), one["label"], Money(one["amount"], currency)),
            one["slot_id"],
            one["unit"],
        )
        for one in lines
    ]
