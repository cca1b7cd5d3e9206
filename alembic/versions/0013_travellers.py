"""What a journey asks to know of its passengers: details, sealed documents, and on whose lap an infant sits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

GENDERS = ("FEMALE", "MALE", "UNSPECIFIED")
MEALS = (
    *("AVML", "BBML", "BLML", "CHML", "DBML", "FPML", "GFML", "HNML", "KSML", "LCML"),
    *("LFML", "LSML", "MOML", "NLML", "RVML", "SFML", "VGML", "VJML", "VLML", "VOML"),
)
ASSISTANCE = ("BLND", "DEAF", "DPNA", "MAAS", "WCHC", "WCHR", "WCHS")

ON_LAPS = """
    WITH ranked AS (
        SELECT id, booking_id, type, row_number() OVER (PARTITION BY booking_id, type ORDER BY ordinal) AS place
        FROM passengers WHERE type IN ('ADULT', 'INFANT'))
    UPDATE passengers SET accompanied_by = adult.id
    FROM ranked AS infant JOIN ranked AS adult USING (booking_id, place)
    WHERE infant.type = 'INFANT' AND adult.type = 'ADULT' AND passengers.id = infant.id
"""
"""Each infant of a booking sits with the adult of the same place among the adults, as a new booking has it."""


def words(name: str, *members: str) -> sa.Enum:
    """A column type of those words, with its CHECK."""
    return sa.Enum(*members, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.add_column("passengers", sa.Column("accompanied_by", sa.Uuid(), nullable=True))
    op.add_column("passengers", sa.Column("gender", sa.String(length=24), nullable=True))
    op.add_column("passengers", sa.Column("meal", sa.String(length=24), nullable=True))
    op.add_column(
        "passengers",
        sa.Column(
            "assistance",
            postgresql.ARRAY(sa.String(collation="C")),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column("passengers", sa.Column("frequent_flyer_airline", sa.String(collation="C"), nullable=True))
    op.add_column("passengers", sa.Column("frequent_flyer_number", sa.String(collation="C"), nullable=True))
    op.execute(ON_LAPS)
    op.create_foreign_key(
        op.f("fk_passengers_accompanied_by_passengers"), "passengers", "passengers", ["accompanied_by"], ["id"]
    )
    op.create_unique_constraint(op.f("uq_passengers_accompanied_by"), "passengers", ["accompanied_by"])
    for name, condition in (
        ("infants_are_accompanied", "accompanied_by IS NULL OR type = 'INFANT'"),
        ("known_assistance", f"assistance <@ ARRAY[{listed(ASSISTANCE)}]::varchar[]"),
        ("whole_membership", "(frequent_flyer_airline IS NULL) = (frequent_flyer_number IS NULL)"),
        ("gender", f"gender IN ({listed(GENDERS)})"),
        ("meal", f"meal IN ({listed(MEALS)})"),
    ):
        op.create_check_constraint(op.f(f"ck_passengers_{name}"), "passengers", condition)
    op.create_table(
        "travel_documents",
        sa.Column("passenger_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.String(collation="C"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["passenger_id"], ["passengers.id"], name=op.f("fk_travel_documents_passenger_id_passengers")
        ),
        sa.PrimaryKeyConstraint("passenger_id", name=op.f("pk_travel_documents")),
    )
    op.create_index(op.f("ix_travel_documents_key_id"), "travel_documents", ["key_id"])


def listed(members: tuple[str, ...]) -> str:
    """Words as SQL lists them."""
    return ", ".join(f"'{member}'" for member in members)


def downgrade() -> None:
    op.drop_table("travel_documents")
    for name in ("infants_are_accompanied", "known_assistance", "whole_membership", "gender", "meal"):
        op.drop_constraint(op.f(f"ck_passengers_{name}"), "passengers")
    op.drop_constraint(op.f("uq_passengers_accompanied_by"), "passengers")
    op.drop_constraint(op.f("fk_passengers_accompanied_by_passengers"), "passengers")
    for column in (
        "frequent_flyer_number",
        "frequent_flyer_airline",
        "assistance",
        "meal",
        "gender",
        "accompanied_by",
    ):
        op.drop_column("passengers", column)
