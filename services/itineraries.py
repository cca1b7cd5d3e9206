"""Flight search: who can fly where, when, for how much.

One-way and direct, over the departures of one local date at the origin. Each flight is offered in every fare family of
the asked-for cabin; the order is total, so that pages never overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from core import clock
from core.db import ReadSession
from core.errors import Invalid
from core.keys import Keyring
from core.money import Money
from core.paging import Rank
from core.rows import Reader, Written, row
from models import Cabin
from services import departures, fares, offers, pools
from services.departures import BESIDE, COLUMNS, OF_THE_DAY, PLACE, Departure, Place, zone
from services.fares import CHARGE, FARE, IN_ORDER, ON_ROUTE, Family, Party, PriceLine
from services.offers import Offer, Quote

MAX_SEATED = 9

MOST_JOURNEYS = 2_048
"""How many a process remembers of those that were shown last."""


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
    """A search: the slices to travel (one, for a one-way journey), who travels, in which cabin."""

    slices: list[SliceInput]
    passengers: PassengersInput
    cabin: Cabin = Cabin.ECONOMY
    filters: FlightFiltersInput | None = None
    sort: OfferSort = OfferSort.PRICE


@row
class Segment:
    """One flight of an itinerary, and the cabin and booking class it is sold in."""

    flight: Departure
    cabin: Cabin
    booking_class: str


@row
class Slice:
    """A journey from one place to another, in the order of travel: one segment where it is direct.

    Times are those of the places. `duration_minutes` is from its beginning to its end; `stops` is how often one changes
    or waits on the way.
    """

    origin: Place
    destination: Place
    departs_at: datetime
    arrives_at: datetime
    duration_minutes: int
    stops: int
    segments: tuple[Segment, ...]
    written: Written | None = field(default=None, repr=False, compare=False)


def direct(segment: Segment, written: Written | None = None) -> Slice:
    """A journey of one flight."""
    flight = segment.flight
    return Slice(
        flight.origin,
        flight.destination,
        flight.departs_at,
        flight.arrives_at,
        flight.duration_minutes,
        0,
        (segment,),
        written,
    )


@row
class Priced:
    """An offer with what stands behind it: the slices, the fare family, how many seats are left. `id` is its token."""

    id: str
    expires_at: datetime
    total: Money
    lines: tuple[PriceLine, ...]
    fare_family: Family
    seats_left: int
    slices: tuple[Slice, ...]


async def present(session: ReadSession, offer: Offer) -> Priced:
    """What stands behind an offer that was read from its token."""
    flights = await departures.by_slots(session, [one.slot_id for one in offer.segments])
    families = await fares.families(session, [one.family_code for one in offer.segments])
    segments = [
        Segment(flight=flights[one.slot_id], cabin=one.cabin, booking_class=one.booking_class) for one in offer.segments
    ]
    return Priced(
        id=offer.id,
        expires_at=offer.expires_at,
        total=offer.total,
        lines=offer.lines,
        fare_family=families[offer.segments[0].family_code],
        seats_left=await offers.seats_left(session, offer.segments),
        slices=tuple(direct(segment) for segment in segments),
    )


@row
class PoolNow:
    """What is counted of a pool at one moment: see `models.Pool`."""

    authorised: int
    blocked: int
    held: int
    sold: int
    classes: list[str]
    class_limits: list[int]
    class_held: list[int]
    class_sold: list[int]


Columns = tuple[Any, ...]

Flown = tuple[Columns, Columns, Columns]
"""A flight that a search has found: what `departures.departure` takes. It is made once somebody is shown it."""


@lru_cache(maxsize=MOST_JOURNEYS)
def journey(
    columns: Columns, origin: Columns, destination: Columns, cabin: Cabin, booking_class: str
) -> tuple[Slice, ...]:
    """A flight of those columns, as it is sold in a booking class. What is read anew and says the same is the same."""
    segment = Segment(departures.departure(columns, origin, destination), cabin, booking_class)
    return (direct(segment, written={}),)


class Candidate(NamedTuple):
    """A flight in a fare family at its price: what an offer is made of once somebody is shown it."""

    measure: int
    slot_id: int
    family_code: str
    flown: Flown
    quote: Quote
    party: Party
    seats_left: int

    @property
    def rank(self) -> Rank:
        """What it is sorted by: its measure, its flight, its fare family."""
        return self[:3]

    def offered(self, keyring: Keyring, expires_at: datetime) -> Priced:
        """The offer, signed, good until then."""
        quote = self.quote
        family = quote.family
        segment = offers.segment_for(self.slot_id, family)
        total = quote.total
        return Priced(
            offers.sign(keyring, expires_at, self.party, (segment,), quote.written, total.currency),
            expires_at,
            total,
            quote.lines,
            family,
            self.seats_left,
            journey(*self.flown, family.cabin, family.booking_class),
        )


TERMS = f"""
    SELECT (SELECT row({PLACE.format("airports")}) FROM airports WHERE iata_code = $1),
           (SELECT row({PLACE.format("airports")}) FROM airports WHERE iata_code = $2),
           (SELECT array_agg(row({FARE}) ORDER BY {IN_ORDER}) {ON_ROUTE} AND family.cabin = $4),
           (SELECT array_agg(row({CHARGE}) ORDER BY code) FROM charges)"""  # noqa: S608 - our own columns
"""What a search needs to know beforehand, in one row: both places, the fares of the route and day, taxes and fees."""

ON_SALE = f"""
    SELECT {OF_THE_DAY},
           pools.authorised, pools.blocked, pools.held, pools.sold,
           pools.classes, pools.class_limits, pools.class_held, pools.class_sold
    FROM flights {BESIDE}
    JOIN slots ON slots.id = flights.slot_id
    JOIN pools ON pools.slot_id = flights.slot_id AND pools.code = $4
    WHERE flights.origin_code = $1 AND flights.destination_code = $2 AND flights.local_date = $3
      AND slots.status = 'OPEN' AND slots.starts_at > (SELECT jetway_now())
      AND pools.authorised - pools.blocked - pools.held - pools.sold >= $5"""  # noqa: S608 - our own columns
"""The flights of a route and local date that still sell so many seats of a cabin, and the pool that counts them."""

RANK = itemgetter(0, 1, 2)
"""A candidate's rank, for sorting."""

