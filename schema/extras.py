"""Extras, as passengers have them and as staff look after them."""

from __future__ import annotations

import strawberry

from engine.execution import batched
from engine.limits import cost, list_size
from models import ExtraKind, ExtraScope, ExtraStatus
from resolvers import extras as resolve
from schema.catalogue import OfferedExtra
from schema.costs import LOOKING_UP
from schema.flights import Flight
from schema.nodes import Money, id_of, rows_of
from schema.problems import NotAuthorised, mutation, outcome
from services import extras

strawberry.input(resolve.DefineExtraInput, description="An extra as it shall be sold from now on, and why.")
strawberry.input(resolve.PriceExtraInput, description="What one of an extra costs, and why.")
strawberry.input(resolve.RetireExtraInput, description="An extra that shall be sold no more, and why.")
strawberry.input(resolve.SetExtraStockInput, description="How many of a counted extra a flight has, and why.")


@strawberry.type(description="What may be had on one flight of a journey.")
class FlightExtras:
    """`resolvers.extras.FlightExtras`."""

    flight = strawberry.field(
        resolver=batched(resolve.flights_of_all)(resolve.flight_of), graphql_type=Flight, description="The flight."
    )
    included_bags: int = strawberry.field(description="Checked bags that the fare includes, per passenger, at no cost.")
    extras: list[OfferedExtra] = strawberry.field(
        description="What may be had. What is for the whole journey is told with its first flight.",
        directives=[list_size(12)],
    )


@strawberry.type(description="Something that a passenger has beside the seat, or had.")
class PassengerExtra:
    """`services.extras.Owned`."""

    id = id_of("PassengerExtra")
    code: str = strawberry.field(description="The airline's name for it.")
    kind: ExtraKind = strawberry.field(description="What sort of thing it is.")
    name: str = strawberry.field(description="In words.")
    flight = strawberry.field(
        resolver=batched(resolve.flights_of_all)(resolve.flight_of),
        graphql_type=Flight | None,
        description="The flight that it is for; null: the whole journey.",
    )
    quantity: int = strawberry.field(description="How many.")
    amount: Money = strawberry.field(description="What all of it costs.")
    refundable: bool = strawberry.field(description="Whether its price comes back when it is given up in time.")
    status: ExtraStatus = strawberry.field(description="What it is worth.")
    number: str | None = strawberry.field(description="Its document's thirteen digits, once it is paid for.")


@strawberry.type(description="An extra in an airline's catalogue, as staff see it.")
class CatalogueExtra:
    """`services.extras.Entry`."""

    is_type_of = rows_of(extras.Entry)

    airline_code: str = strawberry.field(description="The airline that sells it.")
    code: str = strawberry.field(name="extra", description="The airline's name for it: its code.")
    kind: ExtraKind = strawberry.field(description="What sort of thing it is.")
    name: str = strawberry.field(description="In words.")
    scope: ExtraScope = strawberry.field(description="Whether it is for a flight or for the whole journey.")
    max_per_passenger: int = strawberry.field(description="How many a passenger can have.")
    closes_hours: int = strawberry.field(description="It is sold until so many hours before departure.")
    refundable: bool = strawberry.field(description="Whether its price comes back when it is given up in time.")
    infants: bool = strawberry.field(description="Whether infants can have it.")
    stocked: bool = strawberry.field(description="Whether it is counted: sold only where a flight has stock of it.")
    retired: bool = strawberry.field(description="Whether it is sold no more.")
    prices: list[Money] = strawberry.field(description="For one, in each currency.")


@strawberry.type(description="How many of a counted extra a flight has, as it is now.")
class ExtraStock:
    """`resolvers.extras.ExtraStock`."""

    is_type_of = rows_of(resolve.ExtraStock)

    flight = strawberry.field(
        resolver=batched(resolve.flights_of_all)(resolve.flight_of), graphql_type=Flight, description="The flight."
    )
    code: str = strawberry.field(name="extra", description="The extra, by its code.")
    stock: int = strawberry.field(description="How many there are in all.")
    held: int = strawberry.field(description="How many are held.")
    sold: int = strawberry.field(description="How many are sold.")
    left: int = strawberry.field(description="How many more may be sold.")


@strawberry.type
class ExtraQueries:
    """What is asked of extras."""

    extras_for = strawberry.field(
        resolver=resolve.extras_for,
        graphql_type=list[FlightExtras] | None,
        description="What may be had with an offer beside the seat, flight by flight, and what its fare includes.",
        directives=[cost(LOOKING_UP), list_size(2)],
    )
    extra_catalogue = strawberry.field(
        resolver=resolve.extra_catalogue,
        graphql_type=list[CatalogueExtra] | None,
        description="For staff: what an airline sells beside the seat, and what it has sold.",
        directives=[cost(LOOKING_UP), list_size(20)],
    )
    extra_stock = strawberry.field(
        resolver=resolve.extra_stock,
        graphql_type=list[ExtraStock] | None,
        description="For staff: what a flight has of counted extras.",
        directives=[cost(LOOKING_UP), list_size(12)],
    )


@strawberry.type
class ExtraMutations:
    """What staff do with extras."""

    define_extra = mutation(
        resolve.define_extra,
        outcome("DefineExtraResult", CatalogueExtra),
        "For staff: put an extra into an airline's catalogue, or change how it is sold from now on.",
    )
    price_extra = mutation(
        resolve.price_extra,
        outcome("PriceExtraResult", CatalogueExtra),
        "For staff: set what one of an extra costs in a currency.",
    )
    retire_extra = mutation(
        resolve.retire_extra,
        outcome("RetireExtraResult", CatalogueExtra),
        "For staff: sell an extra no more. Who has it keeps it.",
    )
    set_extra_stock = mutation(
        resolve.set_extra_stock,
        outcome("SetExtraStockResult", ExtraStock, NotAuthorised),
        "For staff: set how many of a counted extra a flight has. The same again is no mistake.",
    )
