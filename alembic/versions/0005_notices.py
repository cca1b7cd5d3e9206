"""Notices for those who have booked, and the alerts from which some of them come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NOW = sa.text("jetway_now()")
KINDS = sa.Enum(
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
    name="kind",
    native_enum=False,
    create_constraint=True,
    length=24,
)


def upgrade() -> None:
    op.create_table(
        "flight_alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", KINDS, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reached", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("reached >= 0", name=op.f("ck_flight_alerts_not_negative")),
        sa.ForeignKeyConstraint(["slot_id"], ["flights.slot_id"], name=op.f("fk_flight_alerts_slot_id_flights")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flight_alerts")),
    )
    op.create_index(op.f("ix_flight_alerts_slot_id"), "flight_alerts", ["slot_id"])
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(collation="C"), nullable=False),
        sa.Column("kind", KINDS, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_notices_booking_id_bookings")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_notices_owner_id_users")),
        sa.ForeignKeyConstraint(["slot_id"], ["flights.slot_id"], name=op.f("fk_notices_slot_id_flights")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("booking_id", "source", name=op.f("uq_notices_booking_id_source")),
    )
    op.create_index(op.f("ix_notices_owner_id_id"), "notices", ["owner_id", "id"])
    op.create_index("ix_notices_unread", "notices", ["owner_id"], postgresql_where=sa.text("read_at IS NULL"))


def downgrade() -> None:
    op.drop_table("notices")
    op.drop_table("flight_alerts")
