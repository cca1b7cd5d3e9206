"""Holds: what a shopper keeps for some minutes before paying."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Moment, Small, status


class HoldStatus(StrEnum):
    """ACTIVE until its deadline; BOOKED once a paid booking has taken over what it held."""

    ACTIVE = "ACTIVE"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"
    BOOKED = "BOOKED"


class Hold(Base):
    """What one shopper keeps, until `expires_at` and never beyond `cap_at` (plus one grace while paying).

    An ACTIVE hold whose deadline has passed holds nothing: the sweeper only writes down what is already true.
    `owner_id` is null for a guest, who proves ownership with a signed token. From `booking_id` on it belongs to that
    booking. `expires_before_payment` is the deadline to go back to when a payment is declined, `expires_before_review`
    the one that its shopper goes on to be told while staff look at a payment.
    """

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint("expires_at <= cap_at + interval '10 minutes'", "capped"),
        CheckConstraint("extensions BETWEEN 0 AND 2", "extended_at_most_twice"),
        Index(
            "ix_holds_deadlines",
            "expires_at",
            postgresql_where=text("status = 'ACTIVE'"),
        ),
        Index(None, "booking_id"),
    )

    id: Mapped[Key]
    status: Mapped[HoldStatus] = mapped_column(status(HoldStatus))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    booking_id: Mapped[UUID | None]
    minutes: Mapped[Small]
    extensions: Mapped[Small] = mapped_column(server_default=text("0"))
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    cap_at: Mapped[Moment]
    expires_before_payment: Mapped[datetime | None]
    expires_before_review: Mapped[datetime | None]

    @property
    def told_until(self) -> datetime:
        """The deadline that its shopper is told: what a review adds is staff's to know."""
        return self.expires_before_review or self.expires_at


class HoldItem(Base):
    """What a hold keeps of one pool: how many, and which units where they were chosen.

    `booking_class` is the class that counts them, null until a booking names it; `returned` is how many of them the
    booking has given back after they were sold.
    """

    __tablename__ = "hold_items"
    __table_args__ = (
        CheckConstraint("quantity > 0", "something"),
        CheckConstraint("returned BETWEEN 0 AND quantity", "returned_once"),
        Index(None, "slot_id", "pool"),
    )

    hold_id: Mapped[UUID] = mapped_column(ForeignKey("holds.id"), primary_key=True)
    slot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pool: Mapped[Code] = mapped_column(primary_key=True)
    quantity: Mapped[Small]
    units: Mapped[list[str]] = mapped_column(ARRAY(String(collation="C")))
    booking_class: Mapped[Code | None]
    returned: Mapped[Small] = mapped_column(server_default=text("0"))
