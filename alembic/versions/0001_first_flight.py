"""The tables and functions of the first journey: schedule, inventory, holds, bookings, payments, facts, jobs."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.util import await_only

revision = "0001"
down_revision = None
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
    op.execute("CREATE SEQUENCE claim_versions CACHE 1")
    op.execute("CREATE SEQUENCE ticket_serials")
    op.create_table(
        "airlines",
        sa.Column("iata_code", sa.String(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("accounting_code", sa.String(collation="C"), nullable=False),
        sa.CheckConstraint("accounting_code ~ '^[0-9]{3}$'", name=op.f("ck_airlines_three_digits")),
        sa.PrimaryKeyConstraint("iata_code", name=op.f("pk_airlines")),
    )
    op.create_table(
        "airports",
        sa.Column("iata_code", sa.String(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("iata_code", name=op.f("pk_airports")),
    )
    op.create_table(
        "charges",
        sa.Column("code", sa.String(collation="C"), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "FARE",
                "TAX",
                "FEE",
                "SEAT",
                "EXTRA",
                "PROMOTION",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "basis",
            sa.Enum("FARE", "PASSENGER", name="basis", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("basis_points", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_charges")),
    )
    op.create_table(
        "claims",
        sa.Column("slot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.String(collation="C"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "AVAILABLE",
                "LOCKED",
                "BOOKED",
                "CHECKED_IN",
                "BLOCKED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'LOCKED') = (expires_at IS NOT NULL)", name=op.f("ck_claims_locked_has_deadline")
        ),
        sa.CheckConstraint(
            "status IN ('AVAILABLE', 'BLOCKED') OR hold_id IS NOT NULL", name=op.f("ck_claims_taken_has_hold")
        ),
        sa.PrimaryKeyConstraint("slot_id", "unit", name=op.f("pk_claims")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(op.f("ix_claims_hold_id"), "claims", ["hold_id"], unique=False)
    op.create_index(
        "ix_claims_tombstones", "claims", ["changed_at"], unique=False, postgresql_where=sa.text("status = 'AVAILABLE'")
    )
    op.create_table(
        "facts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("kind", sa.String(collation="C"), nullable=False),
        sa.Column("stream", sa.String(collation="C"), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
    )
    op.create_index(op.f("ix_facts_stream_position"), "facts", ["stream", "position"], unique=False)
    op.create_index(
        "ix_facts_unpositioned", "facts", ["id"], unique=False, postgresql_where=sa.text("position IS NULL")
    )
    op.create_index(
        "ix_facts_unpublished", "facts", ["position"], unique=False, postgresql_where=sa.text("published_at IS NULL")
    )
    op.create_table(
        "fare_families",
        sa.Column("code", sa.String(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "cabin",
            sa.Enum(
                "FIRST",
                "BUSINESS",
                "PREMIUM_ECONOMY",
                "ECONOMY",
                name="cabin",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("booking_class", sa.String(collation="C"), nullable=False),
        sa.Column("refundable", sa.Boolean(), nullable=False),
        sa.Column("changeable", sa.Boolean(), nullable=False),
        sa.Column("checked_bags", sa.SmallInteger(), nullable=False),
        sa.Column("cancellation_fee", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.Column("child_basis_points", sa.SmallInteger(), nullable=False),
        sa.Column("infant_basis_points", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_fare_families")),
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(collation="C"), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.String(collation="C"), nullable=False),
        sa.Column("operation", sa.String(collation="C"), nullable=False),
        sa.Column("key", sa.String(collation="C"), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("result_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("owner", "operation", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "layouts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(collation="C"), nullable=False),
        sa.Column("sections", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_layouts")),
        sa.UniqueConstraint("code", name=op.f("uq_layouts_code")),
    )
    op.create_table(
        "locators",
        sa.Column("pnr", sa.String(collation="C"), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("pnr", name=op.f("pk_locators")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_locators_booking_id")),
    )
    op.create_table(
        "products",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "kind", sa.Enum("FLIGHT", name="kind", native_enum=False, create_constraint=True, length=24), nullable=False
        ),
        sa.Column("code", sa.String(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("kind", "code", name=op.f("uq_products_kind_code")),
    )
    op.create_table(
        "relay_heads",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("pruned_to", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_relay_heads_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay_heads")),
    )
    op.create_table(
        "seat_charges",
        sa.Column(
            "cabin",
            sa.Enum(
                "FIRST",
                "BUSINESS",
                "PREMIUM_ECONOMY",
                "ECONOMY",
                name="cabin",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("extra_legroom", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("cabin", name=op.f("pk_seat_charges")),
    )
    op.create_table(
        "transitions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("machine", sa.String(collation="C"), nullable=False),
        sa.Column("subject_id", sa.String(collation="C"), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transitions")),
    )
    op.create_index(op.f("ix_transitions_subject_id_id"), "transitions", ["subject_id", "id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum("CUSTOMER", name="role", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_users_lower_email")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "webhook_events",
        sa.Column("gateway", sa.String(collation="C"), nullable=False),
        sa.Column("event_id", sa.String(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("gateway", "event_id", name=op.f("pk_webhook_events")),
    )
    op.create_table(
        "aircraft",
        sa.Column("registration", sa.String(collation="C"), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seats", sa.SmallInteger(), nullable=False),
        sa.Column("layout_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["layout_id"], ["layouts.id"], name=op.f("fk_aircraft_layout_id_layouts")),
        sa.PrimaryKeyConstraint("registration", name=op.f("pk_aircraft")),
    )
    op.create_table(
        "fares",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("origin_code", sa.String(collation="C"), nullable=False),
        sa.Column("destination_code", sa.String(collation="C"), nullable=False),
        sa.Column("family_code", sa.String(collation="C"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_fares_not_negative")),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_fares_in_order")),
        sa.ForeignKeyConstraint(
            ["destination_code"], ["airports.iata_code"], name=op.f("fk_fares_destination_code_airports")
        ),
        sa.ForeignKeyConstraint(
            ["family_code"], ["fare_families.code"], name=op.f("fk_fares_family_code_fare_families")
        ),
        sa.ForeignKeyConstraint(["origin_code"], ["airports.iata_code"], name=op.f("fk_fares_origin_code_airports")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fares")),
        sa.UniqueConstraint(
            "origin_code",
            "destination_code",
            "family_code",
            "valid_from",
            name=op.f("uq_fares_origin_code_destination_code_family_code_valid_from"),
        ),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "ACTIVE",
                "RELEASED",
                "EXPIRED",
                "BOOKED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("minutes", sa.SmallInteger(), nullable=False),
        sa.Column("extensions", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cap_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_before_payment", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at <= cap_at + interval '10 minutes'", name=op.f("ck_holds_capped")),
        sa.CheckConstraint("extensions BETWEEN 0 AND 2", name=op.f("ck_holds_extended_at_most_twice")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_holds_owner_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_booking_id"), "holds", ["booking_id"], unique=False)
    op.create_index(
        "ix_holds_deadlines", "holds", ["expires_at"], unique=False, postgresql_where=sa.text("status = 'ACTIVE'")
    )
    op.create_table(
        "layout_units",
        sa.Column("layout_id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(collation="C"), nullable=False),
        sa.Column("section", sa.String(collation="C"), nullable=False),
        sa.Column("row_number", sa.SmallInteger(), nullable=False),
        sa.Column("column_letter", sa.String(collation="C"), nullable=False),
        sa.Column(
            "position",
            sa.Enum("WINDOW", "MIDDLE", "AISLE", name="position", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("exit_row", sa.Boolean(), nullable=False),
        sa.Column("extra_legroom", sa.Boolean(), nullable=False),
        sa.Column("accessible", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["layout_id"], ["layouts.id"], name=op.f("fk_layout_units_layout_id_layouts")),
        sa.PrimaryKeyConstraint("layout_id", "unit", name=op.f("pk_layout_units")),
    )
    op.create_table(
        "slots",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("layout_id", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("OPEN", "CLOSED", name="status", native_enum=False, create_constraint=True, length=24),
            server_default="OPEN",
            nullable=False,
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_slots_ends_after_start")),
        sa.ForeignKeyConstraint(["layout_id"], ["layouts.id"], name=op.f("fk_slots_layout_id_layouts")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_slots_product_id_products")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slots")),
    )
    op.create_index(op.f("ix_slots_product_id"), "slots", ["product_id"], unique=False)
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
    )
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False)
    op.create_table(
        "bookings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pnr", sa.String(collation="C"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "INITIATED",
                "SEATS_LOCKED",
                "PAYMENT_PENDING",
                "CONFIRMED",
                "CHECKED_IN",
                "COMPLETED",
                "EXPIRED",
                "FAILED",
                "CANCELLED",
                "NO_SHOW",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("referral_code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("total >= 0", name=op.f("ck_bookings_not_negative")),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_bookings_hold_id_holds")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_bookings_owner_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
        sa.UniqueConstraint("pnr", name=op.f("uq_bookings_pnr")),
    )
    op.create_index(op.f("ix_bookings_hold_id"), "bookings", ["hold_id"], unique=False)
    op.create_index(
        "ix_bookings_open",
        "bookings",
        ["status"],
        unique=False,
        postgresql_where=sa.text("status IN ('SEATS_LOCKED', 'PAYMENT_PENDING')"),
    )
    op.create_index(op.f("ix_bookings_owner_id"), "bookings", ["owner_id"], unique=False)
    op.create_table(
        "flights",
        sa.Column("slot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("airline_code", sa.String(collation="C"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("suffix", sa.String(collation="C"), server_default="", nullable=False),
        sa.Column("origin_code", sa.String(collation="C"), nullable=False),
        sa.Column("destination_code", sa.String(collation="C"), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("departs_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrives_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("estimated_departure_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("estimated_arrival_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actual_departure_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actual_arrival_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "SCHEDULED",
                "DELAYED",
                "BOARDING",
                "DEPARTED",
                "IN_FLIGHT",
                "LANDED",
                "CANCELLED",
                "DIVERTED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            server_default="SCHEDULED",
            nullable=False,
        ),
        sa.Column("departure_gate", sa.Text(), nullable=True),
        sa.Column("arrival_gate", sa.Text(), nullable=True),
        sa.Column("departure_terminal", sa.Text(), nullable=True),
        sa.Column("arrival_terminal", sa.Text(), nullable=True),
        sa.Column("registration", sa.String(collation="C"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("arrives_at > departs_at", name=op.f("ck_flights_arrives_after_departure")),
        sa.CheckConstraint("number BETWEEN 1 AND 9999", name=op.f("ck_flights_four_digits")),
        sa.CheckConstraint("origin_code <> destination_code", name=op.f("ck_flights_goes_somewhere")),
        sa.ForeignKeyConstraint(
            ["airline_code"], ["airlines.iata_code"], name=op.f("fk_flights_airline_code_airlines")
        ),
        sa.ForeignKeyConstraint(
            ["destination_code"], ["airports.iata_code"], name=op.f("fk_flights_destination_code_airports")
        ),
        sa.ForeignKeyConstraint(["origin_code"], ["airports.iata_code"], name=op.f("fk_flights_origin_code_airports")),
        sa.ForeignKeyConstraint(
            ["registration"], ["aircraft.registration"], name=op.f("fk_flights_registration_aircraft")
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["slots.id"], name=op.f("fk_flights_slot_id_slots")),
        sa.PrimaryKeyConstraint("slot_id", name=op.f("pk_flights")),
        sa.UniqueConstraint(
            "airline_code",
            "number",
            "suffix",
            "local_date",
            "origin_code",
            name=op.f("uq_flights_airline_code_number_suffix_local_date_origin_code"),
        ),
    )
    op.create_index("ix_flights_board", "flights", ["origin_code", "departs_at"], unique=False)
    op.create_index(op.f("ix_flights_local_date"), "flights", ["local_date"], unique=False)
    op.create_index(
        "ix_flights_route", "flights", ["origin_code", "destination_code", "local_date", "departs_at"], unique=False
    )
    op.create_table(
        "hold_items",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pool", sa.String(collation="C"), nullable=False),
        sa.Column("quantity", sa.SmallInteger(), nullable=False),
        sa.Column("units", postgresql.ARRAY(sa.String(collation="C")), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_hold_items_something")),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_hold_items_hold_id_holds")),
        sa.PrimaryKeyConstraint("hold_id", "slot_id", "pool", name=op.f("pk_hold_items")),
    )
    op.create_index(op.f("ix_hold_items_slot_id_pool"), "hold_items", ["slot_id", "pool"], unique=False)
    op.create_table(
        "pools",
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(collation="C"), nullable=False),
        sa.Column("authorised", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sold", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "held >= 0 AND sold >= 0 AND held + sold <= authorised", name=op.f("ck_pools_never_oversold")
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["slots.id"], name=op.f("fk_pools_slot_id_slots")),
        sa.PrimaryKeyConstraint("slot_id", "code", name=op.f("pk_pools")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["user_sessions.id"], name=op.f("fk_refresh_tokens_session_id_user_sessions")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"], unique=False)
    op.create_table(
        "booking_lines",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "FARE",
                "TAX",
                "FEE",
                "SEAT",
                "EXTRA",
                "PROMOTION",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_booking_lines_booking_id_bookings")),
        sa.PrimaryKeyConstraint("booking_id", "ordinal", name=op.f("pk_booking_lines")),
    )
    op.create_table(
        "booking_segments",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "cabin",
            sa.Enum(
                "FIRST",
                "BUSINESS",
                "PREMIUM_ECONOMY",
                "ECONOMY",
                name="cabin",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("booking_class", sa.String(collation="C"), nullable=False),
        sa.Column("family_code", sa.String(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_booking_segments_booking_id_bookings")),
        sa.ForeignKeyConstraint(
            ["family_code"], ["fare_families.code"], name=op.f("fk_booking_segments_family_code_fare_families")
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["flights.slot_id"], name=op.f("fk_booking_segments_slot_id_flights")),
        sa.PrimaryKeyConstraint("booking_id", "ordinal", name=op.f("pk_booking_segments")),
    )
    op.create_index(op.f("ix_booking_segments_slot_id"), "booking_segments", ["slot_id"], unique=False)
    op.create_table(
        "cancellation_quotes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("refund", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_cancellation_quotes_booking_id_bookings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cancellation_quotes")),
    )
    op.create_index(op.f("ix_cancellation_quotes_booking_id"), "cancellation_quotes", ["booking_id"], unique=False)
    op.create_table(
        "passengers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column(
            "type",
            sa.Enum("ADULT", "CHILD", "INFANT", name="type", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column(
            "title",
            sa.Enum("MR", "MRS", "MS", "MX", "DR", name="title", native_enum=False, create_constraint=True, length=24),
            nullable=True,
        ),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("date_of_birth", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_passengers_booking_id_bookings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passengers")),
        sa.UniqueConstraint("booking_id", "ordinal", name=op.f("uq_passengers_booking_id_ordinal")),
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(collation="C"), nullable=False),
        sa.Column("gateway_id", sa.String(collation="C"), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "INITIATED",
                "REQUIRES_ACTION",
                "PROCESSING",
                "AUTHORIZED",
                "CAPTURED",
                "DECLINED",
                "VOIDED",
                "PARTIALLY_REFUNDED",
                "REFUNDED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("captured", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.Column("client_secret", sa.Text(), nullable=True),
        sa.Column("redirect_url", sa.Text(), nullable=True),
        sa.Column("decline_code", sa.Text(), nullable=True),
        sa.Column("decline_message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 <= refunded AND refunded <= captured AND captured <= amount",
            name=op.f("ck_payments_never_more_than_taken"),
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_payments_booking_id_bookings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("gateway_id", name=op.f("uq_payments_gateway_id")),
    )
    op.create_index(op.f("ix_payments_booking_id"), "payments", ["booking_id"], unique=False)
    op.create_index(
        "uq_payments_one_under_way",
        "payments",
        ["booking_id"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('DECLINED', 'VOIDED')"),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("gateway_id", sa.String(collation="C"), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "REQUESTED", "SUCCEEDED", "FAILED", name="status", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_something")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id_payments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("gateway_id", name=op.f("uq_refunds_gateway_id")),
    )
    op.create_index(op.f("ix_refunds_payment_id"), "refunds", ["payment_id"], unique=False)
    op.create_index(
        "ix_refunds_requested",
        "refunds",
        ["payment_id"],
        unique=False,
        postgresql_where=sa.text("status = 'REQUESTED'"),
    )
    op.create_table(
        "seat_assignments",
        sa.Column("passenger_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column("pool", sa.String(collation="C"), nullable=False),
        sa.Column("unit", sa.String(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["passenger_id"], ["passengers.id"], name=op.f("fk_seat_assignments_passenger_id_passengers")
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["slots.id"], name=op.f("fk_seat_assignments_slot_id_slots")),
        sa.PrimaryKeyConstraint("passenger_id", "slot_id", name=op.f("pk_seat_assignments")),
    )
    op.create_index(op.f("ix_seat_assignments_slot_id_unit"), "seat_assignments", ["slot_id", "unit"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("number", sa.String(collation="C"), nullable=False),
        sa.Column("passenger_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "OPEN", "USED", "VOID", "REFUNDED", name="status", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number ~ '^[0-9]{13}$'", name=op.f("ck_tickets_thirteen_digits")),
        sa.ForeignKeyConstraint(["passenger_id"], ["passengers.id"], name=op.f("fk_tickets_passenger_id_passengers")),
        sa.ForeignKeyConstraint(["slot_id"], ["flights.slot_id"], name=op.f("fk_tickets_slot_id_flights")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tickets")),
        sa.UniqueConstraint("passenger_id", "slot_id", name=op.f("uq_tickets_passenger_id_slot_id")),
    )
    op.execute("INSERT INTO relay_heads (id, position, pruned_to) VALUES (1, 0, 0)")
    run_script("jetway_now_1.sql")
    run_script("take_hold_1.sql")
    run_script("pgqueuer_1_6_0.sql")


def downgrade() -> None:
    run_script("pgqueuer_1_6_0_down.sql")
    op.execute("DROP FUNCTION take_hold, jetway_now")
    op.drop_table("tickets")
    op.drop_index(op.f("ix_seat_assignments_slot_id_unit"), table_name="seat_assignments")
    op.drop_table("seat_assignments")
    op.drop_index("ix_refunds_requested", table_name="refunds", postgresql_where=sa.text("status = 'REQUESTED'"))
    op.drop_index(op.f("ix_refunds_payment_id"), table_name="refunds")
    op.drop_table("refunds")
    op.drop_index(
        "uq_payments_one_under_way",
        table_name="payments",
        postgresql_where=sa.text("status NOT IN ('DECLINED', 'VOIDED')"),
    )
    op.drop_index(op.f("ix_payments_booking_id"), table_name="payments")
    op.drop_table("payments")
    op.drop_table("passengers")
    op.drop_index(op.f("ix_cancellation_quotes_booking_id"), table_name="cancellation_quotes")
    op.drop_table("cancellation_quotes")
    op.drop_index(op.f("ix_booking_segments_slot_id"), table_name="booking_segments")
    op.drop_table("booking_segments")
    op.drop_table("booking_lines")
    op.drop_index(op.f("ix_refresh_tokens_session_id"), table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_table("pools")
    op.drop_index(op.f("ix_hold_items_slot_id_pool"), table_name="hold_items")
    op.drop_table("hold_items")
    op.drop_index("ix_flights_route", table_name="flights")
    op.drop_index(op.f("ix_flights_local_date"), table_name="flights")
    op.drop_index("ix_flights_board", table_name="flights")
    op.drop_table("flights")
    op.drop_index(op.f("ix_bookings_owner_id"), table_name="bookings")
    op.drop_index(
        "ix_bookings_open",
        table_name="bookings",
        postgresql_where=sa.text("status IN ('SEATS_LOCKED', 'PAYMENT_PENDING')"),
    )
    op.drop_index(op.f("ix_bookings_hold_id"), table_name="bookings")
    op.drop_table("bookings")
    op.drop_index(op.f("ix_user_sessions_user_id"), table_name="user_sessions")
    op.drop_table("user_sessions")
    op.drop_index(op.f("ix_slots_product_id"), table_name="slots")
    op.drop_table("slots")
    op.drop_table("layout_units")
    op.drop_index("ix_holds_deadlines", table_name="holds", postgresql_where=sa.text("status = 'ACTIVE'"))
    op.drop_index(op.f("ix_holds_booking_id"), table_name="holds")
    op.drop_table("holds")
    op.drop_table("fares")
    op.drop_table("aircraft")
    op.drop_table("webhook_events")
    op.drop_table("users")
    op.drop_index(op.f("ix_transitions_subject_id_id"), table_name="transitions")
    op.drop_table("transitions")
    op.drop_table("seat_charges")
    op.drop_table("relay_heads")
    op.drop_table("products")
    op.drop_table("locators")
    op.drop_table("layouts")
    op.drop_table("idempotency_keys")
    op.drop_table("heartbeats")
    op.drop_table("fare_families")
    op.drop_index("ix_facts_unpublished", table_name="facts", postgresql_where=sa.text("published_at IS NULL"))
    op.drop_index("ix_facts_unpositioned", table_name="facts", postgresql_where=sa.text("position IS NULL"))
    op.drop_index(op.f("ix_facts_stream_position"), table_name="facts")
    op.drop_table("facts")
    op.drop_index("ix_claims_tombstones", table_name="claims", postgresql_where=sa.text("status = 'AVAILABLE'"))
    op.drop_index(op.f("ix_claims_hold_id"), table_name="claims")
    op.drop_table("claims")
    op.drop_table("charges")
    op.drop_table("airports")
    op.drop_table("airlines")
    op.execute("DROP SEQUENCE claim_versions, ticket_serials")
