"""Best seats, as clients see them."""

from __future__ import annotations

import strawberry

from engine.execution import batched
from engine.limits import cost
from models import Cabin, PassengerType
from resolvers import seats as resolve
from schema.costs import READING
from schema.flights import Flight, Seat
from schema.holds import Hold
from schema.nodes import Money, rows_of
from schema.problems import SoldOut, mutation, outcome
from services.seats.wishes import SeatWish

strawberry.enum(SeatWish, description="What may be wished of seats. A wish is met where more important rules allow it.")

strawberry.input(resolve.BestSeatsInput, description="The best seats of one flight.")
strawberry.input(
    resolve.HoldBestSeatsInput,
    description="The best seats on all of these flights, or none. A guest's idempotency key is a random UUID "
    "(version 4); it stands for the wish, whichever seats come of it.",
)


@strawberry.type(description="A seat of a suggestion.")
class SuggestedSeat:
    """`services.seats.suggestions.SuggestedSeat`."""

    seat: Seat = strawberry.field(description="The seat, with what it costs on top of the fare.")
    passenger_type: PassengerType = strawberry.field(description="Whom it is for: an adult or a child.")
    with_infant: bool = strawberry.field(description="Whether that adult has an infant in arms.")


@strawberry.type(description="Neighbours: seats of one row with no aisle between.")
class SeatGroup:
    """`services.seats.suggestions.SeatGroup`."""

    seats: list[SuggestedSeat] = strawberry.field(description="From left to right.")


@strawberry.type(description="The best seats of a flight for a party, and why these. A suggestion holds nothing.")
class SeatSuggestion:
    """`services.seats.suggestions.Suggestion`."""

    flight = strawberry.field(
        resolver=batched(resolve.suggested_flights)(resolve.suggested_flight),
        graphql_type=Flight,
        description="The flight.",
    )
    cabin: Cabin = strawberry.field(description="The cabin.")
    groups: list[SeatGroup] = strawberry.field(description="From front to back; one where all sit side by side.")
    rows: list[int] = strawberry.field(description="The rows in which the party sits, from front to back.")
    price: Money | None = strawberry.field(
        description="What the seats cost together on top of the fare; null where they are not sold."
    )
    reason: str = strawberry.field(description="Why these, for a person.")
    met: list[SeatWish] = strawberry.field(description="The wishes that are met.")
    unmet: list[SeatWish] = strawberry.field(description="The wishes that could not be met.")
    children_alone: int = strawberry.field(description="How many children have no adult beside them.")
    lonely_seats: list[str] = strawberry.field(
        description="Free seats that would be left alone between taken ones or the aisle, by number."
    )


@strawberry.type(description="The best seats are held.")
class BestSeatsHeld:
    """`resolvers.seats.BestSeatsHeld`."""

    is_type_of = rows_of(resolve.BestSeatsHeld)

    hold: Hold = strawberry.field(description="The hold.")
    suggestions: list[SeatSuggestion] = strawberry.field(
        description="Why these seats, by flight, in the order in which the flights were named."
    )


suggest_seats = strawberry.field(
    resolver=resolve.suggest_seats,
    graphql_type=SeatSuggestion | None,
    description="The best seats of a flight for a party; null where seats are not chosen. Nothing is held.",
    directives=[cost(READING)],
)


@strawberry.type
class SeatMutations:
    """What is done with seats that nobody has chosen yet."""

    hold_best_seats = mutation(
        resolve.hold_best_seats,
        outcome("HoldBestSeatsResult", BestSeatsHeld, SoldOut),
        "Find the best seats for a party and hold them for 5 to 15 minutes: on every flight, or on none.",
    )
