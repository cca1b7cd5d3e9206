"""Discrepancies: what a gateway has otherwise than we do, noted once for a person to settle.

Reconciliation finds them in gateways' lists; a dispute is noted as soon as a webhook tells of it, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core import clock
from core.db import ReadSession, Session
from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.log import logger
from models import Discrepancy, DiscrepancyKind, Payment
from services.gateways import ListedDispute

FOUND = Counter("jetway_discrepancies_total", "What gateways have otherwise than we do; alert on any.", ["kind"])

log = logger("discrepancies")


async def note_dispute(session: Session, gateway: str, told: ListedDispute) -> None:
    """Note a dispute about a payment of ours; one about anything else is nothing to us."""
    payment = await payment_at(session, gateway, told.payment)
    if payment is not None:
        details = {"amount": told.amount.minor_units, "reason": told.reason, **ours(payment)}
        await note(session, payment, DiscrepancyKind.DISPUTED, told.gateway_id, details)


async def payment_at(session: ReadSession, gateway: str, gateway_id: str) -> Payment | None:
    """Our payment with that id of its gateway's."""
    found: Payment | None = await session.scalar(
        select(Payment).where(Payment.gateway == gateway, Payment.gateway_id == gateway_id)
    )
    return found


async def note(
    session: Session, about: Payment | str, kind: DiscrepancyKind, subject: str, details: Mapping[str, Any]
) -> None:
    """Note a discrepancy about a payment of ours, or at a gateway: counted and logged the first time."""
    gateway, booking_id = (about.gateway, about.booking_id) if isinstance(about, Payment) else (about, None)
    row = {
        "id": uuid7(),
        "gateway": gateway,
        "kind": kind,
        "subject": subject,
        "booking_id": booking_id,
        "details": dict(details),
        "found_at": clock.now(),
    }
    noted = insert(Discrepancy).values(row).on_conflict_do_nothing().returning(Discrepancy.id)
    if await session.scalar(noted) is not None:
        FOUND.labels(kind).inc()
        log.error("discrepancy", kind=kind, gateway=gateway, subject=subject, **details)


def ours(payment: Payment) -> dict[str, Any]:
    """What we have of a payment, for whoever settles a discrepancy. Amounts are minor units."""
    return {
        "payment": str(payment.id),
        "status": payment.status,
        "captured": payment.captured,
        "refunded": payment.refunded,
        "currency": payment.currency,
    }


async def found(session: ReadSession, *, settled: bool, first: int, after: UUID | None) -> Sequence[Discrepancy]:
    """What was found, the oldest first: what is open, or what was settled."""
    chosen = select(Discrepancy).where(Discrepancy.settled_at.is_not(None) == settled)
    if after is not None:
        chosen = chosen.where(Discrepancy.id > after)
    return (await session.scalars(chosen.order_by(Discrepancy.id).limit(first))).all()


async def settle(session: Session, discrepancy_id: UUID, actor: str, why: str) -> Discrepancy:
    """Write that somebody has seen to it, and how. Raises NotFound, and Conflict (SETTLED) where somebody had."""
    found = await session.get(Discrepancy, discrepancy_id, with_for_update=True)
    if found is None:
        raise NotFound("There is no such discrepancy.")
    if found.settled_at is not None:
        raise Conflict("This was settled before.", code="SETTLED")
    found.settled_at, found.settled_by, found.settled_why = clock.now(), actor, why
    await session.flush()
    return found
