"""Devices and e-mails, which clients merely claim, refuse nobody any more; a hold keeps the deadline that was told.

Rules that staff have set stay as they set them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

FIRST = "WHERE name IN ('device_declines', 'email_declines') AND set_by = 'jetway'"
"""The first rules that are meant, unless staff have changed them."""


def upgrade() -> None:
    op.execute(f"UPDATE fraud_rules SET verdict = 'REVIEW' {FIRST} AND verdict = 'BLOCK'")  # noqa: S608 - our own words
    op.add_column("holds", sa.Column("expires_before_review", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("holds", "expires_before_review")
    op.execute(f"UPDATE fraud_rules SET verdict = 'BLOCK' {FIRST}")  # noqa: S608 - our own words
