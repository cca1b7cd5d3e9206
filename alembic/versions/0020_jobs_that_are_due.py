"""Workers are told of jobs that are due, and of no others."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "functions"

DUE = """
    CREATE TRIGGER tg_pgqueuer_changed AFTER INSERT ON pgqueuer
        REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION fn_pgqueuer_due()
"""
EVERYTHING = """
    CREATE TRIGGER tg_pgqueuer_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgqueuer
        EXECUTE FUNCTION fn_pgqueuer_changed()
"""


def upgrade() -> None:
    op.execute((FUNCTIONS / "pgqueuer_changed_2.sql").read_text())
    op.execute("DROP TRIGGER tg_pgqueuer_changed ON pgqueuer")
    op.execute(DUE)


def downgrade() -> None:
    op.execute("DROP TRIGGER tg_pgqueuer_changed ON pgqueuer")
    op.execute(EVERYTHING)
    op.execute("DROP FUNCTION fn_pgqueuer_due")
