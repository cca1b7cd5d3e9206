"""Fraud: the rules that payments are held against, what they count, and what came of it for each payment."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Minor, Moment, Small, status


class FraudMeasure(StrEnum):
    """What a rule counts: of its subject within a window, or of the payment itself."""

    PAYMENTS = "PAYMENTS"
    DECLINES = "DECLINES"
    CARDS = "CARDS"
    AMOUNT = "AMOUNT"
    SCORE = "SCORE"
    FOREIGN_CARD = "FOREIGN_CARD"


class FraudSubject(StrEnum):
    """By what a rule counts: a payment alone, or all of the same card, account, device, network address or e-mail."""

    PAYMENT = "PAYMENT"
    CARD = "CARD"
    USER = "USER"
    DEVICE = "DEVICE"
    ADDRESS = "ADDRESS"
    EMAIL = "EMAIL"


class FraudVerdict(StrEnum):
    """What becomes of a payment, the mildest first: it goes on, waits for staff, or is refused."""

    ALLOW = "ALLOW"
    REVIEW = "REVIEW"
    BLOCK = "BLOCK"


class SignalKind(StrEnum):
    """What happened to a payment: it was begun, its money was promised, or refused by its bank or gateway."""

    ATTEMPT = "ATTEMPT"
    PROMISE = "PROMISE"
    DECLINE = "DECLINE"


class AssessedAt(StrEnum):
    """When a payment was assessed: before its gateway was asked, and once that had answered."""

    INTENT = "INTENT"
    ANSWER = "ANSWER"


class ReviewDecision(StrEnum):
    """What staff decided about a payment."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class FraudRule(Base):
    """A limit, as data: where more than `most` is measured, the payment gets at least the verdict.

    `seconds` is the window, of rules that count over one; `currency` that of an amount in minor units. `set_by` and
    `reason` are of the last change; the facts `fraud.rule_set` have all of them.
    """

    __tablename__ = "fraud_rules"
    __table_args__ = (
        CheckConstraint("most >= 0", "not_negative"),
        CheckConstraint("seconds BETWEEN 60 AND 2592000", "window"),
        CheckConstraint("(subject = 'PAYMENT') = (seconds IS NULL)", "windows_count_subjects"),
        CheckConstraint("(measure = 'AMOUNT') = (currency IS NOT NULL)", "amounts_have_a_currency"),
        CheckConstraint(
            "CASE measure WHEN 'AMOUNT' THEN true WHEN 'CARDS' THEN subject NOT IN ('PAYMENT', 'CARD')"
            " ELSE (measure IN ('SCORE', 'FOREIGN_CARD')) = (subject = 'PAYMENT') END",
            "measures_what_there_is",
        ),
    )

    name: Mapped[Code] = mapped_column(primary_key=True)
    measure: Mapped[FraudMeasure] = mapped_column(status(FraudMeasure, "measure"))
    subject: Mapped[FraudSubject] = mapped_column(status(FraudSubject, "subject"))
    seconds: Mapped[int | None]
    currency: Mapped[Code | None]
    most: Mapped[int]
    verdict: Mapped[FraudVerdict] = mapped_column(status(FraudVerdict, "verdict"))
    set_at: Mapped[Moment] = mapped_column(server_default=text("jetway_now()"))
    set_by: Mapped[str]
    reason: Mapped[str]


class FraudSignal(Base):
    """Something that happened to a payment, under one of the things by which payers are known again.

    `key` and `card` are 16 bytes of a keyed hash: nothing that identifies anybody is kept. Rows are added, never
    changed, and go when no window reaches them any more.
    """

    __tablename__ = "fraud_signals"
    __table_args__ = (Index(None, "key", "at"), Index(None, "at"))

    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"), primary_key=True)
    kind: Mapped[SignalKind] = mapped_column(status(SignalKind, "kind"), primary_key=True)
    subject: Mapped[FraudSubject] = mapped_column(status(FraudSubject, "subject"), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    card: Mapped[bytes | None] = mapped_column(LargeBinary)
    amount: Mapped[Minor]
    currency: Mapped[Code]
    at: Mapped[Moment] = mapped_column(server_default=text("jetway_now()"))


class FraudAssessment(Base):
    """Rules that a payment went beyond, with the numbers as they were; none is written where there are none.

    `findings` are `{"rule", "measure", "subject", "seconds", "currency", "most", "measured", "verdict"}`. The verdict
    is the worst of what was found so far.
    """

    __tablename__ = "fraud_assessments"

    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"), primary_key=True)
    moment: Mapped[AssessedAt] = mapped_column(status(AssessedAt, "moment"), primary_key=True)
    verdict: Mapped[FraudVerdict] = mapped_column(status(FraudVerdict, "verdict"))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    score: Mapped[Small | None]
    level: Mapped[str | None]
    country: Mapped[str | None]
    at: Mapped[Moment] = mapped_column(server_default=text("jetway_now()"))


class PaymentReview(Base):
    """A payment that staff have to decide about until `deadline_at`, which is when its seats are let go.

    Without a decision it is over as soon as its payment is not REVIEW any more.
    """

    __tablename__ = "payment_reviews"
    __table_args__ = (
        Index("ix_payment_reviews_open", "deadline_at", "payment_id", postgresql_where=text("decision IS NULL")),
        CheckConstraint(
            "num_nulls(decision, decided_at, decided_by, reason) IN (0, 4)",
            "decided_whole",
        ),
    )

    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"), primary_key=True)
    opened_at: Mapped[Moment] = mapped_column(server_default=text("jetway_now()"))
    deadline_at: Mapped[Moment]
    decision: Mapped[ReviewDecision | None] = mapped_column(status(ReviewDecision, "decision"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    reason: Mapped[str | None]
