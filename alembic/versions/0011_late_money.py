"""What late money needs: which seat a line charges, what of a payment is not taken, and when a bank is asked again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KINDS = (
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
)
ADDED = ("SEATS_FOUND_AGAIN", "SEATS_CHANGED", "MONEY_RETURNED")
TABLES = ("flight_alerts", "notices")

CHARGED = """
    UPDATE booking_lines SET slot_id = seat.slot_id, unit = seat.unit
    FROM (
        SELECT passengers.booking_id, min(place.slot_id) AS slot_id, place.unit
        FROM seat_assignments AS place JOIN passengers ON passengers.id = place.passenger_id
        GROUP BY passengers.booking_id, place.unit HAVING count(*) = 1
    ) AS seat
    WHERE seat.booking_id = booking_lines.booking_id AND booking_lines.kind = 'SEAT'
      AND booking_lines.label = 'Seat ' || seat.unit || ', extra legroom'
"""
"""Lines say which seat they charge only by their label; where one seat alone can be meant, it is written down."""


def allow(kinds: tuple[str, ...]) -> None:
    """Let notices be of those kinds."""
    names = ", ".join(f"'{kind}'" for kind in kinds)
    for table in TABLES:
        op.drop_constraint(op.f(f"ck_{table}_kind"), table)
        op.create_check_constraint(op.f(f"ck_{table}_kind"), table, f"kind IN ({names})")


def upgrade() -> None:
    op.add_column("booking_lines", sa.Column("slot_id", sa.BigInteger(), nullable=True))
    op.add_column("booking_lines", sa.Column("unit", sa.String(collation="C"), nullable=True))
    op.create_foreign_key(op.f("fk_booking_lines_slot_id_slots"), "booking_lines", "slots", ["slot_id"], ["id"])
    op.execute(CHARGED)

    op.add_column("payments", sa.Column("waived", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_payments_waived_of_amount"), "payments", "waived BETWEEN 0 AND amount")
    op.add_column("payments", sa.Column("off_session", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("payments", sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("1"), nullable=False))
    op.add_column("payments", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))

    allow(KINDS + ADDED)


def downgrade() -> None:
    names = ", ".join(f"'{kind}'" for kind in ADDED)
    for table in TABLES:
        op.execute(f"DELETE FROM {table} WHERE kind IN ({names})")  # noqa: S608 - our own words
    allow(KINDS)

    for name in ("retry_at", "attempts", "off_session", "waived"):
        op.drop_column("payments", name)
    for name in ("unit", "slot_id"):
        op.drop_column("booking_lines", name)
