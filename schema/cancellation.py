"""Cancelling, whole or in part, as clients see it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from core.money import Money as Amount
from engine.execution import pure
from engine.limits import list_size
from models import CancellationQuote as QuoteRow
from models import CancellationRule
from resolvers import cancellation as resolve
from schema.bookings import Booking, Passenger
from schema.flights import Flight
from schema.nodes import Money, id_of, rows_of
from schema.problems import HoldExpired, MinorsAlone, QuoteExpired, mutation, outcome

strawberry.enum(CancellationRule, description="By which rule money comes back, or stays.")
strawberry.input(
    resolve.QuoteCancellationInput,
    description="Which booking might be cancelled: some of its passengers, some of its flights, or all of it.",
)
strawberry.input(resolve.CancelBookingInput, description="The quote to act on.")


@pure
def refund(root: strawberry.Parent[QuoteRow]) -> Amount:
    """What comes back."""
    return Amount(root.refund, root.currency)


@pure
def fee(root: strawberry.Parent[QuoteRow]) -> Amount:
    """What is kept."""
    return Amount(root.fee, root.currency)


@strawberry.type(description="What cancelling would give back, kept until it expires or the booking changes.")
class CancellationQuote:
    """`models.CancellationQuote`."""

    is_type_of = rows_of(QuoteRow)

    id = id_of("CancellationQuote")
    expires_at: datetime = strawberry.field(description="Until then it is kept.")
    refund = strawberry.field(resolver=refund, graphql_type=Money, description="What comes back.")
    fee = strawberry.field(resolver=fee, graphql_type=Money, description="What is kept.")
    rule: CancellationRule = strawberry.field(description="By which rule.")
    reason: str = strawberry.field(description="The rule in words.")
    passengers = strawberry.field(
        resolver=resolve.passengers,
        graphql_type=list[Passenger] | None,
        description="Who would leave the booking, infants with their adult; null where all of it is cancelled, or some"
        " of its flights.",
    )
    flights = strawberry.field(
        resolver=resolve.flights,
        graphql_type=list[Flight] | None,
        description="The flights that would be cancelled for everybody; null where all of it is cancelled, or some of"
        " its passengers.",
        directives=[list_size(2)],
    )


@strawberry.type
class CancellationMutations:
    """What is done to cancel."""

    quote_cancellation = mutation(
        resolve.quote_cancellation,
        outcome("QuoteCancellationResult", CancellationQuote, MinorsAlone),
        "Ask what cancelling would give back: name passengers, or flights, or nothing for all. Nothing is cancelled.",
    )
    cancel_booking = mutation(
        resolve.cancel_booking,
        outcome("CancelBookingResult", Booking, QuoteExpired, HoldExpired, MinorsAlone),
        "Cancel as quoted. The seats are free at once; the money goes back. A booking that is cancelled in part stays"
        " confirmed with who and what is left.",
    )
