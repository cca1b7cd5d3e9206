"""Notices: what Jetway, or an airline, tells whoever has booked; and the alerts from which some of them come."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Moment, status


class NoticeKind(StrEnum):
    """What a notice is about."""

    ALERT = "ALERT"
    FLIGHT_DELAYED = "FLIGHT_DELAYED"
    FLIGHT_ON_TIME = "FLIGHT_ON_TIME"
    FLIGHT_DIVERTED = "FLIGHT_DIVERTED"
    FLIGHT_CANCELLED = "FLIGHT_CANCELLED"
    BOOKING_CONFIRMED = "BOOKING_CONFIRMED"
    BOOKING_EXPIRED = "BOOKING_EXPIRED"
    BOOKING_FAILED = "BOOKING_FAILED"
    BOOKING_CANCELLED = "BOOKING_CANCELLED"
    BOOKING_PARTLY_CANCELLED = "BOOKING_PARTLY_CANCELLED"
    BOOKING_CHANGED = "BOOKING_CHANGED"
    CHANGE_FAILED = "CHANGE_FAILED"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    PAYMENT_REFUNDED = "PAYMENT_REFUNDED"
    REFUND_FAILED = "REFUND_FAILED"
    SEATS_FOUND_AGAIN = "SEATS_FOUND_AGAIN"
    SEATS_CHANGED = "SEATS_CHANGED"
    MONEY_RETURNED = "MONEY_RETURNED"


class FlightAlert(Base):
    """Something to be told to everybody booked on a flight. `reached` counts the bookings that were told so far;
    `told_at` is null until that were all."""

    __tablename__ = "flight_alerts"
    __table_args__ = (CheckConstraint("reached >= 0", "not_negative"), Index(None, "slot_id"))

    id: Mapped[Key]
    slot_id: Mapped[int] = mapped_column(ForeignKey("flights.slot_id"))
    kind: Mapped[NoticeKind] = mapped_column(status(NoticeKind, "kind"))
    message: Mapped[str]
    actor: Mapped[str]
    reached: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[Moment] = mapped_column(server_default=text("jetway_now()"))
    told_at: Mapped[datetime | None]


class Notice(Base):
    """A message about a booking, for its owner. `owner_id` is null for a guest's.

    `source` says what it came of: a booking has at most one notice of each, so that telling twice tells once.
    `slot_id` is the flight that it is about, where it is about one.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("booking_id", "source"),
        Index(None, "owner_id", "id"),
        Index("ix_notices_unread", "owner_id", postgresql_where=text("read_at IS NULL")),
    )

    id: Mapped[Key]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    source: Mapped[Code]
    kind: Mapped[NoticeKind] = mapped_column(status(NoticeKind, "kind"))
    message: Mapped[str]
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("flights.slot_id"))
    created_at: Mapped[Moment] = mapped_column(server_default=text("jetway_now()"))
    read_at: Mapped[datetime | None]
