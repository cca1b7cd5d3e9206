"""An amendment says when what it is for was sold: some of them have no hold that could tell."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("amendments", sa.Column("sold_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("amendments", "sold_at")
