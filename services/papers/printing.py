"""Drawing a paper: which there are of a booking, and its PDF."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from core.db import ReadSession
from models import Passenger, Payment, Ticket
from services import payments
from services.papers import etickets, receipts, records
from services.papers.records import Record


class PaperKind(StrEnum):
    """What a traveller can print or keep."""

    E_TICKET = "E_TICKET"
    RECEIPT = "RECEIPT"


async def kinds_of(session: ReadSession, booking_id: UUID) -> list[PaperKind]:
    """The papers that a booking has now: an e-ticket while a ticket is good, a receipt once money was taken."""
    paid = select(Payment.id).where(Payment.booking_id == booking_id, Payment.status.in_(payments.TAKEN))
    good = (
        select(Ticket.number)
        .join(Passenger, Passenger.id == Ticket.passenger_id)
        .where(Passenger.booking_id == booking_id, Ticket.status.in_(records.GOOD))
    )
    ticketed, receipted = (await session.execute(select(good.exists(), paid.exists()))).one()
    having = {PaperKind.E_TICKET: ticketed, PaperKind.RECEIPT: receipted}
    return [kind for kind, has in having.items() if has]


def draw(kind: PaperKind, record: Record) -> bytes:
    """The paper as a PDF. Takes a tenth of a second of a core and more: not for the event loop's own thread."""
    return etickets.draw(record) if kind is PaperKind.E_TICKET else receipts.draw(record)
