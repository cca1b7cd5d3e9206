"""Bookings are cancelled in part, and what was flown is earned: who left, what a quote is for, the revenue account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KINDS = ("CAPTURED", "OWED", "KEPT", "REFUNDED", "RETURNED", "UNDUE", "UNDUE_RETURNED")
ACCOUNTS = ("GATEWAY", "UNEARNED", "REFUNDS", "FEES")
RULES = ("NOT_PAID", "AIRLINE", "BY_LAW", "NOT_REFUNDABLE", "LESS_FEE", "HALF", "TOO_LATE")

RULED = """
    UPDATE cancellation_quotes SET rule = CASE
        WHEN reason LIKE 'The airline%' THEN 'AIRLINE'
        WHEN reason LIKE 'Cancelled within%' THEN 'BY_LAW'
        WHEN reason LIKE 'This fare%' THEN 'NOT_REFUNDABLE'
        WHEN reason LIKE 'More than%' THEN 'LESS_FEE'
        WHEN reason LIKE '12 to%' THEN 'HALF'
        WHEN reason LIKE 'Less than%' THEN 'TOO_LATE'
        ELSE 'NOT_PAID' END
"""
"""Until now a quote said its rule in words only."""


def check(column: str, *words: str) -> None:
    """Have the CHECK on a column of the ledger list exactly these."""
    listed = ", ".join(f"'{word}'" for word in words)
    op.drop_constraint(op.f(f"ck_ledger_{column}"), "ledger")
    op.create_check_constraint(op.f(f"ck_ledger_{column}"), "ledger", f"{column} IN ({listed})")


def upgrade() -> None:
    op.add_column("passengers", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking_segments", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True))

    quotes = "cancellation_quotes"
    # What was quoted until now is void: its basis is that of no booking. Quotes live for fifteen minutes.
    op.add_column(quotes, sa.Column("basis", sa.LargeBinary(), server_default=sa.text("''"), nullable=False))
    op.alter_column(quotes, "basis", server_default=None)
    op.add_column(quotes, sa.Column("passengers", postgresql.ARRAY(sa.Uuid()), nullable=True))
    op.add_column(quotes, sa.Column("slots", postgresql.ARRAY(sa.BigInteger()), nullable=True))
    op.add_column(quotes, sa.Column("rule", sa.String(length=24), nullable=True))
    op.execute(RULED)
    op.alter_column(quotes, "rule", nullable=False)
    rules = ", ".join(f"'{rule}'" for rule in RULES)
    op.create_check_constraint(op.f("ck_cancellation_quotes_rule"), quotes, f"rule IN ({rules})")
    op.create_check_constraint(
        op.f("ck_cancellation_quotes_one_way_to_part"), quotes, "passengers IS NULL OR slots IS NULL"
    )

    check("kind", *KINDS, "EARNED")
    for column in ("debit", "credit"):
        check(column, *ACCOUNTS, "REVENUE")


def downgrade() -> None:
    check("kind", *KINDS)
    for column in ("debit", "credit"):
        check(column, *ACCOUNTS)
    op.drop_constraint(op.f("ck_cancellation_quotes_one_way_to_part"), "cancellation_quotes")
    for column in ("rule", "slots", "passengers", "basis"):
        op.drop_column("cancellation_quotes", column)
    op.drop_column("booking_segments", "cancelled_at")
    op.drop_column("passengers", "cancelled_at")
