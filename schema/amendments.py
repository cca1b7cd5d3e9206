"""Changes of bookings, as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from engine.execution import batched
from models import AmendmentKind, AmendmentStatus, PassengerTitle
from resolvers import amendments as resolve
from resolvers.amendments import ShownAmendment
from schema.itineraries import PriceLine
from schema.nodes import Money, id_of, rows_of
from schema.payments import Payment
from schema.problems import ExtraSoldOut, HoldExpired, PaymentDeclined, PriceChanged, QuoteExpired, mutation, outcome

if TYPE_CHECKING:
    from schema.bookings import Booking

strawberry.enum(AmendmentKind, description="What of a booking is changed.")
strawberry.enum(AmendmentStatus, description="The life of a change.")
strawberry.enum(PassengerTitle, description="How a passenger is addressed.")
strawberry.input(resolve.SeatOfPassengerInput, description="The seat that a passenger is to have on a flight.")
strawberry.input(
    resolve.ChangeFlightsInput,
    description="Other flights: an offer for the same people, and a hold of a place on them for everybody.",
)
strawberry.input(resolve.ChangeSeatsInput, description="Other seats on flights that are booked, which a hold keeps.")
strawberry.input(
    resolve.CorrectNameInput,
    description="A name as it should be, up to three letters away or the two names swapped. Leave out what is right.",
)
strawberry.input(resolve.AddExtraInput, description="An extra that a passenger is to have beside what they have.")
strawberry.input(
    resolve.QuoteChangeInput,
    description="What is to be changed: flights, seats, a name, or extras, more or fewer. One of these at a time.",
)
strawberry.input(
    resolve.ConfirmChangeInput,
    description="The quote to act on. Send the same input again to go on after 3-D Secure.",
)


@strawberry.type(description="One thing that a change changes, in words.")
class AmendedDetail:
    """`resolvers.amendments.Told`."""

    what: str = strawberry.field(description="Flights, the seat of somebody, a name…")
    before: str = strawberry.field(description="What it was.")
    after: str = strawberry.field(description="What it is to be.")


@strawberry.type(description="A change of a booking: quoted, and applied once it is confirmed and paid.")
class Amendment:
    """`resolvers.amendments.ShownAmendment`."""

    is_type_of = rows_of(ShownAmendment)

    id = id_of("Amendment")
    kind: AmendmentKind = strawberry.field(description="What is changed.")
    status: AmendmentStatus = strawberry.field(description="Where it is in its life.")
    created_at: datetime = strawberry.field(description="When it was quoted.")
    expires_at: datetime | None = strawberry.field(description="Confirm it until then; null once that does not matter.")
    changes: list[AmendedDetail] = strawberry.field(description="What it changes, in words.")
    removed: list[PriceLine] = strawberry.field(description="What leaves the price.")
    added: list[PriceLine] = strawberry.field(description="What joins the price.")
    difference: Money = strawberry.field(description="The new price less the old one.")
    penalty: Money = strawberry.field(
        description="What is kept beside the price; it is no part of the booking's total."
    )
    due: Money = strawberry.field(
        description="Difference and penalty together: to be paid, or, where it is less than nothing, given back."
    )
    reason: str = strawberry.field(description="By which rules, in words.")
    payment = strawberry.field(
        resolver=batched(resolve.payments_of_all)(resolve.payment),
        graphql_type=Payment | None,
        description="The last attempt to pay what is due.",
    )
    booking = strawberry.field(
        resolver=batched(resolve.bookings_of_all)(resolve.booking_of),
        graphql_type=Annotated["Booking", strawberry.lazy("schema.bookings")],
        description="The booking as it is now.",
    )


@strawberry.type
class AmendmentMutations:
    """What is done to change bookings."""

    quote_change = mutation(
        resolve.quote_change,
        outcome("QuoteChangeResult", Amendment, PriceChanged, HoldExpired, ExtraSoldOut),
        "Ask what changing a booking would cost or give back. Nothing is changed.",
    )
    confirm_change = mutation(
        resolve.confirm_change,
        outcome("ConfirmChangeResult", Amendment, QuoteExpired, PaymentDeclined, HoldExpired, ExtraSoldOut),
        "Change as quoted: at once, or once what is due is paid. Until then the booking stays as it is.",
    )
