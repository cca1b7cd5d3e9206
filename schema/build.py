"""The whole schema, put together."""

from __future__ import annotations

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from engine.execution import quicken
from engine.limits import cost, list_size
from resolvers import bookings, flights, holds, itineraries, nodes, payments, users
from schema import caching
from schema.amendments import AmendmentMutations
from schema.bookings import Booking, BookingMutations
from schema.cancellation import CancellationMutations
from schema.clients import ClientMutations, ClientQueries
from schema.costs import LOOKING_UP, READING
from schema.documents import DocumentMutations, DocumentQueries
from schema.extras import ExtraMutations, ExtraQueries
from schema.flights import Airport, Flight
from schema.fraud import FraudMutations, FraudQueries
from schema.holds import Hold, HoldMutations
from schema.inventory import InventoryMutations, InventoryQueries
from schema.itineraries import OfferConnection
from schema.ledger import LedgerQueries
from schema.live import Subscription
from schema.nodes import Node
from schema.notices import Notice, NoticeMutations, NoticeQueries
from schema.payments import Payment, PaymentMutations, PaymentQueries, PaymentSettings
from schema.reconciliation import ReconciliationMutations, ReconciliationQueries
from schema.scalars import SCALARS
from schema.seats import SeatMutations, suggest_seats
from schema.shares import LinkMutations, ShareQueries
from schema.users import User, UserMutations
from schema.words import describe


@strawberry.type(description="What can be asked. A look-up that finds nothing, or nothing that is yours, is null.")
class Query(
    ClientQueries,
    DocumentQueries,
    ExtraQueries,
    FraudQueries,
    InventoryQueries,
    LedgerQueries,
    NoticeQueries,
    PaymentQueries,
    ReconciliationQueries,
    ShareQueries,
):
    """Every root field that reads."""

    node = strawberry.field(
        resolver=nodes.node,
        graphql_type=Node | None,
        description="Anything that has an id, by it.",
        directives=[cost(LOOKING_UP)],
    )
    flight_search = strawberry.field(
        resolver=itineraries.flight_search,
        graphql_type=OfferConnection | None,
        description="Priced offers, page by page. Nothing is stored and no seat is held.",
        directives=[cost(READING), list_size(slicing_arguments=["first"], sized_fields=["edges"])],
        metadata=caching.SEARCH,
    )
    flight = strawberry.field(
        resolver=flights.flight,
        graphql_type=Flight | None,
        description="A flight by its id.",
        directives=[cost(LOOKING_UP)],
        metadata=caching.FLIGHT,
    )
    airports = strawberry.field(
        resolver=flights.airports,
        graphql_type=list[Airport] | None,
        description="Airports whose code, city or name begins like this, the likeliest first.",
        directives=[cost(LOOKING_UP), list_size(slicing_arguments=["first"])],
        metadata=caching.PLACES,
    )
    departures = strawberry.field(
        resolver=flights.departures,
        graphql_type=list[Flight] | None,
        description="The departures board of an airport. Without `from`: since an hour ago, less what has landed.",
        directives=[cost(READING), list_size(slicing_arguments=["first"])],
        metadata=caching.BOARD,
    )
    suggest_seats = suggest_seats
    hold = strawberry.field(
        resolver=holds.hold, graphql_type=Hold | None, description="Your hold, or, with its token, a guest's."
    )
    booking = strawberry.field(
        resolver=bookings.booking,
        graphql_type=Booking | None,
        description="Your booking, or, with its token, a guest's.",
    )
    booking_by_pnr = strawberry.field(
        resolver=bookings.booking_by_pnr,
        graphql_type=Booking | None,
        description="A booking by record locator and a passenger's last name, without an account. Tries are limited.",
    )
    me = strawberry.field(resolver=users.me, graphql_type=User | None, description="Your account; null for a guest.")
    payment_settings = strawberry.field(
        resolver=payments.payment_settings,
        graphql_type=PaymentSettings | None,
        description="How to pay here.",
        metadata=caching.PLACES,
    )


Mutation = merge_types(
    "Mutation",
    (
        HoldMutations,
        SeatMutations,
        BookingMutations,
        CancellationMutations,
        AmendmentMutations,
        PaymentMutations,
        LinkMutations,
        ExtraMutations,
        InventoryMutations,
        NoticeMutations,
        UserMutations,
        DocumentMutations,
        ReconciliationMutations,
        FraudMutations,
        ClientMutations,
    ),
)

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[Airport, Booking, Flight, Hold, Notice, Payment, User],
    config=StrawberryConfig(scalar_map=SCALARS),
)
describe(schema._schema)
quicken(schema)
