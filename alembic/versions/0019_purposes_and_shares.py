"""Payments say what they pay for, and whose share of it; one of each is under way at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NAME = "uq_payments_one_under_way"
NOT_OVER = sa.text("status NOT IN ('DECLINED', 'VOIDED')")
UNDER_WAY = sa.text("status NOT IN ('DECLINED', 'VOIDED', 'CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED')")


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_shares_something")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_shares_booking_id_bookings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
    )
    op.create_index(op.f("ix_shares_booking_id"), "shares", ["booking_id"])
    here = sa.text("withdrawn_at IS NULL")
    op.create_index("uq_shares_one_each", "shares", ["booking_id", "ordinal"], unique=True, postgresql_where=here)
    for column, table in (("amendment_id", "amendments"), ("share_id", "shares")):
        op.add_column("payments", sa.Column(column, sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_payments_{column}_{table}"), "payments", table, [column], ["id"])
    op.drop_index(NAME, "payments")
    columns = ["booking_id", "amendment_id", "share_id"]
    op.create_index(
        NAME, "payments", columns, unique=True, postgresql_where=NOT_OVER, postgresql_nulls_not_distinct=True
    )
    op.create_index("ix_payments_under_way", "payments", ["created_at"], postgresql_where=UNDER_WAY)


def downgrade() -> None:
    op.drop_index("ix_payments_under_way", "payments")
    op.drop_index(NAME, "payments")
    op.drop_column("payments", "share_id")
    op.drop_column("payments", "amendment_id")
    op.drop_table("shares")
    op.create_index(NAME, "payments", ["booking_id"], unique=True, postgresql_where=NOT_OVER)
