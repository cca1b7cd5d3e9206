"""Extras beside the seat: the catalogue, its prices, and who has what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def words(name: str, *members: str) -> sa.Enum:
    """A column type of those words, with its CHECK."""
    return sa.Enum(*members, name=name, native_enum=False, create_constraint=True, length=24)


def code(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """A column of short text that is compared byte by byte."""
    return sa.Column(name, sa.String(collation="C"), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "extras",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        code("airline_code"),
        code("code"),
        sa.Column("kind", words("kind", "BAG", "MEAL", "INSURANCE", "PRIORITY"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", words("scope", "FLIGHT", "JOURNEY"), nullable=False),
        sa.Column("max_per_passenger", sa.SmallInteger(), nullable=False),
        sa.Column("closes_hours", sa.SmallInteger(), nullable=False),
        sa.Column("refundable", sa.Boolean(), nullable=False),
        sa.Column("infants", sa.Boolean(), nullable=False),
        sa.Column("stocked", sa.Boolean(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("code ~ '^[A-Z0-9][A-Z0-9-]{0,19}$'", name=op.f("ck_extras_plain_code")),
        sa.CheckConstraint("max_per_passenger BETWEEN 1 AND 9", name=op.f("ck_extras_one_to_nine")),
        sa.CheckConstraint("closes_hours BETWEEN 0 AND 720", name=op.f("ck_extras_closes_in_time")),
        sa.CheckConstraint("NOT (stocked AND scope = 'JOURNEY')", name=op.f("ck_extras_stock_is_of_flights")),
        sa.ForeignKeyConstraint(["airline_code"], ["airlines.iata_code"], name=op.f("fk_extras_airline_code_airlines")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extras")),
        sa.UniqueConstraint("airline_code", "code", name=op.f("uq_extras_airline_code_code")),
    )
    op.create_table(
        "extra_prices",
        sa.Column("extra_id", sa.BigInteger(), nullable=False),
        code("currency"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_extra_prices_not_negative")),
        sa.ForeignKeyConstraint(["extra_id"], ["extras.id"], name=op.f("fk_extra_prices_extra_id_extras")),
        sa.PrimaryKeyConstraint("extra_id", "currency", name=op.f("pk_extra_prices")),
    )
    op.create_table(
        "booking_extras",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("passenger_id", sa.Uuid(), nullable=False),
        sa.Column("extra_id", sa.BigInteger(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=True),
        code("pool", nullable=True),
        sa.Column("quantity", sa.SmallInteger(), nullable=False),
        sa.Column("unit_amount", sa.BigInteger(), nullable=False),
        sa.Column("status", words("status", "ORDERED", "ISSUED", "VOID", "REFUNDED"), nullable=False),
        code("number", nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_booking_extras_something")),
        sa.CheckConstraint("unit_amount >= 0", name=op.f("ck_booking_extras_not_negative")),
        sa.CheckConstraint(
            "(status = 'ORDERED') = (number IS NULL)", name=op.f("ck_booking_extras_numbered_once_paid")
        ),
        sa.CheckConstraint("number ~ '^[0-9]{13}$'", name=op.f("ck_booking_extras_thirteen_digits")),
        sa.CheckConstraint("pool IS NULL OR slot_id IS NOT NULL", name=op.f("ck_booking_extras_stock_is_of_flights")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_booking_extras_booking_id_bookings")),
        sa.ForeignKeyConstraint(
            ["passenger_id"], ["passengers.id"], name=op.f("fk_booking_extras_passenger_id_passengers")
        ),
        sa.ForeignKeyConstraint(["extra_id"], ["extras.id"], name=op.f("fk_booking_extras_extra_id_extras")),
        sa.ForeignKeyConstraint(["slot_id"], ["flights.slot_id"], name=op.f("fk_booking_extras_slot_id_flights")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_extras")),
        sa.UniqueConstraint("number", name=op.f("uq_booking_extras_number")),
    )
    op.create_index(op.f("ix_booking_extras_booking_id"), "booking_extras", ["booking_id"])
    op.create_index(op.f("ix_booking_extras_passenger_id"), "booking_extras", ["passenger_id"])


def downgrade() -> None:
    op.drop_table("booking_extras")
    op.drop_table("extra_prices")
    op.drop_table("extras")
