"""Inventory, as staff see and change it."""

from __future__ import annotations

import strawberry

from engine.limits import cost
from models import Cabin
from resolvers import inventory as resolve
from schema.costs import LOOKING_UP
from schema.flights import Flight
from schema.live import SeatState
from schema.nodes import rows_of
from schema.problems import NotAuthorised, SeatsTaken, mutation, outcome

strawberry.input(resolve.BlockSeatsInput, description="Seats of a flight to keep from sale, and why.")
strawberry.input(resolve.UnblockSeatsInput, description="Seats of a flight to let be sold again, and why.")
strawberry.input(
    resolve.AuthoriseSeatsInput, description="How many seats of a cabin may be held and sold together, and why."
)
strawberry.input(
    resolve.SetOverbookingInput, description="How many more seats than a cabin has may be authorised, and why."
)
strawberry.input(
    resolve.LimitBookingClassInput,
    description="How many seats a booking class and those below it may hold and sell together, and why.",
)


@strawberry.type(description="Some seats of a flight, as they are now.")
class FlightSeats:
    """`resolvers.inventory.FlightSeats`."""

    is_type_of = rows_of(resolve.FlightSeats)

    flight = strawberry.field(resolver=resolve.flight_of, graphql_type=Flight, description="The flight.")
    seats: list[SeatState] = strawberry.field(description="In the order of reading.")


@strawberry.type(description="A booking class of a cabin. Classes are nested: each counts with all that lie below it.")
class BookingClass:
    """`resolvers.inventory.BookingClass`."""

    is_type_of = rows_of(resolve.BookingClass)

    code: str = strawberry.field(description="One letter: Y.")
    limit: int = strawberry.field(description="The most that it and the classes below it hold and sell together.")
    held: int = strawberry.field(description="Held in this class alone.")
    sold: int = strawberry.field(description="Sold in this class alone.")
    left: int = strawberry.field(description="How many more may be sold in it.")


@strawberry.type(description="What may be sold of a cabin of a flight, and what is, as it is now.")
class CabinInventory:
    """`resolvers.inventory.CabinInventory`."""

    is_type_of = rows_of(resolve.CabinInventory)

    flight = strawberry.field(resolver=resolve.flight_of, graphql_type=Flight, description="The flight.")
    cabin: Cabin = strawberry.field(description="The cabin.")
    capacity: int = strawberry.field(description="How many seats it has.")
    overbooking: int = strawberry.field(description="How many more than that may be authorised.")
    authorised: int = strawberry.field(description="How many may be held and sold together.")
    blocked: int = strawberry.field(description="How many seats staff keep from sale.")
    held: int = strawberry.field(description="How many are held.")
    sold: int = strawberry.field(description="How many are sold.")
    left: int = strawberry.field(description="How many more may be sold: authorised, less blocked, held and sold.")
    booking_classes: list[BookingClass] = strawberry.field(description="The highest first; empty where it has none.")


@strawberry.type
class InventoryQueries:
    """What staff see of inventory."""

    flight_inventory = strawberry.field(
        resolver=resolve.flight_inventory,
        graphql_type=list[CabinInventory] | None,
        description="For staff: what may be sold of each cabin of a flight, from front to back.",
        directives=[cost(LOOKING_UP)],
    )


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
    authorise_seats = mutation(
        resolve.authorise_seats,
        outcome("AuthoriseSeatsResult", CabinInventory, NotAuthorised),
        "For staff: set how many seats of a cabin may be held and sold together. The same again is no mistake.",
    )
    set_overbooking = mutation(
        resolve.set_overbooking,
        outcome("SetOverbookingResult", CabinInventory, NotAuthorised),
        "For staff: set how many more seats than a cabin has may be authorised. It puts none of them on sale.",
    )
    limit_booking_class = mutation(
        resolve.limit_booking_class,
        outcome("LimitBookingClassResult", CabinInventory, NotAuthorised),
        "For staff: limit a booking class with those below it; 0 closes them. Nothing that is sold is taken back.",
    )
