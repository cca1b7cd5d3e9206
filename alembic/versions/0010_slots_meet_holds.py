"""A slot that is changed and the holds that are placed on it meet; places without a seat are told of."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from alembic import op
from sqlalchemy.util import await_only

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


FUNCTIONS = Path(__file__).parents[1] / "functions"


def run_script(name: str) -> None:
    """Run a file of several statements; only the driver itself can, inside the transaction that is under way."""
    connection = op.get_bind()
    connection.exec_driver_sql("SELECT 1")
    driver = connection.connection.driver_connection
    assert isinstance(driver, asyncpg.Connection) and driver.is_in_transaction()
    await_only(driver.execute((FUNCTIONS / name).read_text()))


def upgrade() -> None:
    run_script("take_holds_3.sql")
    run_script("meet_holds_1.sql")


def downgrade() -> None:
    op.execute("DROP TRIGGER meet_holds ON slots")
    op.execute("DROP FUNCTION meet_holds")
    op.execute("DROP FUNCTION take_holds, class_room")
    run_script("take_holds_2.sql")
