"""What a search asks for, and what of it cannot be meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from core import clock
from core.errors import Invalid
from core.rows import Reader
from models import Cabin
from services import departures
from services.departures import PLACE, Place, zone
from services.fares import Party

MAX_SEATED = 9
MAX_SLICES = 6


class OfferSort(StrEnum):
    """In which order offers come; the cheaper and earlier first where they are equal."""

    PRICE = "PRICE"
    DURATION = "DURATION"
    DEPARTURE = "DEPARTURE"
    ARRIVAL = "ARRIVAL"


@dataclass(frozen=True, kw_only=True)
class SliceInput:
    """One leg of the journey as the traveller sees it: from, to, and the local date at the origin."""

    origin: str
    destination: str
    date: date


@dataclass(frozen=True, kw_only=True)
class PassengersInput:
    """How many travel, by type: adults from 12 years, children from 2, infants under 2 on an adult's lap."""

    adults: int = 1
    children: int = 0
    infants: int = 0


@dataclass(frozen=True, kw_only=True)
class FlightFiltersInput:
    """What to leave out of the results."""

    max_stops: int | None = None


@dataclass(frozen=True, kw_only=True)
class FlightSearchInput:
    """A search: the slices to travel (one for a one-way journey, two for a round trip), who travels, in which cabin."""

    slices: list[SliceInput]
    passengers: PassengersInput
    cabin: Cabin = Cabin.ECONOMY
    filters: FlightFiltersInput | None = None
    sort: OfferSort = OfferSort.PRICE


def check_slices(command: FlightSearchInput, most: int = MAX_SLICES) -> None:
    """Raises Invalid for slices and filters that cannot be meant, whatever is flown: none, more than `most`, or one
    that begins on an earlier date than the one before."""
    if not 1 <= len(command.slices) <= most:
        raise Invalid("Search for one slice." if most == 1 else f"Search for 1 to {most} slices.", field="slices")
    for index, (earlier, later) in enumerate(pairwise(command.slices), 1):
        if later.date < earlier.date:
            raise Invalid("This slice begins before the one before it.", field=f"slices.{index}.date")
    if command.filters and command.filters.max_stops is not None and command.filters.max_stops < 0:
        raise Invalid("A journey has no fewer than 0 stops.", field="filters.maxStops")


def check_route(origin: Sequence[Any] | None, destination: Sequence[Any] | None, day: date, field: str) -> None:
    """Raises Invalid for a route that there is not, or not any more on that day; `field` names the slice."""
    here = found_place(origin, f"{field}.origin")
    there = found_place(destination, f"{field}.destination")
    if here.iata_code == there.iata_code:
        raise Invalid("Origin and destination are the same airport.", field=f"{field}.destination")
    if day < local_today(here, clock.now()):
        raise Invalid("This date has passed.", field=f"{field}.date")


LAST_DAY = "SELECT max(local_date) FROM flights"


async def check_schedule(reader: Reader, day: date, field: str) -> None:
    """Raises Invalid (BEYOND_SCHEDULE) for a day after the last that is sold. A day with flights needs no asking."""
    ((last,),) = await reader.fetch(LAST_DAY)
    if last is None or day > last:
        why = f"The schedule ends on {last}." if last else "No flights are on sale yet."
        raise Invalid(why, field=f"{field}.date", code="BEYOND_SCHEDULE")


def check_party(passengers: PassengersInput, field: str = "passengers") -> Party:
    """1 to 9 people who take a seat, no more infants than adults; `field` is where the client says so."""
    if min(passengers.adults, passengers.children, passengers.infants) < 0:
        raise Invalid("There are no fewer than 0 passengers of a kind.", field=field)
    party = Party(adults=passengers.adults, children=passengers.children, infants=passengers.infants)
    if not 1 <= party.seated <= MAX_SEATED:
        raise Invalid(f"A booking is for 1 to {MAX_SEATED} seated passengers.", field=field)
    if party.infants > party.adults:
        raise Invalid("Each infant sits on the lap of an adult.", field=f"{field}.infants")
    return party


AIRPORT = f"SELECT {PLACE.format('airports')} FROM airports WHERE iata_code = $1"  # noqa: S608 - our own columns


async def find_airport(reader: Reader, code: str, field: str) -> Place:
    """The airport with that IATA code, in any case; raises Invalid (UNKNOWN_AIRPORT)."""
    return found_place(next(iter(await reader.fetch(AIRPORT, known(code))), None), field)


def known(code: str) -> str:
    """A code as airports have it; what can be no code, PostgreSQL's least of all, becomes the empty one."""
    plain = code.strip().upper()
    return plain if plain.isascii() and plain.isalnum() else ""


def found_place(columns: Sequence[Any] | None, field: str) -> Place:
    """The place of those columns; raises Invalid (UNKNOWN_AIRPORT) where there is none."""
    if columns is None:
        raise Invalid("No airport that Jetway sells has this code.", field=field, code="UNKNOWN_AIRPORT")
    return departures.place(tuple(columns))


def local_today(place: Place, moment: datetime) -> date:
    """The date at that airport at that moment."""
    return moment.astimezone(zone(place.zone)).date()
