"""Bookings, passengers and tickets, as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, cast

import strawberry

from engine.execution import batched, pure
from engine.limits import cost, list_size
from models import BookingStatus, PassengerTitle, PassengerType, TicketStatus
from models import SeatAssignment as SeatRow
from resolvers import amendments as amending
from resolvers import bookings as resolve
from resolvers import extras as resolve_extras
from resolvers import shares as resolve_shares
from resolvers import travellers
from resolvers.bookings import ShownBooking
from resolvers.papers import papers_of
from resolvers.travellers import ShownPassenger
from schema.amendments import Amendment
from schema.costs import LOOKING_UP, READING
from schema.extras import FlightExtras, PassengerExtra
from schema.flights import Flight
from schema.itineraries import PriceLine, Slice
from schema.nodes import Money, Node, id_of, rows_of
from schema.paging import PageInfo
from schema.papers import Paper
from schema.payments import Payment
from schema.problems import ExtraSoldOut, HoldExpired, PriceChanged, mutation, outcome
from schema.shares import Share
from schema.travellers import TravelDetails
from services.bookings import Contact as ContactRow
from services.bookings import TimelineActor, TimelineSubject
from services.travellers import Missing

strawberry.enum(BookingStatus, description="The life of a booking.")
strawberry.enum(PassengerType, description="By age on the day of travel; an infant sits on a lap.")
strawberry.enum(TicketStatus, description="What a ticket is still good for.")

strawberry.input(resolve.SeatChoiceInput, description="Which seat of a flight a passenger takes, if any yet.")
strawberry.input(resolve.ExtraChoiceInput, description="So many of an extra, on a flight or for the whole journey.")
strawberry.input(resolve.PassengerInput, description="Somebody who travels. An infant takes no seat.")
strawberry.input(ContactRow, name="ContactInput", description="How to reach whoever books.")
strawberry.input(
    resolve.CreateBookingInput,
    description="An offer and a hold that become a booking. A guest's idempotency key is a random UUID (version 4).",
)


@strawberry.type(description="How to reach whoever booked.")
class Contact:
    """`services.bookings.Contact`."""

    email: str = strawberry.field(description="Where confirmations go.")
    phone: str | None = strawberry.field(description="In international form.")


@pure
def seat_number(root: strawberry.Parent[SeatRow]) -> str:
    """The unit. Seats that are to be chosen later are not listed."""
    return cast("str", root.unit)


@strawberry.type(description="A passenger's seat on one flight.")
class SeatAssignment:
    """`models.SeatAssignment`."""

    flight = strawberry.field(
        resolver=batched(resolve.flights_of_all)(resolve.flight_of), graphql_type=Flight, description="The flight."
    )
    number = strawberry.field(resolver=seat_number, graphql_type=str, description="The seat: 12A.")


@strawberry.type(description="An electronic ticket, for one passenger and one flight.")
class Ticket:
    """`models.Ticket`."""

    number: str = strawberry.field(description="Thirteen digits: the airline's accounting code and a serial number.")
    status: TicketStatus = strawberry.field(description="What it is good for.")
    flight = strawberry.field(
        resolver=batched(resolve.flights_of_all)(resolve.flight_of), graphql_type=Flight, description="The flight."
    )


@strawberry.type(description="Somebody who travels.")
class Passenger:
    """`resolvers.travellers.ShownPassenger`."""

    is_type_of = rows_of(ShownPassenger)

    id = id_of("Passenger")
    type: PassengerType = strawberry.field(description="Adult, child or infant.")
    title: PassengerTitle | None = strawberry.field(description="How they are addressed.")
    first_name: str = strawberry.field(description="Given names.")
    last_name: str = strawberry.field(description="Surname.")
    cancelled_at: datetime | None = strawberry.field(
        description="When they left the booking, which was cancelled in part; null for whoever travels."
    )
    seats = strawberry.field(
        resolver=batched(resolve.seats_of_all)(resolve.seats),
        graphql_type=list[SeatAssignment],
        description="Those chosen, by flight.",
    )
    tickets = strawberry.field(
        resolver=batched(resolve.tickets_of_all)(resolve.tickets),
        graphql_type=list[Ticket],
        description="One for each flight, once it is paid for.",
    )
    accompanied_by = strawberry.field(
        resolver=batched(travellers.accompanied_by_of_all)(travellers.accompanied_by),
        graphql_type=Annotated["Passenger", strawberry.lazy("schema.bookings")] | None,
        description="On whose lap an infant sits.",
        directives=[cost(LOOKING_UP)],
    )
    extras = strawberry.field(
        resolver=batched(resolve_extras.owned_by_all)(resolve_extras.owned),
        graphql_type=list[PassengerExtra],
        description="What they have beside the seat, or had, in the order of ordering; for the owner alone.",
        directives=[list_size(4)],
    )
    details = strawberry.field(
        resolver=batched(travellers.details_of_all)(travellers.details),
        graphql_type=TravelDetails | None,
        description="What is known of them beside the name; for the owner alone.",
        directives=[cost(LOOKING_UP)],
    )
    missing = strawberry.field(
        resolver=batched(travellers.missing_of_all)(travellers.missing),
        graphql_type=list[Missing] | None,
        description="What must still be told before they check in; for the owner alone.",
        directives=[cost(LOOKING_UP)],
    )


strawberry.enum(TimelineSubject, description="Of what a line of a booking's timeline tells.")
strawberry.enum(TimelineActor, description="Who caused a line of a booking's timeline.")


@strawberry.type(description="A change of status of a booking, or of something that belongs to it.")
class TimelineEntry:
    """`services.bookings.TimelineEntry`."""

    at: datetime = strawberry.field(description="When.")
    subject: TimelineSubject = strawberry.field(description="Of what.")
    key: str | None = strawberry.field(description="The ticket's number, where it is one.")
    came_from: str | None = strawberry.field(description="Its status before; null where it came to be.")
    to: str = strawberry.field(description="Its status since.")
    actor: TimelineActor = strawberry.field(description="Who caused it.")


@strawberry.type(description="What somebody bought, or is about to buy.")
class Booking(Node):
    """`resolvers.bookings.ShownBooking`."""

    is_type_of = rows_of(ShownBooking)

    id = id_of("Booking")
    pnr: str = strawberry.field(description="The record locator: six characters that people read to each other.")
    status: BookingStatus = strawberry.field(description="Where it is in its life.")
    expires_at: datetime | None = strawberry.field(description="Pay until then; null once that does not matter.")
    created_at: datetime = strawberry.field(description="When it was made.")
    total: Money = strawberry.field(description="What it costs in all.")
    lines = strawberry.field(
        resolver=batched(resolve.lines_of_all)(resolve.lines),
        graphql_type=list[PriceLine],
        description="They add up to the total; by record locator extras are one line, without their names.",
    )
    contact: Contact | None = strawberry.field(description="For the owner alone; null by record locator.")
    passengers = strawberry.field(
        resolver=batched(resolve.passengers_of_all)(resolve.passengers),
        graphql_type=list[Passenger],
        description="Who travels.",
    )
    payments = strawberry.field(
        resolver=batched(resolve.payments_of_all)(resolve.payments),
        graphql_type=list[Payment],
        description="The attempts to pay it: all that are under way or taken, and the latest of the others.",
        directives=[list_size(30)],
    )
    shares = strawberry.field(
        resolver=batched(resolve_shares.shares_of_all)(resolve_shares.shares),
        graphql_type=list[Share] | None,
        description="Who pays which part of the price, where it is split; for the owner alone.",
    )
    slices = strawberry.field(
        resolver=batched(resolve.slices_of_all)(resolve.slices),
        graphql_type=list[Slice],
        description="The journeys, in the order of travel.",
    )
    cancelled_slices = strawberry.field(
        resolver=batched(resolve.cancelled_slices_of_all)(resolve.cancelled_slices),
        graphql_type=list[Slice],
        description="Journeys that were cancelled while the rest of the booking was not.",
        directives=[list_size(2)],
    )
    amendments = strawberry.field(
        resolver=batched(amending.of_all_bookings)(amending.of_booking),
        graphql_type=list[Amendment] | None,
        description="The changes that were made, and the latest of those that were not; for the owner alone.",
        directives=[list_size(20)],
    )
    extras_offered = strawberry.field(
        resolver=resolve_extras.still_offered,
        graphql_type=list[FlightExtras] | None,
        description="What its passengers may still add, flight by flight, and what their fare includes.",
        directives=[cost(LOOKING_UP), list_size(2)],
    )
    timeline = strawberry.field(
        resolver=resolve.timeline,
        graphql_type=list[TimelineEntry] | None,
        description="Everything that happened to it, in order; for the owner alone.",
        directives=[cost(READING)],
    )
    papers = strawberry.field(
        resolver=papers_of,
        graphql_type=list[Paper] | None,
        description="What there is of it to print, the e-ticket and the receipt; for the owner alone.",
        directives=[cost(LOOKING_UP)],
    )
    access_token: str | None = strawberry.field(
        description="Told once, to the guest who makes the booking: it pays, changes and cancels it."
    )


@strawberry.type(description="A booking in a list.")
class BookingEdge:
    """`core.paging.Edge`."""

    cursor: str = strawberry.field(description="Go on behind it.")
    node: Booking = strawberry.field(description="The booking.")


@strawberry.type(description="A page of bookings.")
class BookingConnection:
    """`resolvers.bookings.BookingPage`."""

    total_count: int = strawberry.field(description="How many there are on all pages.")
    edges: list[BookingEdge] = strawberry.field(description="The bookings of this page, the newest first.")
    page_info: PageInfo = strawberry.field(description="Whether more follows.")


@strawberry.type
class BookingMutations:
    """What is done with bookings."""

    create_booking = mutation(
        resolve.create_booking,
        outcome("CreateBookingResult", Booking, PriceChanged, HoldExpired, ExtraSoldOut),
        "Make an offer and a hold into a booking that waits for its money.",
    )
    split_payment = mutation(
        resolve_shares.split_payment,
        outcome("SplitPaymentResult", Booking, HoldExpired),
        "Split the price among several payers. Until somebody pays it may be split anew: old links are dead then.",
    )
    update_passenger = mutation(
        travellers.update_passenger,
        outcome("UpdatePassengerResult", Passenger),
        "Tell details of a passenger, or take them back, until they check in. Names are changed by quote.",
    )
