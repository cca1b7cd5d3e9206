"""Bookings are changed: amendments, what a change costs, the flight of every line, tickets that were exchanged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATUSES = ("QUOTED", "PAYMENT_PENDING", "APPLIED", "EXPIRED", "FAILED")
TICKETS = ("OPEN", "USED", "VOID", "REFUNDED")

ONE_FLIGHT = """
    UPDATE booking_lines SET slot_id = flight.slot_id
    FROM (SELECT booking_id, min(slot_id) AS slot_id FROM booking_segments
          GROUP BY booking_id HAVING count(*) = 1) AS flight
    WHERE flight.booking_id = booking_lines.booking_id AND booking_lines.slot_id IS NULL
"""
"""Every line of a booking of one flight was for that flight."""


def words(name: str, *values: str) -> sa.Enum:
    """A column of words, with a CHECK that lists them."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def check_tickets(*statuses: str) -> None:
    """Have the CHECK on the status of tickets list exactly these."""
    listed = ", ".join(f"'{status}'" for status in statuses)
    op.drop_constraint(op.f("ck_tickets_status"), "tickets")
    op.create_check_constraint(op.f("ck_tickets_status"), "tickets", f"status IN ({listed})")


def upgrade() -> None:
    op.create_table(
        "amendments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("kind", words("kind", "FLIGHT", "SEAT", "NAME"), nullable=False),
        sa.Column("status", words("status", *STATUSES), nullable=False),
        sa.Column("change", postgresql.JSONB(), nullable=False),
        sa.Column("removed", postgresql.JSONB(), nullable=False),
        sa.Column("added", postgresql.JSONB(), nullable=False),
        sa.Column("difference", sa.BigInteger(), nullable=False),
        sa.Column("penalty", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("penalty >= 0", name=op.f("ck_amendments_penalty_not_negative")),
        sa.CheckConstraint("due = difference + penalty", name=op.f("ck_amendments_adds_up")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_amendments_booking_id_bookings")),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_amendments_hold_id_holds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendments")),
    )
    op.create_index(op.f("ix_amendments_booking_id"), "amendments", ["booking_id"])
    op.create_index(op.f("ix_amendments_hold_id"), "amendments", ["hold_id"])
    op.create_index(
        "ix_amendments_deadlines", "amendments", ["expires_at"], postgresql_where=sa.text("status = 'QUOTED'")
    )
    op.create_index(
        "uq_amendments_one_under_way",
        "amendments",
        ["booking_id"],
        unique=True,
        postgresql_where=sa.text("status = 'PAYMENT_PENDING'"),
    )
    op.add_column(
        "fare_families", sa.Column("change_fee", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.execute(ONE_FLIGHT)
    check_tickets(*TICKETS, "EXCHANGED")
    op.drop_constraint(op.f("uq_tickets_passenger_id_slot_id"), "tickets")
    op.create_index(
        "uq_tickets_one_good",
        "tickets",
        ["passenger_id", "slot_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('OPEN', 'USED')"),
    )


def downgrade() -> None:
    op.drop_index("uq_tickets_one_good", "tickets")
    op.create_unique_constraint(op.f("uq_tickets_passenger_id_slot_id"), "tickets", ["passenger_id", "slot_id"])
    check_tickets(*TICKETS)
    op.drop_column("fare_families", "change_fee")
    op.drop_table("amendments")
