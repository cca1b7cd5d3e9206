"""Departures: flights as travellers see them, with the places, the airline and the aircraft beside each.

Read in one statement and handed out as frozen rows: what clients ask for most is a plain attribute here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from core.db import ReadSession
from models import Aircraft, Airline, Airport, Flight, FlightStatus

Origin = aliased(Airport)
Destination = aliased(Airport)


@dataclass(frozen=True, kw_only=True, eq=False)
class Departure:
    """One dated flight. Times are aware, in the zone of the place where they happen: they print with its offset."""

    flight: Flight
    origin: Airport
    destination: Airport
    airline: Airline
    aircraft: Aircraft

    @property
    def slot_id(self) -> int:
        """The slot that this flight is."""
        return self.flight.slot_id

    @property
    def designator(self) -> str:
        """Airline, number and suffix: `UA1545`."""
        return self.flight.designator

    @property
    def number(self) -> int:
        """The flight number without the airline."""
        return self.flight.number

    @property
    def status(self) -> FlightStatus:
        """Where the flight is in its day."""
        return self.flight.status

    @cached_property
    def departs_at(self) -> datetime:
        """Scheduled departure, in the origin's zone."""
        return self.flight.departs_at.astimezone(zone(self.origin.zone))

    @cached_property
    def arrives_at(self) -> datetime:
        """Scheduled arrival, in the destination's zone."""
        return self.flight.arrives_at.astimezone(zone(self.destination.zone))

    @property
    def estimated_departure_at(self) -> datetime | None:
        """When it is expected to leave, where that differs from the schedule."""
        return local(self.flight.estimated_departure_at, self.origin)

    @property
    def estimated_arrival_at(self) -> datetime | None:
        """When it is expected to arrive, where that differs from the schedule."""
        return local(self.flight.estimated_arrival_at, self.destination)

    @property
    def actual_departure_at(self) -> datetime | None:
        """When it left, once it has."""
        return local(self.flight.actual_departure_at, self.origin)

    @property
    def actual_arrival_at(self) -> datetime | None:
        """When it arrived, once it has."""
        return local(self.flight.actual_arrival_at, self.destination)

    @property
    def duration_minutes(self) -> int:
        """From scheduled departure to scheduled arrival."""
        return int((self.flight.arrives_at - self.flight.departs_at).total_seconds() // 60)

    @property
    def delay_minutes(self) -> int | None:
        """How late it leaves, or left (early is negative); None while nobody has said."""
        leaves = self.flight.actual_departure_at or self.flight.estimated_departure_at
        return None if leaves is None else int((leaves - self.flight.departs_at).total_seconds() // 60)

    @property
    def departure_gate(self) -> str | None:
        """The gate that it leaves from."""
        return self.flight.departure_gate

    @property
    def arrival_gate(self) -> str | None:
        """The gate that it arrives at."""
        return self.flight.arrival_gate

    @property
    def departure_terminal(self) -> str | None:
        """The terminal that it leaves from."""
        return self.flight.departure_terminal

    @property
    def arrival_terminal(self) -> str | None:
        """The terminal that it arrives at."""
        return self.flight.arrival_terminal


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name."""
    return ZoneInfo(name)


def local(moment: datetime | None, place: Airport) -> datetime | None:
    """The same moment as clocks at that place show it."""
    return None if moment is None else moment.astimezone(zone(place.zone))


def select_departures(*more: Any) -> Select[Any]:
    """Flights with all that stands beside them, and `more` columns."""
    return (
        select(Flight, Origin, Destination, Airline, Aircraft, *more)
        .join(Origin, Origin.iata_code == Flight.origin_code)
        .join(Destination, Destination.iata_code == Flight.destination_code)
        .join(Airline, Airline.iata_code == Flight.airline_code)
        .join(Aircraft, Aircraft.registration == Flight.registration)
    )


def from_row(row: Any) -> Departure:
    """The departure of one row of `select_departures()`."""
    return Departure(flight=row[0], origin=row[1], destination=row[2], airline=row[3], aircraft=row[4])


async def by_slots(session: ReadSession, slot_ids: Iterable[int]) -> dict[int, Departure]:
    """The departures with those slots, by slot; what there is not is left out."""
    rows = await session.execute(select_departures().where(Flight.slot_id.in_(set(slot_ids))))
    return {row[0].slot_id: from_row(row) for row in rows}


async def board(
    session: ReadSession, airport: str, start: datetime, first: int, *, landed: bool
) -> Sequence[Departure]:
    """The next `first` scheduled departures of an airport from `start` on, in the order of their times.

    `landed`: whether flights that have landed stay on the board.
    """
    wanted = [Flight.origin_code == airport, Flight.departs_at >= start]
    if not landed:
        wanted.append(Flight.status != FlightStatus.LANDED)
    rows = await session.execute(
        select_departures().where(*wanted).order_by(Flight.departs_at, Flight.slot_id).limit(first)
    )
    return [from_row(row) for row in rows]
