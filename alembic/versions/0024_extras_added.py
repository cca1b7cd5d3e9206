"""Extras are added to a booking by an amendment of their own kind."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BEFORE = ("FLIGHT", "SEAT", "NAME")
NAME = "ck_amendments_kind"


def check(kinds: tuple[str, ...]) -> None:
    """Have the CHECK list those kinds."""
    op.drop_constraint(op.f(NAME), "amendments")
    op.create_check_constraint(op.f(NAME), "amendments", f"kind IN ({', '.join(repr(one) for one in kinds)})")


def upgrade() -> None:
    check((*BEFORE, "EXTRAS"))


def downgrade() -> None:
    op.execute("DELETE FROM amendments WHERE kind = 'EXTRAS' AND status IN ('QUOTED', 'EXPIRED')")
    check(BEFORE)
