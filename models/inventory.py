"""What can be sold: products, their dated slots, counted pools, layouts of units, and the claims on units.

A unit (a seat) of a slot has no row until somebody takes it: two owners of one unit cannot be written down, because
`claims` has exactly (slot, unit) as its key. A slot's key is a number and not a UUIDv7: claims repeat it in every row
and index, and slots are imported by operators, never created by clients.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Sequence,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Moment, Small, status

CLAIM_VERSIONS = Sequence("claim_versions", metadata=Base.metadata, cache=1)
"""Versions of units. Uncached, and drawn while the unit's row is locked, so that a later change has a later number."""


class ProductKind(StrEnum):
    """The verticals that the core sells."""

    FLIGHT = "FLIGHT"


class SlotStatus(StrEnum):
    """Whether a slot may be sold."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


class SeatStatus(StrEnum):
    """The states of a unit. AVAILABLE is the absence of a claim, or a tombstone that keeps its last version."""

    AVAILABLE = "AVAILABLE"
    LOCKED = "LOCKED"
    BOOKED = "BOOKED"
    CHECKED_IN = "CHECKED_IN"
    BLOCKED = "BLOCKED"


class SeatPosition(StrEnum):
    """Where in its row a seat is."""

    WINDOW = "WINDOW"
    MIDDLE = "MIDDLE"
    AISLE = "AISLE"


class Product(Base):
    """Something that is sold again and again: a flight number, an event, a tour, a room type."""

    __tablename__ = "products"
    __table_args__ = (UniqueConstraint("kind", "code"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[ProductKind] = mapped_column(status(ProductKind, "kind"))
    code: Mapped[Code]
    name: Mapped[str]


class Layout(Base):
    """A seat map shared by every slot that uses it. Never changed once a slot uses it; a new one is made instead.

    `sections` lists the sections from front to back: `{"section", "columns", "aisles_after"}`.
    """

    __tablename__ = "layouts"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    code: Mapped[Code] = mapped_column(unique=True)
    sections: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class LayoutUnit(Base):
    """One unit of a layout. `section` is the code of the pool that counts it (for a flight, the cabin)."""

    __tablename__ = "layout_units"

    layout_id: Mapped[int] = mapped_column(ForeignKey("layouts.id"), primary_key=True)
    unit: Mapped[Code] = mapped_column(primary_key=True)
    section: Mapped[Code]
    row_number: Mapped[Small]
    column_letter: Mapped[Code]
    position: Mapped[SeatPosition] = mapped_column(status(SeatPosition, "position"))
    exit_row: Mapped[bool]
    extra_legroom: Mapped[bool]
    accessible: Mapped[bool]


class Slot(Base):
    """One dated thing that can be sold. `zone` is the IANA zone of the place where it starts."""

    __tablename__ = "slots"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", "ends_after_start"),
        Index(None, "product_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    layout_id: Mapped[int | None] = mapped_column(ForeignKey("layouts.id"))
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    zone: Mapped[str]
    status: Mapped[SlotStatus] = mapped_column(status(SlotStatus), server_default=SlotStatus.OPEN)


class Pool(Base):
    """Counted capacity of a slot. What is held and sold never passes what is authorised: the CHECK says so.

    `capacity` is what the layout or the place really has, `overbooking` how many more may be authorised, `blocked` how
    many units staff keep from sale: `authorised - blocked - held - sold` may still be sold.

    `classes` are the nested booking classes, the highest first, each with its booking limit (the most that it and all
    classes below it hold and sell together) and what it holds and has sold itself. What is held before its class is
    known counts in `held` alone; a pool without classes sells every class alike. Source: P. Belobaba, "Application of
    a Probabilistic Decision Model to Airline Seat Inventory Control", Operations Research 37 (1989).
    """

    __tablename__ = "pools"
    __table_args__ = (
        CheckConstraint("held >= 0 AND sold >= 0 AND held + sold <= authorised", "never_oversold"),
        CheckConstraint("overbooking >= 0 AND authorised <= capacity + overbooking", "within_capacity"),
        CheckConstraint("blocked BETWEEN 0 AND capacity", "blocked_in_place"),
        CheckConstraint(
            "cardinality(class_limits) = cardinality(classes) AND cardinality(class_held) = cardinality(classes)"
            " AND cardinality(class_sold) = cardinality(classes)",
            "classes_in_step",
        ),
        CheckConstraint(
            "0 <= ALL (class_limits) AND 0 <= ALL (class_held) AND 0 <= ALL (class_sold)", "classes_not_negative"
        ),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    slot_id: Mapped[int] = mapped_column(ForeignKey("slots.id"), primary_key=True)
    code: Mapped[Code] = mapped_column(primary_key=True)
    authorised: Mapped[int]
    held: Mapped[int] = mapped_column(server_default=text("0"))
    sold: Mapped[int] = mapped_column(server_default=text("0"))
    capacity: Mapped[int]
    overbooking: Mapped[int] = mapped_column(server_default=text("0"))
    blocked: Mapped[int] = mapped_column(server_default=text("0"))
    classes: Mapped[list[str]] = mapped_column(ARRAY(String(collation="C")), server_default=text("'{}'"))
    class_limits: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default=text("'{}'"))
    class_held: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default=text("'{}'"))
    class_sold: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default=text("'{}'"))


class Claim(Base):
    """That a unit is taken, or (AVAILABLE) that it was, with the version of its last change.

    No foreign key: the check would lock the slot's row for every seat sold. `services/invariants/` asks instead.
    """

    __tablename__ = "claims"
    __table_args__ = (
        CheckConstraint("(status = 'LOCKED') = (expires_at IS NOT NULL)", "locked_has_deadline"),
        CheckConstraint(
            "status IN ('AVAILABLE', 'BLOCKED') OR hold_id IS NOT NULL",
            "taken_has_hold",
        ),
        Index(None, "hold_id"),
        Index(
            "ix_claims_tombstones",
            "changed_at",
            postgresql_where=text("status = 'AVAILABLE'"),
        ),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    slot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    unit: Mapped[Code] = mapped_column(primary_key=True)
    status: Mapped[SeatStatus] = mapped_column(status(SeatStatus))
    hold_id: Mapped[UUID | None]
    expires_at: Mapped[datetime | None]
    version: Mapped[int]
    changed_at: Mapped[Moment]
