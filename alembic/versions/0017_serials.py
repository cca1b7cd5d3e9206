"""Serials of tickets that follow one another, whoever else draws."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "functions"


def upgrade() -> None:
    op.execute((FUNCTIONS / "draw_serials_1.sql").read_text())


def downgrade() -> None:
    op.execute("DROP FUNCTION draw_serials")
