"""The simple fare table: what a route costs per cabin and fare family, and what is added to it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, Date, ForeignKey, Identity, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Minor, Small, status
from models.flights import Cabin


class ChargeBasis(StrEnum):
    """What a tax or fee is reckoned on: the fare (basis points of it), or each passenger who takes a seat."""

    FARE = "FARE"
    PASSENGER = "PASSENGER"


class PriceLineKind(StrEnum):
    """What a line of a price is for."""

    FARE = "FARE"
    TAX = "TAX"
    FEE = "FEE"
    SEAT = "SEAT"
    EXTRA = "EXTRA"
    PROMOTION = "PROMOTION"


class FareFamily(Base):
    """A brand of fares with its rules. Basis points are hundredths of a percent of the adult's fare.

    `cancellation_fee` and `change_fee` are for the whole booking. `booking_limit_basis_points` is how much of a cabin
    its class and those below it may fill on a flight that nobody has given other limits.
    """

    __tablename__ = "fare_families"
    __table_args__ = (CheckConstraint("booking_limit_basis_points BETWEEN 0 AND 10000", "limit_is_a_share"),)

    code: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[str]
    cabin: Mapped[Cabin] = mapped_column(status(Cabin, "cabin"))
    booking_class: Mapped[Code]
    refundable: Mapped[bool]
    changeable: Mapped[bool]
    checked_bags: Mapped[Small]
    cancellation_fee: Mapped[Minor]
    change_fee: Mapped[Minor] = mapped_column(server_default=text("0"))
    currency: Mapped[Code]
    child_basis_points: Mapped[Small]
    infant_basis_points: Mapped[Small]
    booking_limit_basis_points: Mapped[Small] = mapped_column(server_default=text("10000"))


class Fare(Base):
    """What one adult pays for a route in a family, before taxes; in force on departure dates from..until, inclusive."""

    __tablename__ = "fares"
    __table_args__ = (
        UniqueConstraint("origin_code", "destination_code", "family_code", "valid_from"),
        CheckConstraint("amount >= 0", "not_negative"),
        CheckConstraint("valid_until >= valid_from", "in_order"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    origin_code: Mapped[Code] = mapped_column(ForeignKey("airports.iata_code"))
    destination_code: Mapped[Code] = mapped_column(ForeignKey("airports.iata_code"))
    family_code: Mapped[Code] = mapped_column(ForeignKey("fare_families.code"))
    amount: Mapped[Minor]
    currency: Mapped[Code]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)


class Charge(Base):
    """A tax or fee that every ticket bears, in the order of `code`."""

    __tablename__ = "charges"

    code: Mapped[Code] = mapped_column(primary_key=True)
    label: Mapped[str]
    kind: Mapped[PriceLineKind] = mapped_column(status(PriceLineKind, "kind"))
    basis: Mapped[ChargeBasis] = mapped_column(status(ChargeBasis, "basis"))
    basis_points: Mapped[Small]
    amount: Mapped[Minor]
    currency: Mapped[Code]


class SeatCharge(Base):
    """What a seat with extra legroom costs on top of the fare, per cabin."""

    __tablename__ = "seat_charges"

    cabin: Mapped[Cabin] = mapped_column(status(Cabin, "cabin"), primary_key=True)
    extra_legroom: Mapped[Minor]
    currency: Mapped[Code]
