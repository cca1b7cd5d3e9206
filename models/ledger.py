"""The ledger: every movement of money, as two accounts see it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Minor, Moment, status


class LedgerAccount(StrEnum):
    """Where money is (GATEWAY), to whom it is owed (UNEARNED, REFUNDS), or why it is ours (FEES, REVENUE)."""

    GATEWAY = "GATEWAY"
    UNEARNED = "UNEARNED"
    REFUNDS = "REFUNDS"
    FEES = "FEES"
    REVENUE = "REVENUE"


class PostingKind(StrEnum):
    """What moved. `services.ledger` tells which accounts each kind moves it between."""

    CAPTURED = "CAPTURED"
    OWED = "OWED"
    KEPT = "KEPT"
    REFUNDED = "REFUNDED"
    RETURNED = "RETURNED"
    UNDUE = "UNDUE"
    UNDUE_RETURNED = "UNDUE_RETURNED"
    EARNED = "EARNED"


class Posting(Base):
    """`amount` of one booking's money, debited to one account and credited to another.

    A posting is both halves of an entry, so that no sum of postings can fail to balance. Append-only: a trigger refuses
    UPDATE, DELETE and TRUNCATE. `subject` is the payment, the refund, the quote or the booking that moved it; each
    moves it once in each way, by a unique constraint.
    """

    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("subject", "kind"),
        CheckConstraint("amount > 0", "something"),
        CheckConstraint("debit <> credit", "two_accounts"),
        Index(None, "booking_id"),
    )

    id: Mapped[Key]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"))
    kind: Mapped[PostingKind] = mapped_column(status(PostingKind, "kind"))
    subject: Mapped[UUID]
    debit: Mapped[LedgerAccount] = mapped_column(status(LedgerAccount, "debit"))
    credit: Mapped[LedgerAccount] = mapped_column(status(LedgerAccount, "credit"))
    amount: Mapped[Minor]
    currency: Mapped[Code]
    at: Mapped[Moment]
