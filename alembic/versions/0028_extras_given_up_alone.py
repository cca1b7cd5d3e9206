"""Extras are given up alone by an amendment of their own kind."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

BEFORE = ("FLIGHT", "SEAT", "NAME", "EXTRAS")
ADDED = "EXTRAS_GIVEN_UP"
NAME = "ck_amendments_kind"


def check(kinds: tuple[str, ...]) -> None:
    """Have the CHECK list those kinds."""
    op.drop_constraint(op.f(NAME), "amendments")
    op.create_check_constraint(op.f(NAME), "amendments", f"kind IN ({', '.join(repr(one) for one in kinds)})")


def upgrade() -> None:
    check((*BEFORE, ADDED))


def downgrade() -> None:
    op.execute(f"DELETE FROM amendments WHERE kind = '{ADDED}' AND status IN ('QUOTED', 'EXPIRED')")  # noqa: S608
    op.execute(f"UPDATE amendments SET kind = 'EXTRAS' WHERE kind = '{ADDED}'")  # noqa: S608 - our own words
    check(BEFORE)
