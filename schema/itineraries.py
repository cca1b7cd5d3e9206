"""Search and offers, as clients see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine.execution import kept_in
from engine.limits import list_size
from models import Cabin, PriceLineKind
from schema.flights import Airport, Flight
from schema.nodes import Money
from schema.paging import PageInfo
from services import itineraries

strawberry.enum(PriceLineKind, description="What a line of a price is for.")
strawberry.enum(itineraries.OfferSort, description="In which order offers come.")

strawberry.input(itineraries.SliceInput, description="From where to where, on which local date.")
strawberry.input(
    itineraries.PassengersInput,
    description="Who travels: adults from 12 years, children from 2, infants under 2 on an adult's lap.",
)
strawberry.input(itineraries.FlightFiltersInput, description="What to leave out.")
strawberry.input(itineraries.FlightSearchInput, description="What to search for.")


@kept_in("written")
@strawberry.type(description="One named part of a price.")
class PriceLine:
    """`services.fares.PriceLine`."""

    kind: PriceLineKind = strawberry.field(description="Fare, tax, fee, seat…")
    label: str = strawberry.field(description="What it is, in words.")
    amount: Money = strawberry.field(description="What it comes to for the whole party.")


@kept_in("written")
@strawberry.type(description="A brand of fares with its rules.")
class FareFamily:
    """`services.fares.Family`."""

    code: str = strawberry.field(description="A short name: FLEX.")
    name: str = strawberry.field(description="Its name.")
    refundable: bool = strawberry.field(description="Whether money comes back on cancellation.")
    changeable: bool = strawberry.field(description="Whether flights may be changed.")
    checked_bags: int = strawberry.field(description="Bags included, per passenger.")
    cancellation_fee: Money = strawberry.field(description="What is kept when a refundable fare is cancelled.")
    change_fee: Money = strawberry.field(
        description="What a change to another flight costs, beside the difference in price; once for the whole booking."
    )


@strawberry.type(description="One flight of an itinerary.")
class Segment:
    """`services.itineraries.Segment`."""

    cabin: Cabin = strawberry.field(description="The cabin.")
    booking_class: str = strawberry.field(description="The booking class (RBD) it is sold in.")
    flight: Flight = strawberry.field(description="The flight.")


@kept_in("written")
@strawberry.type(description="A journey from one place to another.")
class Slice:
    """`services.itineraries.Slice`."""

    origin: Airport = strawberry.field(description="Where it begins.")
    destination: Airport = strawberry.field(description="Where it ends.")
    departs_at: datetime = strawberry.field(description="When it begins, local.")
    arrives_at: datetime = strawberry.field(description="When it ends, local.")
    duration_minutes: int = strawberry.field(description="From beginning to end.")
    stops: int = strawberry.field(description="How often one changes on the way.")
    segments: list[Segment] = strawberry.field(
        description="Its flights, in the order of travel.", directives=[list_size(2)]
    )


@strawberry.type(description="A price for a party, kept until it expires. It does not hold seats.")
class Offer:
    """`services.itineraries.Priced`."""

    id: strawberry.ID = strawberry.field(description="Opaque; createBooking takes it.")
    expires_at: datetime = strawberry.field(description="Until then the price is kept.")
    seats_left: int = strawberry.field(description="How many more seats the cabin has.")
    total: Money = strawberry.field(description="For the whole party, before seats that cost extra.")
    lines: list[PriceLine] = strawberry.field(description="They add up to the total.")
    fare_family: FareFamily = strawberry.field(description="The rules it is sold under.")
    slices: list[Slice] = strawberry.field(
        description="The journeys, in the order of travel.", directives=[list_size(2)]
    )


@strawberry.type(description="An offer in its place in the list.")
class OfferEdge:
    """`core.paging.Edge`."""

    cursor: str = strawberry.field(description="Give it as `after` to go on behind this offer.")
    node: Offer = strawberry.field(description="The offer.")


@strawberry.type(description="A page of offers.")
class OfferConnection:
    """`resolvers.itineraries.Offers`."""

    total_count: int = strawberry.field(description="How many there are on all pages.")
    priced_at: datetime = strawberry.field(description="When they were priced.")
    edges: list[OfferEdge] = strawberry.field(description="The offers of this page.")
    page_info: PageInfo = strawberry.field(description="Whether more follows.")
