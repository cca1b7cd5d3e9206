"""Refunds know whether they go to a card, as their gateway tells: so long does it take until they are there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refunds", sa.Column("to_card", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("refunds", "to_card")
