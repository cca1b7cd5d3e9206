"""Notices: what the viewer was told, what they have read; and what staff tell the passengers of a flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import strawberry

from core import ids
from core.db import ReadSession
from core.errors import Invalid
from core.paging import MAX_FIRST, Edge, PageInfo
from models import FlightAlert, Notice
from resolvers import access, bookings, loaders, watching
from resolvers.bookings import ShownBooking
from resolvers.context import Context, Info
from resolvers.flights import FLIGHT_KIND
from services import alerts, limits, notices
from services.departures import Departure

NOTICE_KIND = "Notice"

NEWEST = 20
"""How many notices a stream begins with."""


@dataclass(frozen=True)
class Notices:
    """A page of the viewer's notices, the newest first, and how many of all are not read yet."""

    total_count: int
    unread_count: int
    edges: list[Edge[Notice]]
    page_info: PageInfo


@dataclass(frozen=True, kw_only=True)
class MarkNoticesReadInput:
    """Notices that the viewer has read; all of theirs where `ids` is None."""

    ids: list[strawberry.ID] | None = None


@dataclass(frozen=True)
class NoticesRead:
    """The notices that were named, as they are now, and how many of all are not read yet."""

    unread_count: int
    notices: Sequence[Notice]


@dataclass(frozen=True, kw_only=True)
class AlertPassengersInput:
    """Tell everybody booked on a flight."""

    flight_id: strawberry.ID
    message: str
    idempotency_key: str


async def page(info: Info, first: int = 20, after: str | None = None, unread_only: bool = False) -> Notices:
    """A page of the viewer's notices. Raises Unauthenticated for a guest."""
    async with info.context.reading() as session:
        owner = (await access.user(session, info.context)).id
        found = await notices.page(session, owner, first, after, unread=unread_only)
        unread = await notices.count_unread(session, owner)
    return Notices(found.total_count, unread, found.edges, found.page_info)


async def notice(info: Info, id: strawberry.ID) -> Notice | None:
    """A notice of the viewer's; null where there is none."""
    key = ids.uuid_of(NOTICE_KIND, id)
    owner = info.context.viewer.user_id
    if owner is None:
        return None
    async with info.context.reading() as session:
        return next(iter(await notices.of_owner(session, owner, [key])), None)


async def mark_read(info: Info, input: MarkNoticesReadInput) -> NoticesRead:
    """Write that the viewer has read notices of theirs. Raises Unauthenticated, Invalid and NotFound."""
    ctx = info.context
    named = None if input.ids is None else [ids.uuid_of(NOTICE_KIND, one, "ids") for one in input.ids]
    if named is not None and not 1 <= len(named) <= MAX_FIRST:
        raise Invalid(f"Name 1 to {MAX_FIRST} notices, or none at all for all of them.", field="ids")
    async with ctx.transaction() as session:
        owner = (await access.user(session, ctx)).id
        await notices.mark_read(session, owner, named)
        shown = await notices.of_owner(session, owner, named or ())
        return NoticesRead(await notices.count_unread(session, owner), shown)


async def alert_passengers(info: Info, input: AlertPassengersInput) -> FlightAlert:
    """Have everybody booked on a flight told, for staff. Raises Unauthenticated, Forbidden and RateLimited."""
    ctx = info.context
    access.staff(ctx)
    await ctx.app.limiter.hit(limits.ALERTS, ctx.actor)
    command = alerts.AlertPassengers(
        owner=ctx.owner.key,
        slot_id=ids.number_of(FLIGHT_KIND, input.flight_id, "flightId"),
        message=input.message,
        idempotency_key=input.idempotency_key,
    )
    async with ctx.transaction() as session:
        return await alerts.alert(session, command, ctx.cause("told its passengers"))


async def flight_of(root: strawberry.Parent[Notice | FlightAlert], info: Info) -> Departure | None:
    """The flight that it is about; null where it is about none."""
    return None if root.slot_id is None else await info.context.loaders.departure.load(root.slot_id)


async def flights_of_all(roots: Sequence[Notice], info: Info) -> list[Departure | None]:
    """The same of many."""
    slots = list({root.slot_id for root in roots if root.slot_id is not None})
    flights = await loaders.DEPARTURE.all(info.context.reader, slots) if slots else ()
    found = dict(zip(slots, flights, strict=True))
    return [None if root.slot_id is None else found[root.slot_id] for root in roots]


async def booking_of(root: strawberry.Parent[Notice], info: Info) -> ShownBooking:
    """The booking that it is about, which is the viewer's: nobody else is shown the notice."""
    return (await bookings_of_all([root], info))[0]


async def bookings_of_all(roots: Sequence[Notice], info: Info) -> list[ShownBooking]:
    """The same of many."""
    return await bookings.all_shown(info.context.reader, [(root.booking_id, True) for root in roots])


async def changed(session: ReadSession, ctx: Context, chosen: Sequence[UUID], *, newest: bool) -> NoticesRead:
    """What a stream of notices tells, to whoever is still signed in: those chosen, as they are now, the newest first;
    with `newest`, the newest ones among them. Raises Unauthenticated."""
    owner = await watching.account(session, ctx)
    shown = await notices.newest(session, owner, NEWEST) if newest else []
    known = {one.id for one in shown}
    shown += await notices.of_owner(session, owner, [one for one in chosen if one not in known])
    return NoticesRead(await notices.count_unread(session, owner), shown)
