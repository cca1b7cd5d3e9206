"""Extras: what an airline sells beside the seat, and who has what of it.

The catalogue belongs to an airline. Where an extra is counted (meals that are cooked, priority places), its stock on a
flight is a pool of the flight's slot like any other, so one kind of count and one lock guard both.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Minor, Small, status

STOCK = "extra:"
"""With what the code of a pool begins that counts an extra, and no cabin: `extra:MEAL-VGML`."""


class ExtraKind(StrEnum):
    """What sort of thing an extra is."""

    BAG = "BAG"
    MEAL = "MEAL"
    INSURANCE = "INSURANCE"
    PRIORITY = "PRIORITY"


class ExtraScope(StrEnum):
    """For what a passenger has an extra once: a flight, or the whole journey."""

    FLIGHT = "FLIGHT"
    JOURNEY = "JOURNEY"


class ExtraStatus(StrEnum):
    """What a passenger's extra is worth. ORDERED shares its booking's fate until that is paid."""

    ORDERED = "ORDERED"
    ISSUED = "ISSUED"
    VOID = "VOID"
    REFUNDED = "REFUNDED"


class Extra(Base):
    """Something that an airline sells beside the seat.

    A passenger may have `max_per_passenger` of it, for each flight or for the journey as `scope` says. It is sold until
    `closes_hours` before departure. `stocked`: sold on the flights that have a pool of it, as long as that lasts. What
    is `retired_at` some moment is sold no more; those who have it keep it.
    """

    __tablename__ = "extras"
    __table_args__ = (
        UniqueConstraint("airline_code", "code"),
        CheckConstraint("code ~ '^[A-Z0-9][A-Z0-9-]{0,19}$'", "plain_code"),
        CheckConstraint("max_per_passenger BETWEEN 1 AND 9", "one_to_nine"),
        CheckConstraint("closes_hours BETWEEN 0 AND 720", "closes_in_time"),
        CheckConstraint("NOT (stocked AND scope = 'JOURNEY')", "stock_is_of_flights"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    airline_code: Mapped[Code] = mapped_column(ForeignKey("airlines.iata_code"))
    code: Mapped[Code]
    kind: Mapped[ExtraKind] = mapped_column(status(ExtraKind, "kind"))
    name: Mapped[str]
    scope: Mapped[ExtraScope] = mapped_column(status(ExtraScope, "scope"))
    max_per_passenger: Mapped[Small]
    closes_hours: Mapped[Small]
    refundable: Mapped[bool]
    infants: Mapped[bool]
    stocked: Mapped[bool]
    retired_at: Mapped[datetime | None]


class ExtraPrice(Base):
    """What one of an extra costs in a currency; it is not sold in a currency without a row."""

    __tablename__ = "extra_prices"
    __table_args__ = (CheckConstraint("amount >= 0", "not_negative"),)

    extra_id: Mapped[int] = mapped_column(ForeignKey("extras.id"), primary_key=True)
    currency: Mapped[Code] = mapped_column(primary_key=True)
    amount: Mapped[Minor]


class BookingExtra(Base):
    """So many of an extra that a passenger has, on a flight (`slot_id`) or for the journey (null).

    `pool` names the pool of the slot that counts it, null where nothing does. `unit_amount` is what one of it cost, in
    the booking's currency. `number` is that of its electronic miscellaneous document (IATA Resolution 725), drawn when
    it is paid for.
    """

    __tablename__ = "booking_extras"
    __table_args__ = (
        CheckConstraint("quantity > 0", "something"),
        CheckConstraint("unit_amount >= 0", "not_negative"),
        CheckConstraint("(status = 'ORDERED') = (number IS NULL)", "numbered_once_paid"),
        CheckConstraint("number ~ '^[0-9]{13}$'", "thirteen_digits"),
        CheckConstraint("pool IS NULL OR slot_id IS NOT NULL", "stock_is_of_flights"),
        UniqueConstraint("number"),
        Index(None, "booking_id"),
        Index(None, "passenger_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"))
    passenger_id: Mapped[UUID] = mapped_column(ForeignKey("passengers.id"))
    extra_id: Mapped[int] = mapped_column(ForeignKey("extras.id"))
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("flights.slot_id"))
    pool: Mapped[Code | None]
    quantity: Mapped[Small]
    unit_amount: Mapped[Minor]
    status: Mapped[ExtraStatus] = mapped_column(status(ExtraStatus))
    number: Mapped[Code | None]
