"""Inventory, as staff see and change it."""

from __future__ import annotations

import strawberry

from resolvers import inventory as resolve
from schema.flights import Flight
from schema.live import SeatState
from schema.nodes import rows_of
from schema.problems import SeatsTaken, mutation, outcome

strawberry.input(resolve.BlockSeatsInput, description="Seats of a flight to keep from sale, and why.")
strawberry.input(resolve.UnblockSeatsInput, description="Seats of a flight to let be sold again, and why.")


@strawberry.type(description="Some seats of a flight, as they are now.")
class FlightSeats:
    """`resolvers.inventory.FlightSeats`."""

    is_type_of = rows_of(resolve.FlightSeats)

    flight = strawberry.field(resolver=resolve.flight_of, graphql_type=Flight, description="The flight.")
    seats: list[SeatState] = strawberry.field(description="In the order of reading.")


@strawberry.type
class InventoryMutations:
    """What staff do with inventory."""

    block_seats = mutation(
        resolve.block_seats,
        outcome("BlockSeatsResult", FlightSeats, SeatsTaken),
        "For staff: keep seats from sale, all of them or none. Blocking a blocked seat is no mistake.",
    )
    unblock_seats = mutation(
        resolve.unblock_seats,
        outcome("UnblockSeatsResult", FlightSeats),
        "For staff: let seats be sold again. What is not blocked stays as it is.",
    )
