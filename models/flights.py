"""Flights and what they are made of: airports, airlines, aircraft, dated departures."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    Date,
    Float,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Moment, Small, status


class Cabin(StrEnum):
    """Cabins of service; each is a section of a layout and a pool of a slot."""

    FIRST = "FIRST"
    BUSINESS = "BUSINESS"
    PREMIUM_ECONOMY = "PREMIUM_ECONOMY"
    ECONOMY = "ECONOMY"


class FlightStatus(StrEnum):
    """Where a flight is in its day."""

    SCHEDULED = "SCHEDULED"
    DELAYED = "DELAYED"
    BOARDING = "BOARDING"
    DEPARTED = "DEPARTED"
    IN_FLIGHT = "IN_FLIGHT"
    LANDED = "LANDED"
    CANCELLED = "CANCELLED"
    DIVERTED = "DIVERTED"


class Airport(Base):
    """A place that flights leave from. `zone` is its IANA time zone."""

    __tablename__ = "airports"

    iata_code: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]
    latitude: Mapped[float] = mapped_column(Float)
    longitude: Mapped[float] = mapped_column(Float)
    zone: Mapped[str]


class Airline(Base):
    """A carrier. `accounting_code` is the three-digit number that its tickets begin with."""

    __tablename__ = "airlines"
    __table_args__ = (CheckConstraint("accounting_code ~ '^[0-9]{3}$'", "three_digits"),)

    iata_code: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[str]
    accounting_code: Mapped[Code]


class Aircraft(Base):
    """One aircraft, by registration, or a carrier's typical one where the registration is not known."""

    __tablename__ = "aircraft"

    registration: Mapped[Code] = mapped_column(primary_key=True)
    manufacturer: Mapped[str]
    name: Mapped[str]
    seats: Mapped[Small]
    layout_id: Mapped[int] = mapped_column(ForeignKey("layouts.id"))


class Flight(Base):
    """One departure: the slot of a flight, with what is known of its day.

    Its identity is airline, number, suffix, local date at the origin and board point; the *time* may move. Scheduled
    times are `departs_at` and `arrives_at`; `estimated_*` and `actual_*` are null until somebody says otherwise.
    """

    __tablename__ = "flights"
    __table_args__ = (
        UniqueConstraint("airline_code", "number", "suffix", "local_date", "origin_code"),
        CheckConstraint("arrives_at > departs_at", "arrives_after_departure"),
        CheckConstraint("origin_code <> destination_code", "goes_somewhere"),
        CheckConstraint("number BETWEEN 1 AND 9999", "four_digits"),
        Index(
            "ix_flights_route",
            "origin_code",
            "destination_code",
            "local_date",
            "departs_at",
        ),
        Index("ix_flights_board", "origin_code", "departs_at"),
        Index(None, "local_date"),
    )

    slot_id: Mapped[int] = mapped_column(ForeignKey("slots.id"), primary_key=True, autoincrement=False)
    airline_code: Mapped[Code] = mapped_column(ForeignKey("airlines.iata_code"))
    number: Mapped[int]
    suffix: Mapped[Code] = mapped_column(server_default="")
    origin_code: Mapped[Code] = mapped_column(ForeignKey("airports.iata_code"))
    destination_code: Mapped[Code] = mapped_column(ForeignKey("airports.iata_code"))
    local_date: Mapped[date] = mapped_column(Date)
    departs_at: Mapped[Moment]
    arrives_at: Mapped[Moment]
    estimated_departure_at: Mapped[datetime | None]
    estimated_arrival_at: Mapped[datetime | None]
    actual_departure_at: Mapped[datetime | None]
    actual_arrival_at: Mapped[datetime | None]
    status: Mapped[FlightStatus] = mapped_column(status(FlightStatus), server_default=FlightStatus.SCHEDULED)
    departure_gate: Mapped[str | None]
    arrival_gate: Mapped[str | None]
    departure_terminal: Mapped[str | None]
    arrival_terminal: Mapped[str | None]
    registration: Mapped[Code] = mapped_column(ForeignKey("aircraft.registration"))
    version: Mapped[int] = mapped_column(server_default=text("0"))

    @property
    def designator(self) -> str:
        """Airline, number and suffix as people write them: `UA1545`."""
        return f"{self.airline_code}{self.number}{self.suffix}"
