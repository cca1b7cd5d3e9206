"""Payments, as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from engine.execution import batched
from engine.limits import cost, list_size
from models import PaymentStatus, RefundStatus
from resolvers import payments as resolve
from resolvers.bookings import booking_of, bookings_of_all
from resolvers.payments import ShownPayment
from resolvers.refunds import refunds, refunds_of_all
from schema.costs import LOOKING_UP
from schema.nodes import Money, Node, id_of, rows_of
from schema.problems import HoldExpired, PaymentDeclined, mutation, outcome
from services.gateways import Capture

if TYPE_CHECKING:
    from schema.bookings import Booking

strawberry.enum(
    PaymentStatus,
    description="REQUIRES_ACTION: open redirectUrl. AUTHORIZED money is promised, CAPTURED money is taken.",
)
strawberry.enum(
    Capture,
    description="SEPARATE: promised first, taken when the seats are sold. IMMEDIATE: taken when the payer agrees."
    " DELAYED: the payer's bank says days later whether it came.",
)
strawberry.input(
    resolve.PayBookingInput,
    description="Pay with a method of the gateway's. Send the same input again to go on after 3-D Secure.",
)


strawberry.enum(RefundStatus, description="How far money is on its way back.")


@strawberry.type(description="Money of a payment on its way back.")
class Refund:
    """`resolvers.refunds.ShownRefund`."""

    id = id_of("Refund")
    status: RefundStatus = strawberry.field(description="How far it got.")
    amount: Money = strawberry.field(description="How much goes back.")
    requested_at: datetime = strawberry.field(description="Since when it is on its way.")
    expected_by: datetime | None = strawberry.field(
        description="When it is with the payer at the latest, as far as banks keep their word; null where it failed."
    )


@strawberry.type(description="One attempt to pay a booking.")
class Payment(Node):
    """`resolvers.payments.ShownPayment`."""

    is_type_of = rows_of(ShownPayment)

    id = id_of("Payment")
    status: PaymentStatus = strawberry.field(description="How far it got.")
    amount: Money = strawberry.field(description="What it is for.")
    share_id: strawberry.ID | None = strawberry.field(
        description="Which share of a split price it pays; null: all, or not yours."
    )
    refunded: Money = strawberry.field(description="What of it has gone back.")
    refunds = strawberry.field(
        resolver=batched(refunds_of_all)(refunds),
        graphql_type=list[Refund],
        description="What of it goes back, or went: one for each time that something did; for the owner alone.",
        directives=[list_size(2)],
    )
    client_secret: str | None = strawberry.field(
        description="For the gateway's own client library, while it is INITIATED or REQUIRES_ACTION."
    )
    redirect_url: str | None = strawberry.field(description="Where the payer's bank asks, for 3-D Secure.")
    retry_at: datetime | None = strawberry.field(
        description="When the bank, which said no for a reason that may pass, is asked again; null where it is not."
    )
    decline_code: str | None = strawberry.field(description="Why it was declined; for the owner alone.")
    deadline: datetime | None = strawberry.field(
        description="While it is PROCESSING at a bank that takes days: until when its money may come. Seats are kept"
        " for minutes: money that comes when they are gone finds others, or goes back."
    )
    booking = strawberry.field(
        resolver=batched(bookings_of_all)(booking_of),
        graphql_type=Annotated["Booking", strawberry.lazy("schema.bookings")],
        description="What it pays.",
    )


@strawberry.type(description="A kind of payment that a booking can be paid with.")
class PaymentOption:
    """`resolvers.payments.PaymentOption`."""

    gateway: str = strawberry.field(description="Who takes the money.")
    kind: str = strawberry.field(description="The gateway's word for it: card, ideal, sepa_debit, paypal.")
    payment_method: str = strawberry.field(
        description="What payBooking takes as paymentMethod: this word, or with an asterisk a token that looks like it."
    )
    capture: Capture = strawberry.field(description="When the money is taken.")
    redirects: bool = strawberry.field(description="Whether the payer leaves the shop's page; send a returnUrl.")
    deadline: datetime | None = strawberry.field(description="DELAYED: until when the money may come.")


@strawberry.type(description="A method of the sandbox, to try things out.")
class TestPaymentMethod:
    """`services.gateways.sandbox.TestPaymentMethod`."""

    payment_method: str = strawberry.field(description="Give it to payBooking.")
    label: str = strawberry.field(description="What it looks like.")
    outcome: str = strawberry.field(description="What it does.")


@strawberry.type(description="How to pay here.")
class PaymentSettings:
    """`resolvers.payments.PaymentSettings`."""

    gateway: str = strawberry.field(description="Who takes the money.")
    sandbox: bool = strawberry.field(description="Whether no real money moves.")
    test_methods: list[TestPaymentMethod] = strawberry.field(description="The sandbox's methods; empty elsewhere.")


@strawberry.type
class PaymentQueries:
    """What is asked before paying."""

    payment_methods = strawberry.field(
        resolver=resolve.payment_methods,
        graphql_type=list[PaymentOption] | None,
        description="What a booking of yours can be paid with.",
        directives=[cost(LOOKING_UP)],
    )


@strawberry.type
class PaymentMutations:
    """What is done with payments."""

    pay_booking = mutation(
        resolve.pay_booking,
        outcome("PayBookingResult", Payment, PaymentDeclined, HoldExpired),
        "Pay, or go on paying, a booking.",
    )
