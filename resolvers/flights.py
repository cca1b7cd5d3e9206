"""Flights, airports, the departures board and the seat map: what everybody may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import strawberry

from core import clock, ids
from core.errors import Invalid
from core.paging import MAX_FIRST
from models import Airport, Cabin
from resolvers.context import Info
from services import departures as timetable
from services import flights, offers, seats
from services.departures import Departure
from services.itineraries import find_airport
from services.seats import SeatMap

FLIGHT_KIND = timetable.KIND
BOARD_LOOKS_BACK = timedelta(hours=1)


async def flight(info: Info, id: strawberry.ID) -> Departure | None:
    """The flight with that id; null where there is none. Raises Invalid for what is no id."""
    slot_id = ids.number_of(FLIGHT_KIND, id)
    return (await timetable.by_slots(info.context.reader, [slot_id])).get(slot_id)


async def airports(info: Info, search: str, first: int = 8) -> Sequence[Airport]:
    """Airports whose code, city or name begins like `search`, the likeliest first."""
    check_first(first)
    if not search.strip():
        return []
    async with info.context.reading() as session:
        return await flights.airports_matching(session, search.strip()[:80], first)


async def departures(
    info: Info,
    airport: str,
    from_: Annotated[datetime | None, strawberry.argument(name="from")] = None,
    first: int = 30,
) -> Sequence[Departure]:
    """The board of an airport: its departures from `from` on; without it, those since an hour ago still under way."""
    check_first(first)
    start = from_ or clock.now() - BOARD_LOOKS_BACK
    if start.tzinfo is None:
        raise Invalid("Say the offset of this time, as in 2026-12-15T08:05:00-05:00.", field="from")
    reader = info.context.reader
    place = await find_airport(reader, airport, "airport")
    return await timetable.board(reader, place.iata_code, start, first, landed=from_ is not None)


async def seat_map(root: strawberry.Parent[Departure], info: Info) -> SeatMap | None:
    """The seats of a flight with what each costs; null where seats are not chosen on it."""
    return (await seat_maps_of_all([root], info))[0]


async def seat_maps_of_all(roots: Sequence[Departure], info: Info) -> list[SeatMap | None]:
    """The same of many flights."""
    context = info.context
    found = await seats.seat_maps(context.reader, context.app.plans, [root.slot_id for root in roots])
    for shown in found.values():
        if shown.lasts is not None:
            context.lasts(shown.lasts)
    return [found.get(root.slot_id) for root in roots]


async def seats_left(root: strawberry.Parent[Departure], info: Info, cabin: Cabin) -> int:
    """How many seats of a cabin may still be sold."""
    return (await seats_left_of_all([root], info, cabin))[0]


async def seats_left_of_all(roots: Sequence[Departure], info: Info, cabin: Cabin) -> list[int]:
    """The same of many flights."""
    found = await offers.cabins_left(info.context.reader, [root.slot_id for root in roots], cabin)
    return [found.get(root.slot_id, 0) for root in roots]


def check_first(first: int) -> None:
    """A list has 1 to 100 items."""
    if not 1 <= first <= MAX_FIRST:
        raise Invalid(f"A list has 1 to {MAX_FIRST} items.", field="first")
