"""The prices of a search, live, as clients see them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

import strawberry

from core import clock
from core.ids import global_id
from core.keys import Keyring
from engine.limits import list_size
from resolvers import watching
from resolvers.context import Info
from resolvers.flights import FLIGHT_KIND
from schema.itineraries import Offer
from services.itineraries import FlightSearchInput, Priced
from subscriptions import prices


@dataclass(frozen=True)
class ShownPrices:
    """A change of prices, with the offers that may be booked at them."""

    cursor: str
    reset: bool
    priced_at: datetime
    lowest: Priced | None
    offers: list[Priced]
    gone: list[strawberry.ID]


@strawberry.type(description="The newest prices of a search, one for each itinerary: its lowest.")
class PriceEvent:
    """`ShownPrices`."""

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    reset: bool = strawberry.field(description="Whether these are all there are: forget the prices you had.")
    priced_at: datetime = strawberry.field(description="When they were priced.")
    lowest: Offer | None = strawberry.field(
        description="The cheapest of all itineraries, changed or not; null where nothing is sold."
    )
    offers: list[Offer] = strawberry.field(
        description="First the cheapest offer of each itinerary, the cheapest first; then of those whose lowest price"
        " has changed, or whose offer would soon have ended.",
        directives=[list_size(30)],
    )
    gone: list[strawberry.ID] = strawberry.field(description="Flights that are not offered any more.")


async def price_events(
    info: Info, search: FlightSearchInput, after: str | None = None
) -> AsyncGenerator[ShownPrices, None]:
    """The prices of a search, live. Raises Invalid, with the field that cannot be meant, and RateLimited."""
    ctx = info.context
    with watching.one_of(ctx, watching.PRICES):
        async with aclosing(prices.price_events(ctx.app.prices, search, after)) as events:
            async for event in events:
                yield shown(event, ctx.app.keyring)


def shown(event: prices.PricesChange, keyring: Keyring) -> ShownPrices:
    """The change as clients see it, its offers signed."""
    offers = [one.offered(keyring, event.expires_at) for one in event.changed]
    lowest = None if event.lowest is None else event.lowest.offered(keyring, event.expires_at)
    gone = [strawberry.ID(global_id(FLIGHT_KIND, slot_id)) for slot_id in event.gone]
    return ShownPrices(event.cursor, event.reset, clock.now(), lowest, offers, gone)
