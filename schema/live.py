"""Live streams, as clients see them: a snapshot first, then what changes, each event with its cursor."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated

import strawberry

from core import ids
from core.db import Database
from core.errors import NotFound
from engine.limits import cost
from engine.sharing import Live, everybody, shared_by
from models import SeatStatus
from resolvers.context import Info
from resolvers.flights import FLIGHT_KIND
from schema.boards import DepartureEvent, departure_events
from schema.booking_events import BookingEvent, PaymentEvent, booking_events, payment_events
from schema.costs import LOOKING_UP, READING
from schema.flights import Flight
from schema.fraud import ReviewEvent, review_events
from schema.nodes import rows_of
from schema.notices import NoticeEvent, notice_events
from schema.price_events import PriceEvent, price_events
from schema.scalars import BigInt
from services import departures
from subscriptions import flights, seats


@strawberry.type(description="What a seat is. Of two states of a seat, the one with the larger version is newer.")
class SeatState:
    """`services.seats.SeatState`."""

    number: str = strawberry.field(description="Row and column: 12A.")
    status: SeatStatus = strawberry.field(description="Whether it is free.")
    version: BigInt = strawberry.field(description="Grows with each change; 0 where the seat was never taken.")


@strawberry.type(description="Every seat of the flight.")
class SeatMapSnapshot:
    """`subscriptions.seats.SeatMapSnapshot`."""

    is_type_of = rows_of(seats.SeatMapSnapshot)

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    reset: bool = strawberry.field(description="Whether what was missed is no longer known: forget the seats you had.")
    seats: list[SeatState] = strawberry.field(description="In the order of reading.")


@strawberry.type(description="Some seats changed.")
class SeatsChanged:
    """`subscriptions.seats.SeatsChanged`."""

    is_type_of = rows_of(seats.SeatsChanged)

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    seats: list[SeatState] = strawberry.field(description="Each with its newest state.")


SeatMapEvent = Annotated[
    SeatMapSnapshot | SeatsChanged,
    strawberry.union("SeatMapEvent", description="A snapshot, or what changed since."),
]


@strawberry.type(description="A flight as it is now.")
class FlightStatusEvent:
    """`subscriptions.flights.FlightStatusChange`."""

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    reset: bool = strawberry.field(description="Whether what was missed is no longer known.")
    flight: Flight = strawberry.field(description="The flight as it is now.")


async def seat_map_events(info: Info, flight_id: strawberry.ID, after: str | None = None) -> Live[seats.SeatMapEvent]:
    """The seats of one flight, live, for everybody who watches it. Raises NotFound for a flight that there is not."""
    app = info.context.app
    slot_id = ids.number_of(FLIGHT_KIND, flight_id, "flightId")
    await check_known(app.database, [slot_id])
    return Live(seats.SeatFeed(app.database, app.plans, app.hub, slot_id), after)


async def flight_status_events(
    info: Info, flight_ids: list[strawberry.ID], after: str | None = None
) -> Live[flights.FlightStatusChange]:
    """The day of some flights, live, for everybody who watches them. Raises NotFound where there is not one of them."""
    app = info.context.app
    slot_ids = [ids.number_of(FLIGHT_KIND, flight_id, "flightIds") for flight_id in flight_ids]
    return Live(flights.FlightsFeed(app.database, app.hub, slot_ids), after)


async def check_known(db: Database, slot_ids: Sequence[int]) -> None:
    """Raises NotFound unless each of those flights exists: nobody is left waiting for news of nothing."""
    async with db.reading(primary=True) as session:
        if len(await departures.by_slots(session, slot_ids)) < len(slot_ids):
            raise NotFound("There is no such flight.")


@strawberry.type(description="What changes, as it happens. Each stream begins with the present state.")
class Subscription:
    """Every live stream."""

    seat_map_events = strawberry.subscription(
        resolver=seat_map_events,
        graphql_type=AsyncGenerator[SeatMapEvent, None],
        metadata=shared_by(audience=everybody, cursor="after"),
        description="The seats of a flight: first all of them, then each change. With `after`, what was missed.",
    )
    flight_status_events = strawberry.subscription(
        resolver=flight_status_events,
        graphql_type=AsyncGenerator[FlightStatusEvent, None],
        metadata=shared_by(audience=everybody, cursor="after"),
        description="The day of up to 100 flights: each as it is, then what changes; with `after`, what was missed.",
    )
    departure_events = strawberry.subscription(
        resolver=departure_events,
        graphql_type=AsyncGenerator[DepartureEvent, None],
        metadata=shared_by(audience=everybody, cursor="after"),
        description="The departures board of an airport: all of it, then each flight that changes, comes or goes.",
        directives=[cost(READING)],
    )
    booking_events = strawberry.subscription(
        resolver=booking_events,
        graphql_type=AsyncGenerator[BookingEvent, None],
        description="Your booking, or, with its token, a guest's: as it is, then whenever something happens to it.",
        directives=[cost(LOOKING_UP)],
    )
    payment_events = strawberry.subscription(
        resolver=payment_events,
        graphql_type=AsyncGenerator[PaymentEvent, None],
        description="The payments of your booking, or, with its token, a guest's: all of them, then each that changes.",
        directives=[cost(LOOKING_UP)],
    )
    price_events = strawberry.subscription(
        resolver=price_events,
        graphql_type=AsyncGenerator[PriceEvent, None],
        description="The lowest price of each itinerary of a search, then those that change; up to 5 searches at once.",
        directives=[cost(READING)],
    )
    notice_events = strawberry.subscription(
        resolver=notice_events,
        graphql_type=AsyncGenerator[NoticeEvent, None],
        description="Your notices: the newest, then each that is new or was read. For whoever has signed in.",
        directives=[cost(LOOKING_UP)],
    )
    review_events = strawberry.subscription(
        resolver=review_events,
        graphql_type=AsyncGenerator[ReviewEvent, None],
        description="For staff: payments that wait for their decision, then each that begins to, or is decided.",
        directives=[cost(READING)],
    )
