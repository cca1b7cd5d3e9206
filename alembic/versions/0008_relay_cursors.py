"""How far each sink has heard is one number, no longer a mark on every fact."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "relay_cursors",
        sa.Column("sink", sa.String(collation="C"), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sink", name=op.f("pk_relay_cursors")),
    )
    op.execute("""
        INSERT INTO relay_cursors (sink, position)
        SELECT 'valkey', coalesce(
            (SELECT min(position) - 1 FROM facts WHERE published_at IS NULL AND position IS NOT NULL),
            (SELECT position FROM relay_heads))
    """)
    op.drop_index("ix_facts_unpublished", table_name="facts", postgresql_where=sa.text("published_at IS NULL"))
    op.drop_column("facts", "published_at")
    op.create_index(
        "ix_facts_position", "facts", ["position"], unique=True, postgresql_where=sa.text("position IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_facts_position", table_name="facts", postgresql_where=sa.text("position IS NOT NULL"))
    op.add_column("facts", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("""
        UPDATE facts SET published_at = clock_timestamp()
        WHERE position <= (SELECT position FROM relay_cursors WHERE sink = 'valkey')
    """)
    op.create_index("ix_facts_unpublished", "facts", ["position"], postgresql_where=sa.text("published_at IS NULL"))
    op.drop_table("relay_cursors")
