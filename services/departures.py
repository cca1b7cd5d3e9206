"""Departures: flights as travellers see them, with the places, the airline and the aircraft beside each.

Read in one statement and handed out as rows: whatever clients ask for is a plain attribute, computed once. Rows that
say the same are the same object, however often they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from core.ids import global_id
from core.rows import Reader, Written, row
from models import FlightStatus

KIND = "Flight"
"""What the ids of departures are ids of."""

MINUTE = timedelta(minutes=1)

MOST_PLACES, MOST_FLIGHTS = 1_024, 2_048
"""How many a process remembers: all airports of a large network, and the flights asked for last, in some megabytes."""

STATUSES: Mapping[str, FlightStatus] = {one.value: one for one in FlightStatus}


@row
class Place:
    """An airport: `models.Airport`."""

    iata_code: str
    name: str
    city: str
    country: str
    zone: str
    latitude: float
    longitude: float


@row
class Carrier:
    """An airline."""

    iata_code: str
    name: str


@row
class Plane:
    """An aircraft, or a carrier's typical one where the registration is not known."""

    name: str
    manufacturer: str
    seats: int


@row
class Departure:
    """One dated flight. Times are aware, in the zone of the place where they happen: they print with its offset.

    `id` is the one that clients see. `delay_minutes` is how late it leaves, or left (early is negative); None while
    nobody has said. Estimated and actual times are None until somebody says otherwise.
    """

    slot_id: int
    id: str
    designator: str
    number: int
    airline: Carrier
    origin: Place
    destination: Place
    departs_at: datetime
    arrives_at: datetime
    estimated_departure_at: datetime | None
    estimated_arrival_at: datetime | None
    actual_departure_at: datetime | None
    actual_arrival_at: datetime | None
    duration_minutes: int
    delay_minutes: int | None
    status: FlightStatus
    departure_terminal: str | None
    departure_gate: str | None
    arrival_terminal: str | None
    arrival_gate: str | None
    aircraft: Plane
    written: Written | None = field(default=None, repr=False, compare=False)


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name."""
    return ZoneInfo(name)


PLACE = "{0}.iata_code, {0}.name, {0}.city, {0}.country, {0}.zone, {0}.latitude, {0}.longitude"
"""The columns of a Place, in its order."""

OF_THE_DAY = """
    flights.slot_id, flights.departs_at, flights.arrives_at, flights.airline_code, flights.number, flights.suffix,
    flights.estimated_departure_at, flights.estimated_arrival_at,
    flights.actual_departure_at, flights.actual_arrival_at, flights.status,
    flights.departure_terminal, flights.departure_gate, flights.arrival_terminal, flights.arrival_gate,
    airlines.name, aircraft.name, aircraft.manufacturer, aircraft.seats"""
"""The columns that `departure()` takes, in its order: everything but the two places."""

BESIDE = """
    JOIN airlines ON airlines.iata_code = flights.airline_code
    JOIN aircraft ON aircraft.registration = flights.registration"""

WHOLE = f"""
    SELECT {OF_THE_DAY}, {PLACE.format("origin")}, {PLACE.format("destination")}
    FROM flights {BESIDE}
    JOIN airports origin ON origin.iata_code = flights.origin_code
    JOIN airports destination ON destination.iata_code = flights.destination_code"""  # noqa: S608 - our own columns

COLUMNS = 19
"""How many columns `OF_THE_DAY` has: in `WHOLE` the two places follow."""

PLACE_COLUMNS = 7

BY_SLOTS = f"{WHOLE} WHERE flights.slot_id = ANY ($1::bigint[])"

BOARD = f"""
    {WHOLE} WHERE flights.origin_code = $1 AND flights.departs_at >= $2 AND ($4 OR flights.status <> 'LANDED')
    ORDER BY flights.departs_at, flights.slot_id LIMIT $3"""


@lru_cache(maxsize=MOST_PLACES)
def place(columns: tuple[Any, ...]) -> Place:
    """The place of the columns `PLACE`."""
    return Place(*columns)


@lru_cache(maxsize=MOST_FLIGHTS)
def departure(
    columns: tuple[Any, ...], origin_columns: tuple[Any, ...], destination_columns: tuple[Any, ...]
) -> Departure:
    """The departure of the columns `OF_THE_DAY`, from and to the places of those columns."""
    (
        slot_id, departs_at, arrives_at, airline, number, suffix,
        leaving, arriving, left, arrived, status,
        departure_terminal, departure_gate, arrival_terminal, arrival_gate,
        airline_name, aircraft_name, manufacturer, seats,
    ) = columns  # fmt: skip
    origin, destination = place(origin_columns), place(destination_columns)
    here, there = zone(origin.zone), zone(destination.zone)
    leaves = left or leaving
    return Departure(
        slot_id=slot_id,
        id=str(global_id(KIND, slot_id)),
        designator=f"{airline}{number}{suffix}",
        number=number,
        airline=Carrier(airline, airline_name),
        origin=origin,
        destination=destination,
        departs_at=departs_at.astimezone(here),
        arrives_at=arrives_at.astimezone(there),
        estimated_departure_at=leaving and leaving.astimezone(here),
        estimated_arrival_at=arriving and arriving.astimezone(there),
        actual_departure_at=left and left.astimezone(here),
        actual_arrival_at=arrived and arrived.astimezone(there),
        duration_minutes=(arrives_at - departs_at) // MINUTE,
        delay_minutes=leaves and (leaves - departs_at) // MINUTE,
        status=STATUSES[status],
        departure_terminal=departure_terminal,
        departure_gate=departure_gate,
        arrival_terminal=arrival_terminal,
        arrival_gate=arrival_gate,
        aircraft=Plane(aircraft_name, manufacturer, seats),
        written={},
    )


def whole(columns: Sequence[Any]) -> Departure:
    """The departure of a row of `WHOLE`."""
    middle = COLUMNS + PLACE_COLUMNS
    return departure(tuple(columns[:COLUMNS]), tuple(columns[COLUMNS:middle]), tuple(columns[middle:]))


async def by_slots(reader: Reader, slot_ids: Iterable[int]) -> dict[int, Departure]:
    """The departures with those slots, by slot; what there is not is left out."""
    found = [whole(columns) for columns in await reader.fetch(BY_SLOTS, list(set(slot_ids)))]
    return {one.slot_id: one for one in found}


async def board(reader: Reader, airport: str, start: datetime, first: int, *, landed: bool) -> Sequence[Departure]:
    """The next `first` scheduled departures of an airport from `start` on, in the order of their times.

    `landed`: whether flights that have landed stay on the board.
    """
    return [whole(columns) for columns in await reader.fetch(BOARD, airport, start, first, landed)]
