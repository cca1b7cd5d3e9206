"""API clients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

POLICIES = ("ANYTHING", "PERSISTED", "TRUSTED")


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("name", sa.String(collation="C"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "documents",
            sa.Enum(*POLICIES, name="documents", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("manifest", sa.String(collation="C"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("jetway_now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_clients")),
        sa.UniqueConstraint("digest", name=op.f("uq_clients_digest")),
    )
    op.create_index(op.f("ix_clients_manifest"), "clients", ["manifest"])


def downgrade() -> None:
    op.drop_table("clients")
