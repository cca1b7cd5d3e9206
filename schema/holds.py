"""Holds, as clients see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine.execution import at_hand, batched
from models import Cabin, HoldStatus
from resolvers import holds as resolve
from resolvers.holds import ShownHold
from schema.flights import Flight
from schema.nodes import Node, id_of, rows_of
from schema.problems import HoldExpired, SeatsTaken, SoldOut, mutation, outcome

strawberry.enum(HoldStatus, description="ACTIVE until its deadline; BOOKED once it was paid for.")

strawberry.input(resolve.CabinQuantityInput, description="So many seats of a cabin, which are chosen later.")
strawberry.input(
    resolve.FlightSeatsInput,
    description="Seats of one flight: by number, or by cabin where they are chosen later. At most nine together.",
)
strawberry.input(
    resolve.HoldSeatsInput,
    description="All of these seats, or none. A guest's idempotency key is a random UUID (version 4).",
)
strawberry.input(resolve.ExtendHoldInput, description="Which hold to extend.")
strawberry.input(resolve.ReleaseHoldInput, description="Which hold to give back.")


@strawberry.type(description="So many of a cabin.")
class CabinQuantity:
    """`resolvers.holds.CabinQuantity`."""

    cabin: Cabin = strawberry.field(description="The cabin.")
    quantity: int = strawberry.field(description="How many.")


@strawberry.type(description="What a hold keeps of one flight.")
class HeldSeats:
    """`resolvers.holds.HeldSeats`."""

    flight = strawberry.field(
        resolver=at_hand(resolve.known_flight, only=("id",))(batched(resolve.flights_held)(resolve.flight_held)),
        graphql_type=Flight,
        description="The flight.",
    )
    seats: list[str] = strawberry.field(description="The seats, by number.")
    unassigned: list[CabinQuantity] = strawberry.field(description="How many more, whose seats are chosen later.")


@strawberry.type(description="Seats kept for a shopper until a deadline.")
class Hold(Node):
    """`resolvers.holds.ShownHold`."""

    is_type_of = rows_of(ShownHold)

    id = id_of("Hold")
    token: str | None = strawberry.field(description="A guest's proof of ownership; null for whoever signed in.")
    status: HoldStatus = strawberry.field(description="Whether it still holds.")
    expires_at: datetime = strawberry.field(description="The deadline, by the server's clock.")
    extensions_left: int = strawberry.field(description="How often it may still be extended.")
    flights = strawberry.field(
        resolver=at_hand(resolve.placed_flights)(resolve.held_flights),
        graphql_type=list[HeldSeats],
        description="What it keeps.",
    )


@strawberry.type(description="The hold is no more; its seats are free.")
class HoldReleased:
    """`resolvers.holds.HoldReleased`."""

    is_type_of = rows_of(resolve.HoldReleased)

    hold_id: strawberry.ID = strawberry.field(description="Which hold it was.")


@strawberry.type
class HoldMutations:
    """What is done with holds."""

    hold_seats = mutation(
        resolve.hold_seats,
        outcome("HoldSeatsResult", Hold, SeatsTaken, SoldOut),
        "Hold seats for 5 to 15 minutes: all of them, or none.",
    )
    extend_hold = mutation(
        resolve.extend_hold,
        outcome("ExtendHoldResult", Hold, HoldExpired),
        "Move a hold's deadline: at most twice, and to at most 30 minutes from its beginning.",
    )
    release_hold = mutation(
        resolve.release_hold,
        outcome("ReleaseHoldResult", HoldReleased, HoldExpired),
        "Give a hold's seats back at once.",
    )
