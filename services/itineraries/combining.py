"""Several slices: a round trip or a journey by way of other places, in one fare family throughout.

Each slice is searched by itself, and flights are put together of which the next leaves an hour after the last has
arrived, or later. There may be millions of such; the best `MOST` of each fare family are kept. What may follow depends
on the last flight alone, so it is enough to keep the best of those that end with each flight, slice by slice: none that
belongs to the best is lost (dynamic programming, R. Bellman 1957).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest
from operator import attrgetter
from typing import NamedTuple, Protocol

from core.keys import Keyring
from core.money import add
from core.paging import Rank
from core.rows import Reader
from services import offers
from services.itineraries.requests import FlightSearchInput, OfferSort, check_party, check_slices
from services.itineraries.rows import Priced
from services.itineraries.searching import Candidate, along, one_way
from services.offers import Quote

MOST = 100
"""How many journeys of several slices are kept of each fare family."""

BETWEEN = timedelta(hours=1)
"""The least time from the end of a slice to the beginning of the next."""


class Found(Protocol):
    """Something that a search has found, and that can be offered."""

    @property
    def rank(self) -> Rank:
        """What it is sorted by: a number, another, and a text."""

    def offered(self, keyring: Keyring, expires_at: datetime) -> Priced:
        """The offer, signed, good until then."""


class Combination(NamedTuple):
    """A flight for each slice, all in one fare family. `price` and `measure` are those of the whole."""

    measure: int
    price: int
    parts: tuple[Candidate, ...]

    @property
    def rank(self) -> Rank:
        """What it is sorted by: its measure, its first flight, its fare family with the flights that follow."""
        first, *rest = self.parts
        return self.measure, first.slot_id, "/".join([first.family_code, *(f"{one.slot_id:019}" for one in rest)])

    @property
    def order(self) -> tuple[int, int, tuple[int, ...]]:
        """By which the best are kept: of those that measure the same, the cheapest."""
        return self.measure, self.price, tuple(one.slot_id for one in self.parts)

    def offered(self, keyring: Keyring, expires_at: datetime) -> Priced:
        """The offer, signed, good until then. Its lines are those of the flights, one after the other."""
        each = [one.offered(keyring, expires_at) for one in self.parts]
        segments = [offers.segment_for(one.slot_id, one.quote.family) for one in self.parts]
        lines = tuple(line for one in each for line in one.lines)
        total = add((one.total for one in each), each[0].total.currency)
        return Priced(
            offers.sign(keyring, expires_at, self.parts[0].party, segments, offers.written(lines), total.currency),
            expires_at,
            total,
            lines,
            each[0].fare_family,
            min(one.seats_left for one in each),
            tuple(slice_ for one in each for slice_ in one.slices),
        )


async def search(reader: Reader, command: FlightSearchInput) -> Sequence[Found]:
    """Everything that may be offered for the search, in its order: the price of each is computed, none is signed yet.

    Raises Invalid, naming the field, for what cannot be meant.
    """
    check_slices(command)
    if len(command.slices) == 1:
        return await one_way(reader, command)
    party = check_party(command.passengers)
    slices = [
        await along(reader, slice_, index, command.cabin, party, command.sort)
        for index, slice_ in enumerate(command.slices)
    ]
    found = [one for family in by_family(slices) for one in combined(family, command.sort)]
    return sorted(found, key=attrgetter("rank"))


Terms = tuple[str, str]
"""A fare family and a currency: what the flights of one offer have in common."""


def by_family(slices: Iterable[Sequence[Candidate]]) -> list[list[list[Candidate]]]:
    """The flights of each slice, for each fare family and currency that all of them are sold in."""
    sold: list[dict[Terms, list[Candidate]]] = []
    for candidates in slices:
        of_slice: dict[Terms, list[Candidate]] = defaultdict(list)
        for one in candidates:
            of_slice[one.family_code, one.quote.total.currency].append(one)
        sold.append(of_slice)
    common = set.intersection(*(set(of_slice) for of_slice in sold))
    return [[of_slice[terms] for of_slice in sold] for terms in sorted(common)]


def combined(slices: Sequence[Sequence[Candidate]], sort: OfferSort) -> list[Combination]:
    """The best journeys with one flight of each slice."""
    first, *rest = slices
    ending = [[Combination(one.measure, price(one.quote), (one,))] for one in first]
    for flights in rest:
        ending = [best(extended(ending, one, sort)) for one in flights]
    return best(one for journeys in ending for one in journeys)


def extended(ending: Iterable[Sequence[Combination]], flight: Candidate, sort: OfferSort) -> Iterator[Combination]:
    """The journeys that go on with a flight: all that have ended early enough."""
    for journeys in ending:
        for one in journeys:
            if one.parts[-1].arrives_at + BETWEEN <= flight.departs_at:
                measure = onward(sort, one.measure, flight.measure)
                yield Combination(measure, one.price + price(flight.quote), (*one.parts, flight))


def onward(sort: OfferSort, so_far: int, following: int) -> int:
    """How a journey measures with another slice: prices and durations add up, it leaves with its first slice and
    arrives with its last."""
    if sort is OfferSort.DEPARTURE:
        return so_far
    return following if sort is OfferSort.ARRIVAL else so_far + following


def best(journeys: Iterable[Combination]) -> list[Combination]:
    """The first `MOST` in their order."""
    return nsmallest(MOST, journeys, key=attrgetter("order"))


def price(quote: Quote) -> int:
    """What a quote comes to, in minor units."""
    return quote.total.minor_units
