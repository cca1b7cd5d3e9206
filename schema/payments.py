"""Payments, as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from engine.execution import batched
from models import PaymentStatus
from resolvers import payments as resolve
from resolvers.bookings import booking_of, bookings_of_all
from resolvers.payments import ShownPayment
from schema.nodes import Money, Node, id_of, rows_of
from schema.problems import HoldExpired, PaymentDeclined, mutation, outcome

if TYPE_CHECKING:
    from schema.bookings import Booking

strawberry.enum(
    PaymentStatus,
    description="REQUIRES_ACTION: open redirectUrl. AUTHORIZED money is promised, CAPTURED money is taken.",
)
strawberry.input(
    resolve.PayBookingInput,
    description="Pay with a method of the gateway's. Send the same input again to go on after 3-D Secure.",
)


@strawberry.type(description="One attempt to pay a booking.")
class Payment(Node):
    """`resolvers.payments.ShownPayment`."""

    is_type_of = rows_of(ShownPayment)

    id = id_of("Payment")
    status: PaymentStatus = strawberry.field(description="How far it got.")
    amount: Money = strawberry.field(description="What it is for.")
    refunded: Money = strawberry.field(description="What of it has gone back.")
    client_secret: str | None = strawberry.field(description="For the gateway's own client library.")
    redirect_url: str | None = strawberry.field(description="Where the payer's bank asks, for 3-D Secure.")
    decline_code: str | None = strawberry.field(description="Why it was declined.")
    booking = strawberry.field(
        resolver=batched(bookings_of_all)(booking_of),
        graphql_type=Annotated["Booking", strawberry.lazy("schema.bookings")],
        description="What it pays.",
    )


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
class PaymentMutations:
    """What is done with payments."""

    pay_booking = mutation(
        resolve.pay_booking,
        outcome("PayBookingResult", Payment, PaymentDeclined, HoldExpired),
        "Pay, or go on paying, a booking.",
    )
