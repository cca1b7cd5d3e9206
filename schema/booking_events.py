"""A booking and its payments, live, as their owner sees them.

Before every event the rows are read anew, on the primary, as the viewer's: whoever may not see them any more learns
nothing more, and the stream ends with the refusal.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import strawberry

from core import ids
from engine.limits import list_size
from models import Notice as NoticeRow
from resolvers import access, bookings, watching
from resolvers.bookings import ShownBooking
from resolvers.context import Info
from resolvers.payments import ShownPayment
from schema.bookings import Booking
from schema.notices import Notice
from schema.payments import Payment
from services import notices
from services.bookings import payments_by_booking_ids
from subscriptions.bookings import booking_events as booking_changes
from subscriptions.bookings import payment_events as payment_changes

SHOWN_AS = {"payment.review": "payment.processing"}
"""Facts that owners are told as others: that staff look at a payment is not for whoever pays."""


@dataclass(frozen=True)
class ShownBookingChange:
    """What happened to a booking, with the booking as it is now."""

    cursor: str
    reset: bool
    happened: Sequence[str]
    notices: Sequence[NoticeRow]
    booking: ShownBooking


@dataclass(frozen=True)
class ShownPaymentsChange:
    """What happened to a booking's payments, with those payments as they are now."""

    cursor: str
    reset: bool
    payments: Sequence[ShownPayment]


@strawberry.type(description="A booking as it is now, and what has happened to it.")
class BookingEvent:
    """`ShownBookingChange`."""

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    reset: bool = strawberry.field(description="Whether what was missed is no longer known.")
    happened: list[str] = strawberry.field(
        description="What has happened since the last event, the latest last: booking.confirmed, payment.declined,"
        " ticket.issued, … Empty where the booking is only shown. New kinds may be added."
    )
    notices: list[Notice] = strawberry.field(
        description="What its owner was told since: alerts to the passengers of a flight, delays, cancellations.",
        directives=[list_size(5)],
    )
    booking: Booking = strawberry.field(description="The booking as it is now.")


@strawberry.type(description="Payments of a booking as they are now.")
class PaymentEvent:
    """`ShownPaymentsChange`."""

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    reset: bool = strawberry.field(description="Whether what was missed is no longer known.")
    payments: list[Payment] = strawberry.field(
        description="First every attempt to pay, the oldest first; then those that changed.", directives=[list_size(5)]
    )


async def booking_events(
    info: Info, booking_id: strawberry.ID, token: str | None = None, after: str | None = None
) -> AsyncGenerator[ShownBookingChange, None]:
    """A booking of the viewer's, live. Raises Forbidden for a wrong token, NotFound for what is not the viewer's."""
    ctx, key = watching.from_primary(info.context), ids.uuid_of(access.BOOKING_KIND, booking_id, "bookingId")
    with watching.one_of(ctx, watching.BOOKINGS):
        async with ctx.reading() as session:
            await watching.booking(session, ctx, key, token)
        async with aclosing(booking_changes(ctx.app.database, ctx.app.hub, key, after)) as changes:
            async for change in changes:
                async with ctx.reading() as session:
                    row = await watching.booking(session, ctx, key, token)
                    told = await notices.about_booking(session, key, change.notices) if change.notices else []
                    booking = await bookings.shown(session, row, owned=True)
                happened = tuple(dict.fromkeys(SHOWN_AS.get(kind, kind) for kind in change.happened))
                yield ShownBookingChange(change.cursor, change.reset, happened, told, booking)


async def payment_events(
    info: Info, booking_id: strawberry.ID, token: str | None = None, after: str | None = None
) -> AsyncGenerator[ShownPaymentsChange, None]:
    """The payments of a booking of the viewer's, live. Refuses as `booking_events` does."""
    ctx, key = watching.from_primary(info.context), ids.uuid_of(access.BOOKING_KIND, booking_id, "bookingId")
    with watching.one_of(ctx, watching.PAYMENTS):
        async with ctx.reading() as session:
            await watching.booking(session, ctx, key, token)
        async with aclosing(payment_changes(ctx.app.database, ctx.app.hub, key, after)) as changes:
            async for change in changes:
                async with ctx.reading() as session:
                    await watching.booking(session, ctx, key, token)
                    rows = (await payments_by_booking_ids(session, [key]))[key]
                chosen = [row for row in rows if not change.happened or row.id in change.payments]
                yield ShownPaymentsChange(change.cursor, change.reset, [ShownPayment(row, True) for row in chosen])
