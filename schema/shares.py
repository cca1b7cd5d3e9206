"""Shares of a booking's price and payment links, as clients see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine.limits import cost
from models import PaymentStatus
from resolvers import shares as resolve
from schema.costs import LOOKING_UP
from schema.itineraries import Slice
from schema.nodes import Money, id_of, rows_of
from schema.problems import HoldExpired, PaymentDeclined, mutation, outcome
from services.bookings import ShareStatus

strawberry.enum(ShareStatus, description="How far a share, or what a payment link is for, has been paid.")
strawberry.input(resolve.MoneyInput, description="An amount in major units, with no more decimals than its currency.")
strawberry.input(resolve.ShareInput, description="One payer's part of a price.")
strawberry.input(
    resolve.SplitPaymentInput,
    description="A booking and its shares, which add up to its price; or among how many to split it equally.",
)
strawberry.input(resolve.CreatePaymentLinkInput, description="What somebody else is to pay.")
strawberry.input(
    resolve.PayByLinkInput,
    description="Pay with a link, no account needed. Send the same input again to go on after 3-D Secure."
    " A guest's idempotency key is a random UUID (version 4).",
)


@strawberry.type(description="One payer's part of a booking's price. All of them are taken together, or none.")
class Share:
    """`resolvers.shares.ShownShare`."""

    id = id_of("Share")
    label: str = strawberry.field(description="The owner's name for it.")
    email: str | None = strawberry.field(description="Where its link is to go.")
    amount: Money = strawberry.field(description="How much of the price it is.")
    status: ShareStatus = strawberry.field(description="How far it has been paid.")
    decline_code: str | None = strawberry.field(description="Why the last try was declined, where it was.")
    link: str | None = strawberry.field(description="Token of its payment link; null once it can be paid no more.")


@strawberry.type(description="Something to pay, as whoever has its link sees it: nothing of the booking's people.")
class PaymentLink:
    """`resolvers.shares.ShownLink`."""

    is_type_of = rows_of(resolve.ShownLink)

    token: str = strawberry.field(description="For payByLink: whoever has it may pay.")
    pnr: str | None = strawberry.field(
        description="The booking's record locator, for whoever makes the link; null for whoever has it."
    )
    label: str | None = strawberry.field(
        description="The owner's name for the share; null for all of the price, and once it can be paid no more."
    )
    amount: Money = strawberry.field(description="What is to be paid.")
    status: ShareStatus = strawberry.field(description="How far it has been paid.")
    expires_at: datetime | None = strawberry.field(description="Pay until then; null once it can be paid no more.")
    slices = strawberry.field(
        resolver=resolve.slices,
        graphql_type=list[Slice],
        description="The journeys, in the order of travel; empty once it can be paid no more.",
    )


@strawberry.type(description="A payment as whoever made it with a link sees it.")
class LinkPayment:
    """`resolvers.shares.ShownLinkPayment`."""

    is_type_of = rows_of(resolve.ShownLinkPayment)

    status: PaymentStatus = strawberry.field(description="How far it got.")
    amount: Money = strawberry.field(description="What it is for.")
    client_secret: str | None = strawberry.field(
        description="For the gateway's own client library, while it is INITIATED or REQUIRES_ACTION."
    )
    redirect_url: str | None = strawberry.field(description="Where the payer's bank asks, for 3-D Secure.")
    link: PaymentLink = strawberry.field(description="What is paid, as it stands now.")


@strawberry.type
class ShareQueries:
    """What whoever has a link asks."""

    payment_link = strawberry.field(
        resolver=resolve.payment_link,
        graphql_type=PaymentLink | None,
        description="What a payment link is for; null for a share of an older split. No account needed.",
        directives=[cost(LOOKING_UP)],
    )


@strawberry.type
class LinkMutations:
    """What is done with links. A price is split by a mutation of its booking."""

    create_payment_link = mutation(
        resolve.create_payment_link,
        outcome("CreatePaymentLinkResult", PaymentLink, HoldExpired),
        "Have a share, or all of the price, paid by whoever has the link. Nothing is changed.",
    )
    pay_by_link = mutation(
        resolve.pay_by_link,
        outcome("PayByLinkResult", LinkPayment, PaymentDeclined, HoldExpired),
        "Pay, or go on paying, what a link is for.",
    )
