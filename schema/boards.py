"""The departures board of an airport, live, as clients see it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import strawberry

from core.ids import global_id
from engine.limits import list_size
from resolvers.context import Info
from resolvers.flights import FLIGHT_KIND
from schema.flights import Flight
from schema.nodes import rows_of
from services.boards import Board
from services.departures import Departure
from services.itineraries import find_airport
from subscriptions import boards

USUAL = 100
"""Flights that a board is counted as, in the cost of an operation."""


@dataclass(frozen=True)
class ShownBoardChange:
    """A change of a board, with the ids that clients see."""

    cursor: str
    flights: list[Departure]
    gone: list[strawberry.ID]


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
    """`ShownBoardChange`."""

    is_type_of = rows_of(ShownBoardChange)

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    flights: list[Flight] = strawberry.field(
        description="Flights that changed, or are new on the board, as they are now.", directives=[list_size(10)]
    )
    gone: list[strawberry.ID] = strawberry.field(description="Flights that are no longer on the board.")


DepartureEvent = Annotated[
    DepartureBoard | DeparturesChanged,
    strawberry.union("DepartureEvent", description="The whole board, or what changed since."),
]


async def departure_events(
    info: Info, airport: str, date: date | None = None, hours: int = 12, after: str | None = None
) -> AsyncGenerator[boards.BoardShown | ShownBoardChange, None]:
    """The departures board of an airport, live. Raises Invalid for an unknown airport, hours and cursor."""
    app = info.context.app
    place = await find_airport(app.database.reader(), airport, "airport")
    board = Board(place, date, hours)
    async with aclosing(boards.board_events(app.database, app.hub, board, after)) as events:
        async for event in events:
            yield event if isinstance(event, boards.BoardShown) else shown(event)


def shown(event: boards.BoardChanged) -> ShownBoardChange:
    """The change as clients see it."""
    gone = [strawberry.ID(global_id(FLIGHT_KIND, slot_id)) for slot_id in event.gone]
    return ShownBoardChange(event.cursor, event.flights, gone)
