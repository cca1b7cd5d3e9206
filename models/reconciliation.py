"""Reconciliation: how far gateways' lists were walked, and what was found in them that is not as we have it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Moment, status


class DiscrepancyKind(StrEnum):
    """What a person has to look at: nothing that Jetway could put right by itself."""

    UNKNOWN_PAYMENT = "UNKNOWN_PAYMENT"
    MISSING_PAYMENT = "MISSING_PAYMENT"
    OTHER_AMOUNT = "OTHER_AMOUNT"
    UNKNOWN_REFUND = "UNKNOWN_REFUND"
    DISPUTED = "DISPUTED"


class Walk(Base):
    """Up to when the payments and refunds of a gateway were compared with ours."""

    __tablename__ = "reconciliation_walks"

    gateway: Mapped[Code] = mapped_column(primary_key=True)
    walked_to: Mapped[Moment]


class Discrepancy(Base):
    """Something at a gateway that is not as we have it: noted once, however often it is found.

    `subject` is the gateway's id of the payment, refund or dispute. `settled_at` is null until somebody has said why
    it is as it should be, or what was done about it.
    """

    __tablename__ = "discrepancies"
    __table_args__ = (
        UniqueConstraint("gateway", "subject", "kind"),
        Index("ix_discrepancies_open", "id", postgresql_where=text("settled_at IS NULL")),
    )

    id: Mapped[Key]
    gateway: Mapped[Code]
    kind: Mapped[DiscrepancyKind] = mapped_column(status(DiscrepancyKind, "kind"))
    subject: Mapped[Code]
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("bookings.id"))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    found_at: Mapped[Moment]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    settled_why: Mapped[str | None]
