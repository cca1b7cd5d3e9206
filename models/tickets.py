"""Tickets: one per passenger and flight."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Sequence, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Moment, status

TICKET_SERIALS = Sequence("ticket_serials", metadata=Base.metadata)
"""The serial part of ticket numbers. Numbers that a failed transaction drew are never used again."""


class TicketStatus(StrEnum):
    """The status of a ticket's coupon."""

    OPEN = "OPEN"
    USED = "USED"
    VOID = "VOID"
    REFUNDED = "REFUNDED"
    EXCHANGED = "EXCHANGED"


class Ticket(Base):
    """An electronic ticket: 13 digits, of which the first three name the airline that stands behind it.

    A passenger has one for a flight that is good or was flown, by a partial unique index, and any number that are not.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("number ~ '^[0-9]{13}$'", "thirteen_digits"),
        Index(
            "uq_tickets_one_good",
            "passenger_id",
            "slot_id",
            unique=True,
            postgresql_where=text("status IN ('OPEN', 'USED')"),
        ),
        Index(None, "passenger_id"),
    )

    number: Mapped[Code] = mapped_column(primary_key=True)
    passenger_id: Mapped[UUID] = mapped_column(ForeignKey("passengers.id"))
    slot_id: Mapped[int] = mapped_column(ForeignKey("flights.slot_id"))
    status: Mapped[TicketStatus] = mapped_column(status(TicketStatus))
    issued_at: Mapped[Moment]
