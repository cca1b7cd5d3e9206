"""Boards: which departures of an airport are shown now, or on a day.

Without a day a board moves with the time: a flight is on it from `hours` before it is expected to leave until an hour
after it was expected to, or did. On the board of a day are the flights that are scheduled to leave on it, at the
airport's own time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from core.errors import Invalid
from core.rows import Reader
from services.departures import WHOLE, Departure, Place, whole, zone

MOST_HOURS = 24
MOST = 1_000
"""Flights on one board; those that leave later than the first so many are left out."""

STAYS = timedelta(hours=1)
"""For how long a flight that has left, or that nobody says anything of, stays."""

AT_MOST_OFF = timedelta(hours=24)
"""How far what is expected may be from what was scheduled: a flight that is later than that is on no moving board."""

EXPECTED = "coalesce(flights.actual_departure_at, flights.estimated_departure_at, flights.departs_at)"

WITHIN = f"""
    WHERE flights.origin_code = $1 AND flights.departs_at >= $2 AND flights.departs_at < $3
      AND ($4::timestamptz IS NULL OR {EXPECTED} >= $4) AND ($5::timestamptz IS NULL OR {EXPECTED} < $5)"""

IN_ORDER = "ORDER BY flights.departs_at, flights.slot_id"

SLOTS = f"SELECT flights.slot_id FROM flights {WITHIN} {IN_ORDER} LIMIT {MOST}"  # noqa: S608 - our own words
FLIGHTS = f"{WHOLE} {WITHIN} {IN_ORDER} LIMIT {MOST}"
CHOSEN = f"{WHOLE} {WITHIN} AND flights.slot_id = ANY ($6::bigint[]) {IN_ORDER}"


@dataclass(frozen=True)
class Window:
    """Which flights are shown: by scheduled departure, and, where these are not None, by expected departure too."""

    scheduled_from: datetime
    scheduled_until: datetime
    expected_from: datetime | None = None
    expected_until: datetime | None = None


@dataclass(frozen=True)
class Board:
    """The board of an airport: of a day, or, where `day` is None, of the next `hours`. Raises Invalid for other hours
    than 1 to 24."""

    place: Place
    day: date | None
    hours: int

    def __post_init__(self) -> None:
        if not 1 <= self.hours <= MOST_HOURS:
            raise Invalid(f"A board looks 1 to {MOST_HOURS} hours ahead.", field="hours")

    def window(self, now: datetime) -> Window:
        """What is on the board at that moment."""
        if self.day is not None:
            here = zone(self.place.zone)
            midnights = (datetime.combine(one, time(), here) for one in (self.day, self.day + timedelta(days=1)))
            return Window(*midnights)
        start, end = now - STAYS, now + timedelta(hours=self.hours)
        return Window(start - AT_MOST_OFF, end + AT_MOST_OFF, start, end)


def values(board: Board, window: Window) -> tuple[object, ...]:
    """What the statements take."""
    bounds = (window.scheduled_from, window.scheduled_until, window.expected_from, window.expected_until)
    return (board.place.iata_code, *bounds)


async def slots(reader: Reader, board: Board, window: Window) -> set[int]:
    """The flights in the window, by slot."""
    return {slot_id for (slot_id,) in await reader.fetch(SLOTS, *values(board, window))}


async def flights(
    reader: Reader, board: Board, window: Window, chosen: Collection[int] | None = None
) -> list[Departure]:
    """The flights in the window, or those chosen of them, in the order of their scheduled departure."""
    if chosen is None:
        found = await reader.fetch(FLIGHTS, *values(board, window))
    else:
        found = await reader.fetch(CHOSEN, *values(board, window), list(chosen)) if chosen else ()
    return [whole(columns) for columns in found]
