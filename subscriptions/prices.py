"""The prices of a search, live: the lowest of each itinerary, then those that change.

When a search is looked at again is told in `pricing.py`; here it is what one viewer is told of it. A viewer knows a
state and not a history: the cursor is a digest of it. Who comes back to the same prices is told nothing; everybody else
gets all of them anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from core import clock
from core.money import Money
from services import live, offers
from services.itineraries import Candidate, FlightSearchInput
from subscriptions.pricing import Prices

MOST = 100
"""Itineraries that are told: the cheapest."""

RENEWED = timedelta(minutes=10)
"""How long before its end an offer is made anew."""


@dataclass(frozen=True)
class Price:
    """The lowest price of an itinerary, and until when the offer that the viewer was told is good."""

    candidate: Candidate
    expires_at: datetime

    @property
    def key(self) -> tuple[int, str, int, str]:
        """What makes two prices the same: the flight, the fare family and the total."""
        total: Money = self.candidate.quote.total
        return (self.candidate.slot_id, self.candidate.family_code, total.minor_units, total.currency)


@dataclass(frozen=True)
class PricesChange:
    """Prices that are new to the viewer, the cheapest first, and the slots of itineraries that are not sold any more.

    The first event, and one with `reset`, has all of them. `lowest` is the cheapest of all, changed or not; None where
    nothing is sold. `expires_at` is until when the offers of this event are good.
    """

    cursor: str
    reset: bool
    expires_at: datetime
    lowest: Candidate | None
    changed: list[Candidate]
    gone: list[int]


async def price_events(
    prices: Prices, search: FlightSearchInput, after: str | None
) -> AsyncGenerator[PricesChange, None]:
    """The lowest price of each itinerary, then what changes; with a cursor nothing where nothing has, or all of them.

    Ends by raising: Invalid for a search that cannot be meant (any more) and for a malformed cursor, Unavailable where
    the database is away or the server stops.
    """
    view, seen = PricesView(after), 0
    async with prices.watch(search) as watched:
        while True:
            seen, found = await watched.newer(seen)
            event = view.apply(found)
            if event is not None:
                yield event


class PricesView:
    """What one viewer knows of a search: the lowest price of each itinerary, by slot."""

    def __init__(self, after: str | None) -> None:
        self._known: dict[int, Price] | None = None
        self._came_with = None if after is None else live.state_of(after)

    def apply(self, found: Iterable[Candidate]) -> PricesChange | None:
        """Take in what is offered now; None where the viewer knows all of it."""
        expires_at = offers.expiry()
        prices = {one.slot_id: Price(one, expires_at) for one in lowest_of(found)}
        if self._known is None:
            return self._first(prices, expires_at)
        known = self._known
        fresh = {slot: price for slot, price in prices.items() if not is_known(price, known.get(slot))}
        gone = sorted(known.keys() - prices.keys())
        self._known = {
            slot: fresh[slot] if slot in fresh else Price(price.candidate, known[slot].expires_at)
            for slot, price in prices.items()
        }
        return self._told(fresh.values(), gone, expires_at, reset=False) if fresh or gone else None

    def _first(self, prices: Mapping[int, Price], expires_at: datetime) -> PricesChange | None:
        """What a viewer is told first: nothing where they came back to what they know and may still book."""
        if self._came_with is not None:
            digest, until = self._came_with
            if digest == digest_of(prices.values()) and until > clock.now() + RENEWED:
                self._known = {slot: Price(price.candidate, until) for slot, price in prices.items()}
                return None
        self._known = dict(prices)
        return self._told(prices.values(), [], expires_at, reset=self._came_with is not None)

    def _told(self, changed: Iterable[Price], gone: list[int], expires_at: datetime, *, reset: bool) -> PricesChange:
        """The event that tells these prices, with the cursor of all that are known."""
        known = self._known or {}
        until = min((price.expires_at for price in known.values()), default=expires_at)
        cursor = live.state_cursor(digest_of(known.values()), until)
        lowest = min(known.values(), key=cheapest, default=None)
        told = [price.candidate for price in sorted(changed, key=cheapest)]
        return PricesChange(cursor, reset, expires_at, None if lowest is None else lowest.candidate, told, gone)


def cheapest(price: Price) -> tuple[int, int]:
    """By what prices are put in order: the total, then the flight."""
    return (price.candidate.quote.total.minor_units, price.candidate.slot_id)


def lowest_of(found: Iterable[Candidate]) -> list[Candidate]:
    """The cheapest of what is offered for each itinerary, of the cheapest itineraries."""
    lowest: dict[int, Candidate] = {}
    for one in sorted(found, key=lambda one: (one.quote.total.minor_units, one.slot_id, one.family_code)):
        lowest.setdefault(one.slot_id, one)
    return list(lowest.values())[:MOST]


def is_known(price: Price, known: Price | None) -> bool:
    """Whether the viewer knows that price, and has an offer of it that is good for a while."""
    return known is not None and known.key == price.key and known.expires_at > clock.now() + RENEWED


def digest_of(prices: Iterable[Price]) -> bytes:
    """16 bytes that stand for these prices, whatever their order."""
    return hashlib.sha256(orjson.dumps(sorted(price.key for price in prices))).digest()[:16]
