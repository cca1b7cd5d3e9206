"""What reconciliation found, and how far it has walked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KINDS = ("UNKNOWN_PAYMENT", "MISSING_PAYMENT", "OTHER_AMOUNT", "UNKNOWN_REFUND", "DISPUTED")


def upgrade() -> None:
    op.create_table(
        "reconciliation_walks",
        sa.Column("gateway", sa.String(collation="C"), nullable=False),
        sa.Column("walked_to", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_reconciliation_walks")),
    )
    op.create_table(
        "discrepancies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(collation="C"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="kind", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("subject", sa.String(collation="C"), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settled_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_discrepancies_booking_id_bookings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discrepancies")),
        sa.UniqueConstraint("gateway", "subject", "kind", name=op.f("uq_discrepancies_gateway_subject_kind")),
    )
    op.create_index("ix_discrepancies_open", "discrepancies", ["id"], postgresql_where=sa.text("settled_at IS NULL"))


def downgrade() -> None:
    op.drop_table("discrepancies")
    op.drop_table("reconciliation_walks")
