"""The departures board of an airport, live, as clients see it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from core.ids import global_id
from engine.execution import pure
from engine.limits import list_size
from engine.sharing import Live
from resolvers.context import Info
from resolvers.flights import FLIGHT_KIND
from schema.flights import Flight
from schema.nodes import rows_of
from services.boards import Board
from services.itineraries import find_airport
from subscriptions import boards

USUAL = 100
"""Flights that a board is counted as, in the cost of an operation."""


@pure
def gone(root: strawberry.Parent[boards.BoardChanged]) -> list[strawberry.ID]:
    """Flights by the ids that clients see."""
    return [strawberry.ID(global_id(FLIGHT_KIND, slot_id)) for slot_id in root.gone]


@strawberry.type(description="Every flight on the board.")
class DepartureBoard:
    """`subscriptions.boards.BoardShown`."""

    is_type_of = rows_of(boards.BoardShown)

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    reset: bool = strawberry.field(
        description="Whether what was missed is no longer known: forget the flights you had."
    )
    flights: list[Flight] = strawberry.field(
        description="In the order of their scheduled departure.", directives=[list_size(USUAL)]
    )


@strawberry.type(description="What changed on the board.")
class DeparturesChanged:
    """`subscriptions.boards.BoardChanged`."""

    is_type_of = rows_of(boards.BoardChanged)

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    flights: list[Flight] = strawberry.field(
        description="Flights that changed, or are new on the board, as they are now.", directives=[list_size(10)]
    )
    gone = strawberry.field(
        resolver=gone, graphql_type=list[strawberry.ID], description="Flights that are no longer on the board."
    )


DepartureEvent = Annotated[
    DepartureBoard | DeparturesChanged,
    strawberry.union("DepartureEvent", description="The whole board, or what changed since."),
]


async def departure_events(
    info: Info, airport: str, date: date | None = None, hours: int = 12, after: str | None = None
) -> Live[boards.BoardEvent]:
    """The departures board of an airport, live, for everybody who watches it. Raises Invalid for what is no board."""
    app = info.context.app
    place = await find_airport(app.database.reader(), airport, "airport")
    return Live(boards.BoardFeed(app.database, app.hub, Board(place, date, hours)), after)
