"""The ledger, with a posting for every movement of money that was there before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KINDS = ("CAPTURED", "OWED", "KEPT", "REFUNDED", "RETURNED", "UNDUE", "UNDUE_RETURNED")
ACCOUNTS = ("GATEWAY", "UNEARNED", "REFUNDS", "FEES")

REFUSE = """
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: post a correction instead', TG_TABLE_NAME USING ERRCODE = 'JW004';
END
$$
"""

TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()
"""

WHAT_WAS = """
INSERT INTO ledger (id, booking_id, kind, subject, debit, credit, amount, currency, at)
SELECT gen_random_uuid(), booking_id, kind, subject, debit, credit, amount, currency, at
FROM (
    SELECT payments.booking_id, 'CAPTURED' AS kind, payments.id AS subject, 'GATEWAY' AS debit, 'UNEARNED' AS credit,
           payments.captured AS amount, payments.currency, coalesce(
               (SELECT max(at) FROM transitions
                WHERE subject_id = payments.id::text AND machine = 'payment' AND from_status = 'AUTHORIZED'),
               payments.created_at) AS at
    FROM payments WHERE captured > 0
    UNION ALL
    SELECT payments.booking_id, 'OWED', refunds.id, 'UNEARNED', 'REFUNDS', refunds.amount, refunds.currency,
           refunds.created_at
    FROM refunds JOIN payments ON payments.id = refunds.payment_id
    UNION ALL
    SELECT booking_id, 'KEPT', id, 'UNEARNED', 'FEES', fee, currency, used_at
    FROM cancellation_quotes WHERE used_at IS NOT NULL AND fee > 0
    UNION ALL
    SELECT payments.booking_id, 'REFUNDED', refunds.id, 'REFUNDS', 'GATEWAY', refunds.amount, refunds.currency, moves.at
    FROM refunds JOIN payments ON payments.id = refunds.payment_id
    JOIN transitions AS moves ON moves.subject_id = refunds.id::text AND moves.machine = 'refund'
     AND moves.to_status = 'SUCCEEDED'
    UNION ALL
    SELECT payments.booking_id, 'RETURNED', refunds.id, 'GATEWAY', 'REFUNDS', refunds.amount, refunds.currency, moves.at
    FROM refunds JOIN payments ON payments.id = refunds.payment_id
    JOIN transitions AS moves ON moves.subject_id = refunds.id::text AND moves.machine = 'refund'
     AND moves.from_status = 'SUCCEEDED'
) AS moved
ORDER BY at
"""


def upgrade() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="kind", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column(
            "debit",
            sa.Enum(*ACCOUNTS, name="debit", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column(
            "credit",
            sa.Enum(*ACCOUNTS, name="credit", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_ledger_something")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_ledger_two_accounts")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_ledger_booking_id_bookings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sa.UniqueConstraint("subject", "kind", name=op.f("uq_ledger_subject_kind")),
    )
    op.create_index(op.f("ix_ledger_booking_id"), "ledger", ["booking_id"])
    op.execute(WHAT_WAS)
    op.execute(REFUSE)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.drop_table("ledger")
    op.execute("DROP FUNCTION refuse_rewriting()")
