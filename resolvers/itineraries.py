"""Search: offers, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import strawberry

from core import clock
from core.paging import Edge, PageInfo, paginate
from resolvers.context import Info
from services import itineraries, offers
from services.itineraries import FlightSearchInput, Priced
from services.offers import Offer

SHAPE = (0, 0, "")
"""The rank of an offer: what it is sorted by, its flight, its fare family."""

LEFT_TO_SHOPPERS = timedelta(minutes=10)
"""Nobody is shown an offer that ends sooner."""


@dataclass(frozen=True)
class Offers:
    """A page of offers, and when they were priced."""

    total_count: int
    priced_at: datetime
    edges: list[Edge[Priced]]
    page_info: PageInfo


async def flight_search(info: Info, input: FlightSearchInput, first: int = 20, after: str | None = None) -> Offers:
    """A page of the offers for a search; nothing is stored. Raises Invalid with the field that cannot be meant."""
    found = await itineraries.search(info.context.reader, input)
    page = paginate(found, lambda candidate: candidate.rank, first, after, SHAPE)
    keyring, expires_at = info.context.app.keyring, offers.expiry()
    info.context.lasts((expires_at - clock.now() - LEFT_TO_SHOPPERS).total_seconds())
    edges = [Edge(edge.cursor, edge.node.offered(keyring, expires_at)) for edge in page.edges]
    return Offers(total_count=page.total_count, priced_at=clock.now(), edges=edges, page_info=page.page_info)


class Renewed(Protocol):
    """A refusal of an offer, with what the same costs now; None where it is not sold any more."""

    renewed: Offer | None


async def new_offer(root: strawberry.Parent[Renewed], info: Info) -> Priced | None:
    """What the refused offer would cost now."""
    return (await new_offers([root], info))[0]


async def new_offers(roots: Sequence[Renewed], info: Info) -> list[Priced | None]:
    """The same of many."""
    if all(root.renewed is None for root in roots):
        return [None] * len(roots)
    async with info.context.reading() as session:
        return [await itineraries.present(session, root.renewed) if root.renewed else None for root in roots]
