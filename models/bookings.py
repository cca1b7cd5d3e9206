"""Bookings: who flies, where they sit, what it costs, and the name by which it is found again."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Minor, Moment, Small, status
from models.fares import PriceLineKind
from models.flights import Cabin
from models.travellers import AssistanceCode, Gender, MealCode

ASSISTANCE = ", ".join(f"'{code}'" for code in AssistanceCode)
"""The codes as SQL lists them."""


class BookingStatus(StrEnum):
    """The life of a booking."""

    INITIATED = "INITIATED"
    SEATS_LOCKED = "SEATS_LOCKED"
    PAYMENT_PENDING = "PAYMENT_PENDING"
    CONFIRMED = "CONFIRMED"
    CHECKED_IN = "CHECKED_IN"
    COMPLETED = "COMPLETED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"


class PassengerType(StrEnum):
    """By age on the day of travel; an infant sits on a lap."""

    ADULT = "ADULT"
    CHILD = "CHILD"
    INFANT = "INFANT"


class PassengerTitle(StrEnum):
    """How a passenger is addressed."""

    MR = "MR"
    MRS = "MRS"
    MS = "MS"
    MX = "MX"
    DR = "DR"


class CancellationRule(StrEnum):
    """By which rule money comes back, or stays: `services.bookings.terms` applies them."""

    NOT_PAID = "NOT_PAID"
    AIRLINE = "AIRLINE"
    BY_LAW = "BY_LAW"
    NOT_REFUNDABLE = "NOT_REFUNDABLE"
    LESS_FEE = "LESS_FEE"
    HALF = "HALF"
    TOO_LATE = "TOO_LATE"


class Locator(Base):
    """Every record locator ever given out: unique in a registry of its own, so that bookings can be partitioned."""

    __tablename__ = "locators"

    pnr: Mapped[Code] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(unique=True)


class Booking(Base):
    """What somebody bought or is about to buy. `owner_id` is null for a guest, who proves it with a signed token."""

    __tablename__ = "bookings"
    __table_args__ = (
        CheckConstraint("total >= 0", "not_negative"),
        Index(None, "owner_id"),
        Index(None, "hold_id"),
        Index(
            "ix_bookings_open",
            "status",
            postgresql_where=text("status IN ('SEATS_LOCKED', 'PAYMENT_PENDING')"),
        ),
    )

    id: Mapped[Key]
    pnr: Mapped[Code] = mapped_column(unique=True)
    status: Mapped[BookingStatus] = mapped_column(status(BookingStatus))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("holds.id"))
    email: Mapped[str]
    phone: Mapped[str | None]
    total: Mapped[Minor]
    currency: Mapped[Code]
    source: Mapped[str | None]
    referral_code: Mapped[str | None]
    created_at: Mapped[Moment]


class BookingLine(Base):
    """One named line of a booking's price; the lines add up to its total.

    `slot_id` is the flight that it is for, null where it is for the whole booking; `unit` is the seat that a SEAT line
    charges.
    """

    __tablename__ = "booking_lines"

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    ordinal: Mapped[Small] = mapped_column(primary_key=True)
    kind: Mapped[PriceLineKind] = mapped_column(status(PriceLineKind, "kind"))
    label: Mapped[str]
    amount: Mapped[Minor]
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slots.id"))
    unit: Mapped[Code | None]


class BookingSegment(Base):
    """One flight of a booking, with the rules under which it was sold, in the order of travel.

    `cancelled_at` tells that the booking was cancelled in part, and nobody of it flies this one.
    """

    __tablename__ = "booking_segments"
    __table_args__ = (Index(None, "slot_id"),)

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    ordinal: Mapped[Small] = mapped_column(primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("flights.slot_id"))
    cabin: Mapped[Cabin] = mapped_column(status(Cabin, "cabin"))
    booking_class: Mapped[Code]
    family_code: Mapped[Code] = mapped_column(ForeignKey("fare_families.code"))
    cancelled_at: Mapped[datetime | None]


class Passenger(Base):
    """Somebody who travels. An infant sits on the lap of one adult of the booking, and no adult has two on theirs.

    `cancelled_at` tells that they left the booking, which was cancelled in part: they keep no place and no open ticket.
    """

    __tablename__ = "passengers"
    __table_args__ = (
        UniqueConstraint("booking_id", "ordinal"),
        UniqueConstraint("accompanied_by"),
        CheckConstraint("accompanied_by IS NULL OR type = 'INFANT'", "infants_are_accompanied"),
        CheckConstraint(f"assistance <@ ARRAY[{ASSISTANCE}]::varchar[]", "known_assistance"),
        CheckConstraint("(frequent_flyer_airline IS NULL) = (frequent_flyer_number IS NULL)", "whole_membership"),
    )

    id: Mapped[Key]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"))
    ordinal: Mapped[Small]
    type: Mapped[PassengerType] = mapped_column(status(PassengerType, "type"))
    title: Mapped[PassengerTitle | None] = mapped_column(status(PassengerTitle, "title"))
    first_name: Mapped[str]
    last_name: Mapped[str]
    date_of_birth: Mapped[date] = mapped_column(Date)
    accompanied_by: Mapped[UUID | None] = mapped_column(ForeignKey("passengers.id"))
    gender: Mapped[Gender | None] = mapped_column(status(Gender, "gender"))
    meal: Mapped[MealCode | None] = mapped_column(status(MealCode, "meal"))
    assistance: Mapped[list[str]] = mapped_column(ARRAY(String(collation="C")), server_default=text("'{}'"))
    frequent_flyer_airline: Mapped[Code | None]
    frequent_flyer_number: Mapped[Code | None]
    cancelled_at: Mapped[datetime | None]


class SeatAssignment(Base):
    """A passenger's place on a slot, counted by the pool of that name; `unit` is null until a seat is chosen."""

    __tablename__ = "seat_assignments"
    __table_args__ = (Index(None, "slot_id", "unit"),)

    passenger_id: Mapped[UUID] = mapped_column(ForeignKey("passengers.id"), primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slots.id"), primary_key=True)
    pool: Mapped[Code]
    unit: Mapped[Code | None]


class CancellationQuote(Base):
    """What cancelling would give back, kept at that until it expires; `used_at` tells that it was taken up.

    It is for some of the passengers, for some of the flights (by slot), or, with neither, for the whole booking.
    `refund` and `fee` add up to what those have paid, `extras` of it beside their fares and seats. `basis` is the
    fingerprint of the booking that it was made for: a booking with another has changed since.
    """

    __tablename__ = "cancellation_quotes"
    __table_args__ = (
        CheckConstraint("passengers IS NULL OR slots IS NULL", "one_way_to_part"),
        Index(None, "booking_id"),
    )

    id: Mapped[Key]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"))
    passengers: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    slots: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    rule: Mapped[CancellationRule] = mapped_column(status(CancellationRule, "rule"))
    refund: Mapped[Minor]
    fee: Mapped[Minor]
    extras: Mapped[Minor] = mapped_column(server_default=text("0"))
    currency: Mapped[Code]
    reason: Mapped[str]
    basis: Mapped[bytes]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[datetime | None]
