"""Amendments: changes of a confirmed booking, quoted first and then confirmed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Minor, Moment, status


class AmendmentKind(StrEnum):
    """What is changed: `services.amendments` has a file for each."""

    FLIGHT = "FLIGHT"
    SEAT = "SEAT"
    NAME = "NAME"
    EXTRAS = "EXTRAS"
    EXTRAS_GIVEN_UP = "EXTRAS_GIVEN_UP"


class AmendmentStatus(StrEnum):
    """QUOTED until it is confirmed; PAYMENT_PENDING while what is due is being paid."""

    QUOTED = "QUOTED"
    PAYMENT_PENDING = "PAYMENT_PENDING"
    APPLIED = "APPLIED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


class Amendment(Base):
    """A change of a booking at a price that is kept until `expires_at`.

    `change` is what it does, in the words of its kind; `removed` and `added` are lines of the booking's price
    (`{"kind", "label", "amount", "slot_id", "unit"}`). `difference` is new less old, `penalty` what is kept beside the
    price, and `due`, their sum, is collected where it is more than nothing and given back where it is less. `hold_id`
    is the hold that keeps the new places, where there are any. `basis` is the fingerprint of the booking that was
    quoted for: a booking with another has changed since. At most one amendment of a booking waits for its payment;
    `sold_at` is when all of that was promised, and what the hold keeps was sold.
    """

    __tablename__ = "amendments"
    __table_args__ = (
        CheckConstraint("penalty >= 0", "penalty_not_negative"),
        CheckConstraint("due = difference + penalty", "adds_up"),
        Index(None, "booking_id"),
        Index(None, "hold_id"),
        Index("ix_amendments_deadlines", "expires_at", postgresql_where=text("status = 'QUOTED'")),
        Index(
            "uq_amendments_one_under_way",
            "booking_id",
            unique=True,
            postgresql_where=text("status = 'PAYMENT_PENDING'"),
        ),
    )

    id: Mapped[Key]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"))
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("holds.id"))
    kind: Mapped[AmendmentKind] = mapped_column(status(AmendmentKind, "kind"))
    status: Mapped[AmendmentStatus] = mapped_column(status(AmendmentStatus))
    change: Mapped[dict[str, Any]] = mapped_column(JSONB)
    removed: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    added: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    difference: Mapped[Minor]
    penalty: Mapped[Minor]
    due: Mapped[Minor]
    currency: Mapped[Code]
    reason: Mapped[str]
    basis: Mapped[bytes]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    sold_at: Mapped[datetime | None]
