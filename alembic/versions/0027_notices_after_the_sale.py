"""Notices of what happens to a booking after its sale: changes, parts that are cancelled, refunds that fail."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

BEFORE = (
    "ALERT",
    "FLIGHT_DELAYED",
    "FLIGHT_ON_TIME",
    "FLIGHT_DIVERTED",
    "FLIGHT_CANCELLED",
    "BOOKING_CONFIRMED",
    "BOOKING_EXPIRED",
    "BOOKING_FAILED",
    "BOOKING_CANCELLED",
    "PAYMENT_DECLINED",
    "PAYMENT_REFUNDED",
    "SEATS_FOUND_AGAIN",
    "SEATS_CHANGED",
    "MONEY_RETURNED",
)
ADDED = ("BOOKING_PARTLY_CANCELLED", "BOOKING_CHANGED", "CHANGE_FAILED", "REFUND_FAILED")
TABLES = ("flight_alerts", "notices")


def allow(kinds: tuple[str, ...]) -> None:
    """Let notices be of those kinds."""
    names = ", ".join(f"'{kind}'" for kind in kinds)
    for table in TABLES:
        op.drop_constraint(op.f(f"ck_{table}_kind"), table)
        op.create_check_constraint(op.f(f"ck_{table}_kind"), table, f"kind IN ({names})")


def upgrade() -> None:
    allow(BEFORE + ADDED)


def downgrade() -> None:
    names = ", ".join(f"'{kind}'" for kind in ADDED)
    for table in TABLES:
        op.execute(f"DELETE FROM {table} WHERE kind IN ({names})")  # noqa: S608 - our own words
    allow(BEFORE)
