"""Notices, as clients see them; and the alerts that staff send to the passengers of a flight."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

import strawberry

from engine.execution import batched
from engine.limits import cost, list_size
from models import FlightAlert as AlertRow
from models import Notice as NoticeRow
from models import NoticeKind
from resolvers import notices as resolve
from resolvers import watching
from resolvers.context import Info
from schema.bookings import Booking
from schema.costs import LOOKING_UP
from schema.flights import Flight
from schema.nodes import Node, id_of, rows_of
from schema.paging import PageInfo
from schema.problems import mutation, outcome
from subscriptions.notices import notice_events as notice_changes

strawberry.enum(NoticeKind, description="What a notice is about. New kinds may be added.")
strawberry.input(resolve.MarkNoticesReadInput, description="Which notices were read: some, or all of yours.")
strawberry.input(resolve.AlertPassengersInput, description="What everybody booked on a flight is to be told.")


@strawberry.type(description="Something that you were told about a booking.")
class Notice(Node):
    """`models.Notice`."""

    is_type_of = rows_of(NoticeRow)

    id = id_of("Notice")
    kind: NoticeKind = strawberry.field(description="What it is about.")
    message: str = strawberry.field(description="In words, in English.")
    created_at: datetime = strawberry.field(description="When it was told.")
    read_at: datetime | None = strawberry.field(description="When you said that you had read it.")
    flight = strawberry.field(
        resolver=batched(resolve.flights_of_all)(resolve.flight_of),
        graphql_type=Flight | None,
        description="The flight that it is about, if it is.",
    )
    booking = strawberry.field(
        resolver=batched(resolve.bookings_of_all)(resolve.booking_of),
        graphql_type=Booking,
        description="The booking that it is about.",
    )


@strawberry.type(description="A notice in its place in the list.")
class NoticeEdge:
    """`core.paging.Edge`."""

    cursor: str = strawberry.field(description="Give it as `after` to go on behind this notice.")
    node: Notice = strawberry.field(description="The notice.")


@strawberry.type(description="A page of your notices, the newest first.")
class NoticeConnection:
    """`resolvers.notices.Notices`."""

    total_count: int = strawberry.field(description="How many there are on all pages.")
    unread_count: int = strawberry.field(description="How many of all your notices you have not read.")
    edges: list[NoticeEdge] = strawberry.field(description="The notices of this page.")
    page_info: PageInfo = strawberry.field(description="Whether more follows.")


@strawberry.type(description="What you have read.")
class NoticesRead:
    """`resolvers.notices.NoticesRead`."""

    is_type_of = rows_of(resolve.NoticesRead)

    unread_count: int = strawberry.field(description="How many you have not read.")
    notices: list[Notice] = strawberry.field(description="Those that you named; empty where you meant all.")


@strawberry.type(description="Something that everybody booked on a flight is told.")
class FlightAlert:
    """`models.FlightAlert`."""

    is_type_of = rows_of(AlertRow)

    id = id_of("FlightAlert")
    message: str = strawberry.field(description="What they are told.")
    flight = strawberry.field(resolver=resolve.flight_of, graphql_type=Flight, description="The flight.")
    created_at: datetime = strawberry.field(description="When it was sent.")
    reached: int = strawberry.field(description="How many bookings were told so far.")
    told_at: datetime | None = strawberry.field(description="When the last of them was told.")


@dataclass(frozen=True)
class ShownNotices:
    """A change of somebody's notices, with those notices as they are now."""

    cursor: str
    reset: bool
    unread_count: int
    notices: Sequence[NoticeRow]


@strawberry.type(description="Some of your notices as they are now.")
class NoticeEvent:
    """`ShownNotices`."""

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    reset: bool = strawberry.field(description="Whether what was missed is no longer known: ask for the list anew.")
    unread_count: int = strawberry.field(description="How many you have not read. Where it is 0, all are read.")
    notices: list[Notice] = strawberry.field(
        description="First the newest 20; then those that are new or were read, the newest first.",
        directives=[list_size(20)],
    )


async def notice_events(info: Info, after: str | None = None) -> AsyncGenerator[ShownNotices, None]:
    """The viewer's notices, live. Raises Unauthenticated for a guest, and once the viewer has signed out."""
    ctx = watching.from_primary(info.context)
    async with ctx.reading() as session:
        owner = await watching.account(session, ctx)
    with watching.one_of(ctx, watching.NOTICES):
        async with aclosing(notice_changes(ctx.app.database, ctx.app.hub, owner, after)) as changes:
            async for change in changes:
                async with ctx.reading() as session:
                    told = await resolve.changed(session, ctx, change.ids, newest=change.newest)
                yield ShownNotices(change.cursor, change.reset, told.unread_count, told.notices)


@strawberry.type
class NoticeQueries:
    """What is seen of notices."""

    notices = strawberry.field(
        resolver=resolve.page,
        graphql_type=NoticeConnection | None,
        description="Your notices, page by page, the newest first.",
        directives=[cost(LOOKING_UP), list_size(slicing_arguments=["first"], sized_fields=["edges"])],
    )


@strawberry.type
class NoticeMutations:
    """What is done with notices."""

    mark_notices_read = mutation(
        resolve.mark_read,
        outcome("MarkNoticesReadResult", NoticesRead),
        "Say that you have read notices. Reading one twice is no mistake.",
    )
    alert_passengers = mutation(
        resolve.alert_passengers,
        outcome("AlertPassengersResult", FlightAlert),
        "For staff: tell everybody booked on a flight. Sent again with its key, it says how many were told so far.",
    )
