"""Extras: what may be had beside the seat, who has what of it, and what staff put on sale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import strawberry

from core import ids
from core.rows import Reader
from models import STOCK, ExtraKind, ExtraScope, Pool
from resolvers import access, loaders
from resolvers.bookings import ShownBooking
from resolvers.context import Info
from resolvers.flights import FLIGHT_KIND
from resolvers.inventory import said
from resolvers.travellers import ShownPassenger
from services import extras, fares, offers, pools
from services.departures import Departure
from services.extras import DefineExtra, Entry, OfferedExtra, Owned


@dataclass(frozen=True, kw_only=True)
class DefineExtraInput:
    """Put an extra on sale, or change how it is sold."""

    airline_code: str
    code: str
    kind: ExtraKind
    name: str
    scope: ExtraScope = ExtraScope.FLIGHT
    max_per_passenger: int = 1
    closes_hours: int = 0
    refundable: bool = True
    infants: bool = False
    stocked: bool = False
    reason: str


@dataclass(frozen=True, kw_only=True)
class PriceExtraInput:
    """Set what one of an extra costs in a currency; null: it is not sold in that any more."""

    airline_code: str
    code: str
    currency: str
    minor_units: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class RetireExtraInput:
    """Sell an extra no more."""

    airline_code: str
    code: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class SetExtraStockInput:
    """Set how many of a counted extra a flight has."""

    flight_id: strawberry.ID
    code: str
    stock: int
    reason: str


@dataclass(frozen=True)
class ExtraStock:
    """How many of a counted extra a flight has, and what became of them, as it is now."""

    slot_id: int
    code: str
    stock: int
    held: int
    sold: int
    left: int


@dataclass(frozen=True)
class FlightExtras:
    """What may be had on one flight of a journey, and the bags that the fare includes there."""

    slot_id: int
    included_bags: int
    extras: Sequence[OfferedExtra]


class OfAFlight(Protocol):
    """Something on one flight, or on none in particular."""

    @property
    def slot_id(self) -> int | None:
        """The flight's slot."""


async def of_flight(root: strawberry.Parent[Departure], info: Info) -> Sequence[OfferedExtra]:
    """What may be had on a flight now."""
    return (await of_flights([root], info))[0]


async def of_flights(roots: Sequence[Departure], info: Info) -> list[Sequence[OfferedExtra]]:
    """The same of many flights."""
    found = await extras.on_flights(info.context.reader, [root.slot_id for root in roots])
    return [found.get(root.slot_id, ()) for root in roots]


async def extras_for(info: Info, offer_id: strawberry.ID) -> list[FlightExtras]:
    """What may be had with an offer, flight by flight, at prices in its currency. Raises Invalid (INVALID_OFFER)."""
    offer = offers.read(info.context.app.keyring, offer_id)
    segments = [(one.slot_id, one.family_code) for one in offer.segments]
    return await on_journey(info.context.reader, segments, offer.currency)


async def still_offered(root: strawberry.Parent[ShownBooking], info: Info) -> list[FlightExtras]:
    """What the passengers of a booking may still add."""
    segments = await info.context.loaders.segments.load(root.id)
    flown = [(one.slot_id, one.family_code) for one in segments]
    return await on_journey(info.context.reader, flown, root.row.currency)


async def on_journey(reader: Reader, segments: Sequence[tuple[int, str]], currency: str) -> list[FlightExtras]:
    """What may be had on flights, each by its slot and fare family; what is for the journey, on the first alone."""
    found = await extras.on_flights(reader, [slot_id for slot_id, _ in segments])
    families = await fares.families(reader, [family for _, family in segments])
    return [
        FlightExtras(
            slot_id=slot_id,
            included_bags=families[family].checked_bags,
            extras=sold_in(found.get(slot_id, ()), currency, first=place == 0),
        )
        for place, (slot_id, family) in enumerate(segments)
    ]


def sold_in(offered: Iterable[OfferedExtra], currency: str, *, first: bool) -> list[OfferedExtra]:
    """Those that are sold in a currency, at that price; what is for the journey is with its first flight alone."""
    priced = ((one, one.price_in(currency)) for one in offered if first or one.scope is ExtraScope.FLIGHT)
    return [replace(one, prices=(price,)) for one, price in priced if price is not None]


