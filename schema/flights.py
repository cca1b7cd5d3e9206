"""Flights, the places between which they go, and their seat maps, as clients see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine.execution import batched, kept_in
from engine.limits import cost, list_size
from models import Airport as AirportRow
from models import Cabin, FlightStatus, SeatPosition, SeatStatus
from resolvers import extras as resolve_extras
from resolvers import flights as resolve
from resolvers.holds import KnownFlight
from schema.catalogue import OfferedExtra
from schema.costs import LOOKING_UP, READING
from schema.nodes import SAME_ID, Money, Node, id_of, rows_of
from schema.scalars import BigInt
from services.departures import Departure, Place

strawberry.enum(Cabin, description="A cabin of service.")
strawberry.enum(FlightStatus, description="Where a flight is in its day.")
strawberry.enum(SeatPosition, description="Where in its row a seat is.")
strawberry.enum(
    SeatStatus,
    description="AVAILABLE, LOCKED by a shopper for some minutes, BOOKED, CHECKED_IN, or BLOCKED by staff.",
)


@strawberry.type(description="A place that flights leave from and go to.")
class Airport(Node):
    """`services.departures.Place`, or `models.Airport`."""

    is_type_of = rows_of(Place, AirportRow)

    id = id_of("Airport", "iata_code")
    iata_code: str = strawberry.field(description="Three letters: JFK.")
    name: str = strawberry.field(description="Its name.")
    city: str = strawberry.field(description="The city it serves.")
    country: str = strawberry.field(description="ISO 3166-1, two letters.")
    zone: str = strawberry.field(name="timeZone", description="IANA time zone: America/New_York.")
    latitude: float = strawberry.field(description="Degrees north.")
    longitude: float = strawberry.field(description="Degrees east.")


@strawberry.type(description="A carrier.")
class Airline:
    """`services.departures.Carrier`."""

    iata_code: str = strawberry.field(description="Two characters: UA.")
    name: str = strawberry.field(description="Its name.")


@strawberry.type(description="An aircraft, or a carrier's typical one where the registration is not known.")
class Aircraft:
    """`services.departures.Plane`."""

    name: str = strawberry.field(description="Manufacturer and model.")
    manufacturer: str = strawberry.field(description="Who built it.")
    seats: int = strawberry.field(description="How many seats it has.")


@kept_in("written")
@strawberry.type(description="A seat of a flight as a shopper sees it.")
class Seat:
    """`services.seats.ShownSeat`."""

    number: str = strawberry.field(description="Row and column: 12A.")
    column: str = strawberry.field(description="The letter.")
    position: SeatPosition = strawberry.field(description="Window, middle or aisle.")
    status: SeatStatus = strawberry.field(description="Whether it is free.")
    version: BigInt = strawberry.field(
        description="Grows with each change: of two states of a seat, the larger is newer."
    )
    extra_legroom: bool = strawberry.field(description="Whether there is more room in front.")
    accessible: bool = strawberry.field(description="Whether it suits a passenger with reduced mobility.")
    price: Money | None = strawberry.field(description="On top of the fare; null where it is not sold.")


@kept_in("written")
@strawberry.type(description="A row of a cabin.")
class SeatRow:
    """`services.seats.SeatRow`."""

    number: int = strawberry.field(description="The row's number.")
    exit_row: bool = strawberry.field(description="Whether an emergency exit is beside it.")
    seats: list[Seat] = strawberry.field(description="From left to right.", directives=[list_size(7)])


@strawberry.type(description="A cabin with its rows from front to back.")
class CabinMap:
    """`services.seats.CabinMap`."""

    cabin: Cabin = strawberry.field(description="Which cabin.")
    columns: list[str] = strawberry.field(description="The letters from left to right.")
    aisles_after: list[str] = strawberry.field(description="After which letters an aisle runs.")
    rows: list[SeatRow] = strawberry.field(description="From front to back.", directives=[list_size(40)])


@strawberry.type(description="The seats of a flight at one moment.")
class SeatMap:
    """`services.seats.SeatMap`."""

    cursor: str = strawberry.field(description="Give it to seatMapEvents as `after`: nothing in between is missed.")
    cabins: list[CabinMap] = strawberry.field(description="From front to back.", directives=[list_size(3)])


@kept_in("written")
@strawberry.type(description="One dated departure. Times are local, with their offset.")
class Flight(Node):
    """`services.departures.Departure`."""

    is_type_of = rows_of(Departure, KnownFlight)

    id: strawberry.ID = strawberry.field(description=SAME_ID)
    designator: str = strawberry.field(description="Airline, number and suffix: UA1545.")
    number: int = strawberry.field(description="The number without the airline.")
    airline: Airline = strawberry.field(description="Who flies it.")
    origin: Airport = strawberry.field(description="Where it leaves from.")
    destination: Airport = strawberry.field(description="Where it goes.")
    departs_at: datetime = strawberry.field(description="Scheduled departure, local.")
    arrives_at: datetime = strawberry.field(description="Scheduled arrival, local.")
    estimated_departure_at: datetime | None = strawberry.field(description="When it is expected to leave.")
    estimated_arrival_at: datetime | None = strawberry.field(description="When it is expected to arrive.")
    actual_departure_at: datetime | None = strawberry.field(description="When it left.")
    actual_arrival_at: datetime | None = strawberry.field(description="When it arrived.")
    duration_minutes: int = strawberry.field(description="From scheduled departure to scheduled arrival.")
    delay_minutes: int | None = strawberry.field(description="How late it leaves or left; null while unknown.")
    status: FlightStatus = strawberry.field(description="Where it is in its day.")
    departure_terminal: str | None = strawberry.field(description="Where it leaves from.")
    departure_gate: str | None = strawberry.field(description="Where it leaves from.")
    arrival_terminal: str | None = strawberry.field(description="Where it arrives.")
    arrival_gate: str | None = strawberry.field(description="Where it arrives.")
    aircraft: Aircraft = strawberry.field(description="What flies it.")
    seat_map = strawberry.field(
        resolver=batched(resolve.seat_maps_of_all)(resolve.seat_map),
        graphql_type=SeatMap | None,
        description="Its seats; null where seats are not chosen.",
        directives=[cost(READING)],
    )
    seats_left = strawberry.field(
        resolver=batched(resolve.seats_left_of_all)(resolve.seats_left),
        graphql_type=int | None,
        description="How many seats of a cabin are still sold.",
        directives=[cost(LOOKING_UP)],
    )
    extras = strawberry.field(
        resolver=batched(resolve_extras.of_flights)(resolve_extras.of_flight),
        graphql_type=list[OfferedExtra] | None,
        description="What may be had beside the seat now. What is sold out is told, with nothing left.",
        directives=[cost(LOOKING_UP), list_size(12)],
    )