LAST_DAY = "SELECT max(local_date) FROM flights"


async def search(reader: Reader, command: FlightSearchInput) -> list[Candidate]:
    """Everything that may be offered for the search, in its order: the price of each is computed, none is signed yet.

    Raises Invalid, naming the field, for what cannot be meant.
    """
    slice_, party = check(command)
    day, cabin = slice_.date, command.cabin
    codes = known(slice_.origin), known(slice_.destination)
    ((origin, destination, tariff, charges),) = await reader.fetch(TERMS, *codes, day, cabin)
    check_route(origin, destination, day)
    flights = await reader.fetch(ON_SALE, *codes, day, cabin, party.seated)
    if not flights:
        await check_schedule(reader, day)
    added = tuple(map(tuple, charges or ()))
    quotes = [offers.quote(tuple(fare), added, party) for fare in tariff or ()]
    places = tuple(origin), tuple(destination)
    found = [one for columns in flights for one in candidates(columns, places, quotes, party, command.sort)]
    found.sort(key=RANK)
    return found


ROUTE = "SELECT slot_id FROM flights WHERE origin_code = $1 AND destination_code = $2 AND local_date = $3"


async def slots_of(reader: Reader, command: FlightSearchInput) -> list[int]:
    """Every flight that may be found by the search, now or once it is sold again. Raises Invalid as `search` does for
    what cannot be meant whatever is flown."""
    slice_, _ = check(command)
    rows = await reader.fetch(ROUTE, known(slice_.origin), known(slice_.destination), slice_.date)
    return [slot_id for (slot_id,) in rows]


def candidates(
    columns: Sequence[Any], places: tuple[Columns, Columns], quotes: Sequence[Quote], party: Party, sort: OfferSort
) -> Iterator[Candidate]:
    """A flight of `ON_SALE` in each fare family whose booking class still takes the party."""
    slot_id, departs_at, arrives_at = columns[:3]
    flown = tuple(columns[:COLUMNS]), *places
    pool = PoolNow(*columns[COLUMNS:])
    lefts = pools.lefts_in(pool, [quote.family.booking_class for quote in quotes])
    for quote, left in zip(quotes, lefts, strict=True):
        if left >= party.seated:
            measured = measure(sort, departs_at, arrives_at, quote)
            yield Candidate(measured, slot_id, quote.family.code, flown, quote, party, left)


def measure(sort: OfferSort, departs_at: datetime, arrives_at: datetime, quote: Quote) -> int:
    """The number by which offers are put in order."""
    match sort:
        case OfferSort.PRICE:
            return quote.total.minor_units
        case OfferSort.DURATION:
            return int((arrives_at - departs_at).total_seconds())
        case OfferSort.DEPARTURE:
            return int(departs_at.timestamp())
        case OfferSort.ARRIVAL:
            return int(arrives_at.timestamp())


def check(command: FlightSearchInput) -> tuple[SliceInput, Party]:
    """The slice and the party of a search; raises Invalid for what cannot be meant whatever is flown."""
    if len(command.slices) != 1:
        raise Invalid("Search for one slice, one way.", field="slices")
    if command.filters and command.filters.max_stops is not None and command.filters.max_stops < 0:
        raise Invalid("A journey has no fewer than 0 stops.", field="filters.maxStops")
    return command.slices[0], check_party(command.passengers)


def check_route(origin: Sequence[Any] | None, destination: Sequence[Any] | None, day: date) -> None:
    """Raises Invalid for a route that there is not, or not any more on that day."""
    here = found_place(origin, "slices.0.origin")
    there = found_place(destination, "slices.0.destination")
    if here.iata_code == there.iata_code:
        raise Invalid("Origin and destination are the same airport.", field="slices.0.destination")
    if day < local_today(here, clock.now()):
        raise Invalid("This date has passed.", field="slices.0.date")


async def check_schedule(reader: Reader, day: date) -> None:
    """Raises Invalid (BEYOND_SCHEDULE) for a day after the last that is sold. A day with flights needs no asking."""
    ((last,),) = await reader.fetch(LAST_DAY)
    if last is None or day > last:
        why = f"The schedule ends on {last}." if last else "No flights are on sale yet."
        raise Invalid(why, field="slices.0.date", code="BEYOND_SCHEDULE")


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
