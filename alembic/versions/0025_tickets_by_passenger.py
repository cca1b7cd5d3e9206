"""A passenger's tickets are found by an index again, good or not: since tickets are exchanged, none had all of them."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_tickets_passenger_id"), "tickets", ["passenger_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_tickets_passenger_id"), "tickets")
