"""Trusted documents, and how often they have changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NOW = sa.text("jetway_now()")


def upgrade() -> None:
    op.create_table(
        "trusted_documents",
        sa.Column("client", sa.String(collation="C"), nullable=False),
        sa.Column("id", sa.String(collation="C"), nullable=False),
        sa.Column("sha256", sa.String(collation="C"), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("client", "id", name=op.f("pk_trusted_documents")),
    )
    op.create_index(op.f("ix_trusted_documents_id"), "trusted_documents", ["id"])
    op.create_index(op.f("ix_trusted_documents_sha256"), "trusted_documents", ["sha256"])
    op.create_table(
        "trust_heads",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_trust_heads_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trust_heads")),
    )
    op.execute("INSERT INTO trust_heads (id, version) VALUES (1, 0)")


def downgrade() -> None:
    op.drop_table("trust_heads")
    op.drop_table("trusted_documents")
