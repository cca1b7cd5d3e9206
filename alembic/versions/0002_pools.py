"""Pools know their capacity, what is blocked and their booking classes; a passenger may choose a seat later; staff.

What stands in pools already becomes its capacity, without classes: it sells every class alike, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NONE = sa.text("'{}'")
COUNTS = ("class_limits", "class_held", "class_sold")
ROLE = "ck_users_role"


def upgrade() -> None:
    op.add_column("pools", sa.Column("capacity", sa.BigInteger(), nullable=True))
    op.execute("UPDATE pools SET capacity = authorised")
    op.alter_column("pools", "capacity", nullable=False)
    for name in ("overbooking", "blocked"):
        op.add_column("pools", sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    codes = postgresql.ARRAY(sa.String(collation="C"))
    op.add_column("pools", sa.Column("classes", codes, server_default=NONE, nullable=False))
    for name in COUNTS:
        op.add_column("pools", sa.Column(name, postgresql.ARRAY(sa.Integer()), server_default=NONE, nullable=False))
    op.create_check_constraint(
        op.f("ck_pools_within_capacity"), "pools", "overbooking >= 0 AND authorised <= capacity + overbooking"
    )
    op.create_check_constraint(op.f("ck_pools_blocked_in_place"), "pools", "blocked BETWEEN 0 AND capacity")
    op.create_check_constraint(
        op.f("ck_pools_classes_in_step"),
        "pools",
        " AND ".join(f"cardinality({name}) = cardinality(classes)" for name in COUNTS),
    )
    op.create_check_constraint(
        op.f("ck_pools_classes_not_negative"), "pools", " AND ".join(f"0 <= ALL ({name})" for name in COUNTS)
    )

    op.add_column("hold_items", sa.Column("booking_class", sa.String(collation="C"), nullable=True))
    op.add_column("hold_items", sa.Column("returned", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_hold_items_returned_once"), "hold_items", "returned BETWEEN 0 AND quantity")
    # What cancelled bookings have given back is written down where their quantities stand from now on.
    op.execute(
        """
        UPDATE hold_items SET returned = quantity
        FROM holds JOIN bookings ON bookings.hold_id = holds.id
        WHERE hold_items.hold_id = holds.id AND holds.status = 'BOOKED' AND bookings.status IN ('CANCELLED', 'FAILED')
        """
    )

    op.add_column(
        "fare_families",
        sa.Column("booking_limit_basis_points", sa.SmallInteger(), server_default=sa.text("10000"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_fare_families_limit_is_a_share"), "fare_families", "booking_limit_basis_points BETWEEN 0 AND 10000"
    )

    op.alter_column("seat_assignments", "unit", nullable=True)

    op.drop_constraint(op.f(ROLE), "users")
    op.create_check_constraint(op.f(ROLE), "users", "role IN ('CUSTOMER', 'STAFF', 'ADMIN')")


def downgrade() -> None:
    op.execute("UPDATE users SET role = 'CUSTOMER' WHERE role <> 'CUSTOMER'")
    op.drop_constraint(op.f(ROLE), "users")
    op.create_check_constraint(op.f(ROLE), "users", "role IN ('CUSTOMER')")

    op.execute("DELETE FROM seat_assignments WHERE unit IS NULL")
    op.alter_column("seat_assignments", "unit", nullable=False)
    op.drop_column("fare_families", "booking_limit_basis_points")
    op.drop_column("hold_items", "returned")
    op.drop_column("hold_items", "booking_class")
    for name in (*reversed(COUNTS), "classes", "blocked", "overbooking", "capacity"):
        op.drop_column("pools", name)
