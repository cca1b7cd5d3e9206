"""Fraud: rules and their first limits, what they count, what was found of each payment, and reviews by staff."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

PAYMENTS = (
    "INITIATED",
    "REQUIRES_ACTION",
    "PROCESSING",
    "AUTHORIZED",
    "CAPTURED",
    "DECLINED",
    "VOIDED",
    "PARTIALLY_REFUNDED",
    "REFUNDED",
)
MEASURES = ("PAYMENTS", "DECLINES", "CARDS", "AMOUNT", "SCORE", "FOREIGN_CARD")
SUBJECTS = ("PAYMENT", "CARD", "USER", "DEVICE", "ADDRESS", "EMAIL")
VERDICTS = ("ALLOW", "REVIEW", "BLOCK")

HOUR, DAY = 3600, 86400

RULES = (
    ("score_elevated", "SCORE", "PAYMENT", None, None, 64, "REVIEW"),
    ("score_highest", "SCORE", "PAYMENT", None, None, 74, "BLOCK"),
    ("foreign_card", "FOREIGN_CARD", "PAYMENT", None, None, 0, "ALLOW"),
    ("payment_amount_usd", "AMOUNT", "PAYMENT", None, "USD", 15_000_00, "REVIEW"),
    ("payment_amount_eur", "AMOUNT", "PAYMENT", None, "EUR", 15_000_00, "REVIEW"),
    ("payment_amount_gbp", "AMOUNT", "PAYMENT", None, "GBP", 12_000_00, "REVIEW"),
    ("card_amount_usd", "AMOUNT", "CARD", DAY, "USD", 30_000_00, "REVIEW"),
    ("card_amount_eur", "AMOUNT", "CARD", DAY, "EUR", 30_000_00, "REVIEW"),
    ("card_amount_gbp", "AMOUNT", "CARD", DAY, "GBP", 25_000_00, "REVIEW"),
    ("card_payments", "PAYMENTS", "CARD", HOUR, None, 10, "REVIEW"),
    ("card_declines", "DECLINES", "CARD", HOUR, None, 5, "REVIEW"),
    ("card_declines_day", "DECLINES", "CARD", DAY, None, 10, "BLOCK"),
    ("user_payments", "PAYMENTS", "USER", HOUR, None, 60, "REVIEW"),
    ("user_declines", "DECLINES", "USER", HOUR, None, 8, "BLOCK"),
    ("user_cards", "CARDS", "USER", DAY, None, 6, "REVIEW"),
    ("device_payments", "PAYMENTS", "DEVICE", HOUR, None, 30, "REVIEW"),
    ("device_declines", "DECLINES", "DEVICE", HOUR, None, 8, "BLOCK"),
    ("device_cards", "CARDS", "DEVICE", DAY, None, 6, "REVIEW"),
    ("email_declines", "DECLINES", "EMAIL", HOUR, None, 8, "BLOCK"),
    ("email_cards", "CARDS", "EMAIL", DAY, None, 6, "REVIEW"),
    ("address_payments", "PAYMENTS", "ADDRESS", 600, None, 200, "REVIEW"),
    ("address_declines", "DECLINES", "ADDRESS", 600, None, 40, "BLOCK"),
    ("address_cards", "CARDS", "ADDRESS", HOUR, None, 100, "REVIEW"),
)
"""The first limits: name, measure, subject, window in seconds, currency, most, verdict. Staff may set others."""


def words(name: str, *values: str) -> sa.Enum:
    """A column of words, with a CHECK that lists them."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A point in time; by itself that of the transaction that wrote the row, unless it may be none."""
    default = None if nullable else sa.text("jetway_now()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def check_payments(*statuses: str) -> None:
    """Have the CHECK on the status of payments list exactly these."""
    listed = ", ".join(f"'{status}'" for status in statuses)
    op.drop_constraint(op.f("ck_payments_status"), "payments")
    op.create_check_constraint(op.f("ck_payments_status"), "payments", f"status IN ({listed})")


def upgrade() -> None:
    check_payments(*PAYMENTS, "REVIEW")
    rules = op.create_table(
        "fraud_rules",
        sa.Column("name", sa.String(collation="C"), nullable=False),
        sa.Column("measure", words("measure", *MEASURES), nullable=False),
        sa.Column("subject", words("subject", *SUBJECTS), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(collation="C"), nullable=True),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("verdict", words("verdict", *VERDICTS), nullable=False),
        moment("set_at"),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("most >= 0", name=op.f("ck_fraud_rules_not_negative")),
        sa.CheckConstraint("seconds BETWEEN 60 AND 2592000", name=op.f("ck_fraud_rules_window")),
        sa.CheckConstraint(
            "(subject = 'PAYMENT') = (seconds IS NULL)", name=op.f("ck_fraud_rules_windows_count_subjects")
        ),
        sa.CheckConstraint(
            "(measure = 'AMOUNT') = (currency IS NOT NULL)", name=op.f("ck_fraud_rules_amounts_have_a_currency")
        ),
        sa.CheckConstraint(
            "CASE measure WHEN 'AMOUNT' THEN true WHEN 'CARDS' THEN subject NOT IN ('PAYMENT', 'CARD')"
            " ELSE (measure IN ('SCORE', 'FOREIGN_CARD')) = (subject = 'PAYMENT') END",
            name=op.f("ck_fraud_rules_measures_what_there_is"),
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fraud_rules")),
    )
    columns = ("name", "measure", "subject", "seconds", "currency", "most", "verdict", "set_by", "reason")
    op.bulk_insert(rules, [dict(zip(columns, (*rule, "jetway", "the first limit"), strict=True)) for rule in RULES])
    op.create_table(
        "fraud_signals",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", words("kind", "ATTEMPT", "PROMISE", "DECLINE"), nullable=False),
        sa.Column("subject", words("subject", *SUBJECTS), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        moment("at"),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_fraud_signals_payment_id_payments")),
        sa.PrimaryKeyConstraint("payment_id", "kind", "subject", name=op.f("pk_fraud_signals")),
    )
    op.create_index(op.f("ix_fraud_signals_key_at"), "fraud_signals", ["key", "at"])
    op.create_index(op.f("ix_fraud_signals_at"), "fraud_signals", ["at"])
    op.create_table(
        "fraud_assessments",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("moment", words("moment", "INTENT", "ANSWER"), nullable=False),
        sa.Column("verdict", words("verdict", *VERDICTS), nullable=False),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        moment("at"),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_fraud_assessments_payment_id_payments")),
        sa.PrimaryKeyConstraint("payment_id", "moment", name=op.f("pk_fraud_assessments")),
    )
    op.create_table(
        "payment_reviews",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        moment("opened_at"),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", words("decision", "APPROVED", "REJECTED"), nullable=True),
        moment("decided_at", nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "num_nulls(decision, decided_at, decided_by, reason) IN (0, 4)",
            name=op.f("ck_payment_reviews_decided_whole"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_payment_reviews_payment_id_payments")),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payment_reviews")),
    )
    op.create_index(
        "ix_payment_reviews_open",
        "payment_reviews",
        ["deadline_at", "payment_id"],
        postgresql_where=sa.text("decision IS NULL"),
    )


def downgrade() -> None:
    for table in ("payment_reviews", "fraud_assessments", "fraud_signals", "fraud_rules"):
        op.drop_table(table)
    # What waits for staff is promised: an older Jetway goes on with it, or lets it go when its time is over.
    op.execute("UPDATE payments SET status = 'AUTHORIZED' WHERE status = 'REVIEW'")
    check_payments(*PAYMENTS)
