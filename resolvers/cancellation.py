"""Cancelling: who may, and what a quote shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from core import ids
from models import CancellationQuote
from resolvers import access
from resolvers.bookings import ShownBooking
from resolvers.context import Info
from resolvers.flights import FLIGHT_KIND
from resolvers.travellers import PASSENGER_KIND, ShownPassenger
from services import bookings
from services.departures import Departure

QUOTE_KIND = "CancellationQuote"


@dataclass(frozen=True, kw_only=True)
class QuoteCancellationInput:
    """Ask what cancelling a booking would give back: all of it, some of its passengers or some of its flights."""

    booking_id: strawberry.ID
    booking_token: str | None = None
    passenger_ids: list[strawberry.ID] | None = None
    flight_ids: list[strawberry.ID] | None = None


@dataclass(frozen=True, kw_only=True)
class CancelBookingInput:
    """Cancel a booking, or a part of it, as quoted."""

    quote_id: strawberry.ID
    booking_token: str | None = None
    idempotency_key: str


async def quote_cancellation(info: Info, input: QuoteCancellationInput) -> CancellationQuote:
    """What cancelling would give back."""
    ctx, people, flights = info.context, input.passenger_ids, input.flight_ids
    async with ctx.transaction() as session:
        found = await access.booking(session, ctx, input.booking_id, input.booking_token)
        return await bookings.quote_cancellation(
            session,
            found,
            None if people is None else [ids.uuid_of(PASSENGER_KIND, one, "passengerIds") for one in people],
            None if flights is None else [ids.number_of(FLIGHT_KIND, one, "flightIds") for one in flights],
        )


async def cancel_booking(info: Info, input: CancelBookingInput) -> ShownBooking:
    """Cancel as quoted; the money goes back at once, or as soon as the gateway answers."""
    ctx = info.context
    quote_id = ids.uuid_of(QUOTE_KIND, input.quote_id, "quoteId")
    async with ctx.reading() as session:
        found = await access.quoted_booking(session, ctx, CancellationQuote, quote_id, input.booking_token)
    row = await bookings.cancel(
        ctx.app.database, ctx.app.gateways, quote_id, found.id, ctx.owner, input.idempotency_key
    )
    return ShownBooking(row, owned=True)


async def passengers(root: strawberry.Parent[CancellationQuote], info: Info) -> Sequence[ShownPassenger] | None:
    """Who would leave the booking; null where it is not some of the passengers."""
    if root.passengers is None:
        return None
    rows = await info.context.loaders.passengers.load(root.booking_id)
    return [ShownPassenger(row, owned=True) for row in rows if row.id in root.passengers]


async def flights(root: strawberry.Parent[CancellationQuote], info: Info) -> list[Departure] | None:
    """The flights that would be cancelled; null where it is not some of the flights."""
    if root.slots is None:
        return None
    found = await info.context.loaders.departure.load_many(root.slots)
    return [flight for flight in found if flight is not None]
