"""One slice: everything that is sold on a route and local date, in every fare family of a cabin, in a total order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from core.keys import Keyring
from core.paging import Rank
from core.rows import Reader, row
from models import Cabin
from services import departures, offers, pools
from services.departures import BESIDE, COLUMNS, OF_THE_DAY, PLACE
from services.fares import CHARGE, FARE, IN_ORDER, ON_ROUTE, Party
from services.itineraries.requests import (
    FlightSearchInput,
    OfferSort,
    SliceInput,
    check_party,
    check_route,
    check_schedule,
    check_slices,
    known,
)
from services.itineraries.rows import Priced, Segment, Slice, direct
from services.offers import Quote

MOST_JOURNEYS = 2_048
"""How many a process remembers of those that were shown last."""


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

    @property
    def departs_at(self) -> datetime:
        """When it leaves, in UTC."""
        moment: datetime = self.flown[0][1]
        return moment

    @property
    def arrives_at(self) -> datetime:
        """When it arrives, in UTC."""
        moment: datetime = self.flown[0][2]
        return moment

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


async def one_way(reader: Reader, command: FlightSearchInput) -> list[Candidate]:
    """Everything that may be offered for a search of one slice, in its order: the price of each is computed, none is
    signed yet. Raises Invalid, naming the field, for what cannot be meant.
    """
    slice_ = single(command)
    return await along(reader, slice_, 0, command.cabin, check_party(command.passengers), command.sort)


async def along(
    reader: Reader, slice_: SliceInput, index: int, cabin: Cabin, party: Party, sort: OfferSort
) -> list[Candidate]:
    """The same of the slice with that index, for a party."""
    day = slice_.date
    codes = known(slice_.origin), known(slice_.destination)
    ((origin, destination, tariff, charges),) = await reader.fetch(TERMS, *codes, day, cabin)
    check_route(origin, destination, day, f"slices.{index}")
    flights = await reader.fetch(ON_SALE, *codes, day, cabin, party.seated)
    if not flights:
        await check_schedule(reader, day, f"slices.{index}")
    added = tuple(map(tuple, charges or ()))
    quotes = [offers.quote(tuple(fare), added, party) for fare in tariff or ()]
    places = tuple(origin), tuple(destination)
    found = [one for columns in flights for one in candidates(columns, places, quotes, party, sort)]
    found.sort(key=RANK)
    return found


def single(command: FlightSearchInput) -> SliceInput:
    """The slice of a one-way search; raises Invalid for any other, and for what cannot be meant."""
    check_slices(command, most=1)
    return command.slices[0]


ROUTE = "SELECT slot_id FROM flights WHERE origin_code = $1 AND destination_code = $2 AND local_date = $3"


async def slots_of(reader: Reader, command: FlightSearchInput) -> list[int]:
    """Every flight that a one-way search may find, now or once it is sold again. Raises Invalid as `one_way` does for
    what cannot be meant whatever is flown."""
    slice_ = single(command)
    check_party(command.passengers)
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