async def owned(root: strawberry.Parent[ShownPassenger], info: Info) -> Sequence[Owned]:
    """What a passenger has, or had; for the owner of the booking alone: a meal tells a faith or an illness."""
    return (await owned_by_all([root], info))[0]


async def owned_by_all(roots: Sequence[ShownPassenger], info: Info) -> list[Sequence[Owned]]:
    """The same of many."""
    keys = [root.id for root in roots if root.owned]
    found = dict(zip(keys, await loaders.EXTRAS.all(info.context.reader, keys), strict=True)) if keys else {}
    return [found.get(root.id, ()) for root in roots]


async def flight_of(root: strawberry.Parent[OfAFlight], info: Info) -> Departure | None:
    """The flight of something; None where it is for the whole journey."""
    return await info.context.loaders.departure.load(root.slot_id) if root.slot_id is not None else None


async def flights_of_all(roots: Sequence[OfAFlight], info: Info) -> list[Departure | None]:
    """The same of many."""
    slots = [root.slot_id for root in roots if root.slot_id is not None]
    found: Mapping[int, Departure | None] = dict(
        zip(slots, await loaders.DEPARTURE.all(info.context.reader, slots), strict=True)
    )
    return [None if root.slot_id is None else found[root.slot_id] for root in roots]


async def define_extra(info: Info, input: DefineExtraInput) -> Entry:
    """Define an extra, for staff. Raises Unauthenticated and Forbidden."""
    ctx = info.context
    access.staff(ctx)
    given = {name: getattr(input, name) for name in DefineExtra.__dataclass_fields__}
    command = DefineExtra(**{**given, "code": coded(input.code), "airline_code": coded(input.airline_code)})
    async with ctx.transaction() as session:
        await extras.define(session, command, ctx.cause(said(input.reason)))
        return (await extras.catalogue_of(session, command.airline_code, command.code))[0]


async def price_extra(info: Info, input: PriceExtraInput) -> Entry:
    """Price an extra, for staff. Raises Unauthenticated and Forbidden."""
    ctx = info.context
    access.staff(ctx)
    airline, code, cause = coded(input.airline_code), coded(input.code), ctx.cause(said(input.reason))
    async with ctx.transaction() as session:
        await extras.price(session, airline, code, coded(input.currency), input.minor_units, cause)
        return (await extras.catalogue_of(session, airline, code))[0]


async def retire_extra(info: Info, input: RetireExtraInput) -> Entry:
    """Retire an extra, for staff. Raises Unauthenticated and Forbidden."""
    ctx = info.context
    access.staff(ctx)
    airline, code = coded(input.airline_code), coded(input.code)
    async with ctx.transaction() as session:
        await extras.retire(session, airline, code, ctx.cause(said(input.reason)))
        return (await extras.catalogue_of(session, airline, code))[0]


async def set_extra_stock(info: Info, input: SetExtraStockInput) -> ExtraStock:
    """Set a flight's stock of an extra, for staff. Raises Unauthenticated and Forbidden."""
    ctx = info.context
    access.staff(ctx)
    slot_id, cause = ids.number_of(FLIGHT_KIND, input.flight_id, "flightId"), ctx.cause(said(input.reason))
    async with ctx.transaction() as session:
        return counted(await extras.set_stock(session, slot_id, coded(input.code), input.stock, cause))


async def extra_catalogue(info: Info, airline_code: str) -> list[Entry]:
    """What an airline sells and has sold beside the seat, for staff. Raises Unauthenticated and Forbidden."""
    access.staff(info.context)
    async with info.context.reading() as session:
        return await extras.catalogue_of(session, coded(airline_code))


async def extra_stock(info: Info, flight_id: strawberry.ID) -> list[ExtraStock]:
    """What a flight has of counted extras, for staff. Raises Unauthenticated, Forbidden, Invalid and NotFound."""
    access.staff(info.context)
    slot_id = ids.number_of(FLIGHT_KIND, flight_id, "flightId")
    async with info.context.reading() as session:
        return [counted(pool) for pool in await extras.stock_of(session, slot_id)]


def counted(pool: Pool) -> ExtraStock:
    """What a pool counts, in plain values."""
    code = pool.code.removeprefix(STOCK)
    return ExtraStock(pool.slot_id, code, pool.authorised, pool.held, pool.sold, pools.left(pool))


def coded(text: str) -> str:
    """A code as it is kept."""
    return text.strip().upper()
