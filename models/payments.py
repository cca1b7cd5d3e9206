"""Payments, refunds, and what gateways told us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Minor, Moment, Small, status


class PaymentStatus(StrEnum):
    """The life of a payment. AUTHORIZED money is promised, CAPTURED money is ours; REVIEW waits for staff to look."""

    INITIATED = "INITIATED"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    PROCESSING = "PROCESSING"
    REVIEW = "REVIEW"
    AUTHORIZED = "AUTHORIZED"
    CAPTURED = "CAPTURED"
    DECLINED = "DECLINED"
    VOIDED = "VOIDED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


class RefundStatus(StrEnum):
    """REQUESTED is our intent; the gateway makes it SUCCEEDED or FAILED."""

    REQUESTED = "REQUESTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Payment(Base):
    """One attempt to pay for a booking, or a share of it. Its key is the idempotency key of every call that it makes.

    `amendment_id` names what it pays for, null standing for the booking's sale. At most one payment of each share of
    that, null standing for all of it, is under way or taken: a partial unique index says so. `by_link` tells that
    it was made by whoever had a payment link, who need not be the booking's owner. `waived` is what of the
    amount will not be taken, because the seats that it was for were lost. `off_session` tells that the payer is not
    there, and that the bank may be asked more than once: `attempts` counts how often it was, `retry_at` is when it is
    asked again. `deadline_at` is until when the money may come, where that is longer than the seats are kept.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(
            "0 <= refunded AND refunded <= captured AND captured <= amount",
            "never_more_than_taken",
        ),
        CheckConstraint("waived BETWEEN 0 AND amount", "waived_of_amount"),
        Index(
            "uq_payments_one_under_way",
            "booking_id",
            "amendment_id",
            "share_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("status NOT IN ('DECLINED', 'VOIDED')"),
        ),
        Index(None, "booking_id"),
        Index(
            "ix_payments_under_way",
            "created_at",
            postgresql_where=text("status NOT IN ('DECLINED', 'VOIDED', 'CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED')"),
        ),
    )

    id: Mapped[Key]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"))
    amendment_id: Mapped[UUID | None] = mapped_column(ForeignKey("amendments.id"))
    share_id: Mapped[UUID | None] = mapped_column(ForeignKey("shares.id"))
    by_link: Mapped[bool] = mapped_column(server_default=text("false"))
    gateway: Mapped[Code]
    gateway_id: Mapped[Code | None] = mapped_column(unique=True)
    method: Mapped[str]
    return_url: Mapped[str | None]
    status: Mapped[PaymentStatus] = mapped_column(status(PaymentStatus))
    amount: Mapped[Minor]
    captured: Mapped[Minor] = mapped_column(server_default=text("0"))
    refunded: Mapped[Minor] = mapped_column(server_default=text("0"))
    waived: Mapped[Minor] = mapped_column(server_default=text("0"))
    currency: Mapped[Code]
    client_secret: Mapped[str | None]
    redirect_url: Mapped[str | None]
    decline_code: Mapped[str | None]
    decline_message: Mapped[str | None]
    off_session: Mapped[bool] = mapped_column(server_default=text("false"))
    attempts: Mapped[Small] = mapped_column(server_default=text("1"))
    retry_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    created_at: Mapped[Moment]


class Share(Base):
    """One payer's part of a booking's price. Those that were not withdrawn add up to it, in the order of `ordinal`.

    Those of a split that was made anew are withdrawn; nothing can be paid by them any more.
    """

    __tablename__ = "shares"
    __table_args__ = (
        CheckConstraint("amount > 0", "something"),
        Index(
            "uq_shares_one_each", "booking_id", "ordinal", unique=True, postgresql_where=text("withdrawn_at IS NULL")
        ),
        Index(None, "booking_id"),
    )

    id: Mapped[Key]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"))
    ordinal: Mapped[Small]
    amount: Mapped[Minor]
    currency: Mapped[Code]
    label: Mapped[str]
    email: Mapped[str | None]
    created_at: Mapped[Moment]
    withdrawn_at: Mapped[datetime | None]


class Refund(Base):
    """Money on its way back. Its key is the idempotency key of the call that asks for it.

    `to_card` tells whether it goes to a card; null until its gateway has said, and for good where it does not say.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount > 0", "something"),
        Index(None, "payment_id"),
        Index("ix_refunds_requested", "payment_id", postgresql_where=text("status = 'REQUESTED'")),
    )

    id: Mapped[Key]
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"))
    gateway_id: Mapped[Code | None] = mapped_column(unique=True)
    status: Mapped[RefundStatus] = mapped_column(status(RefundStatus))
    amount: Mapped[Minor]
    currency: Mapped[Code]
    reason: Mapped[str]
    to_card: Mapped[bool | None]
    created_at: Mapped[Moment]


class WebhookEvent(Base):
    """What a gateway told us, stored before it is acted on; acted on once."""

    __tablename__ = "webhook_events"

    gateway: Mapped[Code] = mapped_column(primary_key=True)
    event_id: Mapped[Code] = mapped_column(primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[Moment]
    handled_at: Mapped[datetime | None]
