"""Bookings: who may make, pay, see and cancel one, and what a booking shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from uuid import UUID

import strawberry

from core import ids
from core.errors import NotFound
from core.money import Money
from core.paging import Edge, PageInfo
from core.rows import Reader
from models import (
    Booking,
    BookingLine,
    BookingStatus,
    Hold,
    PassengerTitle,
    PassengerType,
    Payment,
    PriceLineKind,
    SeatAssignment,
    Ticket,
    User,
)
from resolvers import access, loaders
from resolvers.context import Context, Info
from resolvers.flights import FLIGHT_KIND
from resolvers.payments import ShownPayment
from resolvers.travellers import ShownPassenger
from services import bookings, holds, limits
from services.bookings import (
    BookingFilter,
    Contact,
    CreateBooking,
    PassengerDetails,
    SeatChoice,
    TimelineEntry,
)
from services.departures import Departure
from services.extras import ExtraChoice
from services.fares import PriceLine
from services.itineraries import Segment, Slice, direct
from services.travellers import TravelDetails

EXTRAS = "Extras"
"""The line of a price that has all of them, for whoever is not to know which."""

id_of, slot_of = attrgetter("id"), attrgetter("slot_id")


@dataclass(frozen=True, kw_only=True)
class SeatChoiceInput:
    """Which seat of a flight a passenger takes; none, where it is to be chosen later."""

    flight_id: strawberry.ID
    number: str | None = None


@dataclass(frozen=True, kw_only=True)
class ExtraChoiceInput:
    """So many of an extra, on a flight, or for the whole journey."""

    code: str
    flight_id: strawberry.ID | None = None
    quantity: int = 1


@dataclass(frozen=True, kw_only=True)
class PassengerInput:
    """Somebody who travels. An infant takes no seat."""

    type: PassengerType
    title: PassengerTitle | None = None
    first_name: str
    last_name: str
    date_of_birth: date
    seats: list[SeatChoiceInput]
    accompanied_by: int | None = None
    details: TravelDetails | None = None
    extras: Sequence[ExtraChoiceInput] = ()


@dataclass(frozen=True, kw_only=True)
class CreateBookingInput:
    """Make an offer and a hold into a booking that waits for its money."""

    offer_id: strawberry.ID
    hold_id: strawberry.ID
    hold_token: str | None = None
    idempotency_key: str
    contact: Contact
    passengers: list[PassengerInput]
    source: str | None = None
    referral_code: str | None = None


@dataclass(frozen=True)
class ShownBooking:
    """A booking as its reader sees it. `access_token` is told once, to the guest who makes it.

    Whoever only knows the locator and a name does not own it: no contact, nothing to pay with.
    """

    row: Booking
    owned: bool
    access_token: str | None = None
    expires_at: datetime | None = None

    @property
    def id(self) -> UUID:
        """Its key."""
        return self.row.id

    @property
    def pnr(self) -> str:
        """The record locator."""
        return self.row.pnr

    @property
    def status(self) -> BookingStatus:
        """Where it is in its life."""
        return self.row.status

    @property
    def created_at(self) -> datetime:
        """When it was made."""
        return self.row.created_at

    @property
    def total(self) -> Money:
        """What it costs in all."""
        return Money(self.row.total, self.row.currency)

    @property
    def contact(self) -> Contact | None:
        """How to reach whoever made it."""
        return Contact(email=self.row.email, phone=self.row.phone) if self.owned else None


async def create_booking(info: Info, input: CreateBookingInput) -> ShownBooking:
    """Book what the viewer holds."""
    ctx = info.context
    held = await access.hold(ctx.reader, ctx, input.hold_id, input.hold_token)
    row = await bookings.book(ctx.app.database, ctx.app.keyring, command(ctx, held, input))
    token = access.token_for(ctx.app.keyring, access.BOOKING_KIND, row.id) if row.owner_id is None else None
    return await shown(ctx.reader, row, owned=True, access_token=token)


def command(ctx: Context, held: Hold, input: CreateBookingInput) -> CreateBooking:
    """The input in the service's terms."""
    return CreateBooking(
        owner=ctx.owner,
        offer_token=input.offer_id,
        hold_id=held.id,
        contact=input.contact,
        passengers=tuple(traveller(index, one) for index, one in enumerate(input.passengers)),
        idempotency_key=input.idempotency_key,
        source=input.source,
        referral_code=input.referral_code,
    )


def traveller(index: int, one: PassengerInput) -> PassengerDetails:
    """The passenger of that place in the service's terms; raises Invalid (an id)."""
    path = f"passengers.{index}"
    return PassengerDetails(
        type=one.type,
        title=one.title,
        first_name=one.first_name,
        last_name=one.last_name,
        date_of_birth=one.date_of_birth,
        seats=tuple(
            SeatChoice(
                slot_id=ids.number_of(FLIGHT_KIND, seat.flight_id, f"{path}.seats"),
                unit=None if seat.number is None else seat.number.strip().upper(),
            )
            for seat in one.seats
        ),
        accompanied_by=one.accompanied_by,
        details=one.details or TravelDetails(),
        extras=tuple(extra_choice(extra, f"{path}.extras.{place}") for place, extra in enumerate(one.extras)),
    )


def extra_choice(one: ExtraChoiceInput, path: str) -> ExtraChoice:
    """What is chosen, in the service's terms; raises Invalid (the flight's id)."""
    flight_id = one.flight_id
    return ExtraChoice(
        code=one.code.strip().upper(),
        slot_id=None if flight_id is None else ids.number_of(FLIGHT_KIND, flight_id, f"{path}.flightId"),
        quantity=one.quantity,
    )


async def booking(info: Info, id: strawberry.ID, token: str | None = None) -> ShownBooking | None:
    """The viewer's booking, or the one whose token is presented; null where that is nothing."""
    reader = info.context.reader
    with suppress(NotFound):
        return await shown(reader, await access.booking(reader, info.context, id, token, "id"), owned=True)
    return None


async def booking_by_pnr(info: Info, pnr: str, last_name: str) -> ShownBooking | None:
    """The booking with that locator, for whoever knows a passenger's last name; limited, so that nobody tries all."""
    ctx = info.context
    locator = pnr.strip().upper()
    await ctx.app.limiter.hit(limits.PNR_LOOKUP_IP, ctx.ip)
    await ctx.app.limiter.check(limits.PNR_LOOKUP_LOCATOR, locator)
    async with ctx.reading() as session:
        found = await bookings.by_pnr(session, locator, last_name)
        if found is not None:
            return await shown(session, found, owned=False)
    await ctx.app.limiter.hit(limits.PNR_LOOKUP_LOCATOR, locator)
    return None


@dataclass(frozen=True)
class BookingPage:
    """Some of a person's bookings, the newest first."""

    total_count: int
    edges: list[Edge[ShownBooking]]
    page_info: PageInfo


async def my_bookings(
    root: strawberry.Parent[User],
    info: Info,
    status: list[BookingStatus] | None = None,
    departs_from: date | None = None,
    departs_until: date | None = None,
    first: int = 20,
    after: str | None = None,
) -> BookingPage:
    """The bookings of the viewer's account, page by page. Raises Invalid (`first`, `after`)."""
    chosen = BookingFilter(statuses=status, departs_from=departs_from, departs_until=departs_until)
    async with info.context.reading() as session:
        page = await bookings.of_owner(session, root.id, chosen, first, after)
    edges = [
        Edge(one.cursor, ShownBooking(one.node.booking, owned=True, expires_at=one.node.expires_at))
        for one in page.edges
    ]
    return BookingPage(page.total_count, edges, page.page_info)


async def timeline(root: strawberry.Parent[ShownBooking], info: Info) -> list[TimelineEntry] | None:
    """What happened to it; null for whoever does not own it."""
    if not root.owned:
        return None
    async with info.context.reading() as session:
        return await bookings.timeline(session, root.row)


async def passengers(root: strawberry.Parent[ShownBooking], info: Info) -> list[ShownPassenger]:
    """Who travels, in the order in which they were named."""
    return [ShownPassenger(row, root.owned) for row in await info.context.loaders.passengers.load(root.id)]


async def passengers_of_all(roots: Sequence[ShownBooking], info: Info) -> list[list[ShownPassenger]]:
    """The same of many."""
    found = await loaders.PASSENGERS.all(info.context.reader, [root.id for root in roots])
    return [[ShownPassenger(row, root.owned) for row in rows] for root, rows in zip(roots, found, strict=True)]


async def payments(root: strawberry.Parent[ShownBooking], info: Info) -> list[ShownPayment]:
    """Every attempt to pay it, the oldest first."""
    return shown_payments(root, await info.context.loaders.payments.load(root.id))


async def payments_of_all(roots: Sequence[ShownBooking], info: Info) -> list[list[ShownPayment]]:
    """The same of many."""
    found = await loaders.PAYMENTS.all(info.context.reader, [root.id for root in roots])
    return [shown_payments(root, rows) for root, rows in zip(roots, found, strict=True)]


def shown_payments(booking: ShownBooking, rows: Iterable[Payment]) -> list[ShownPayment]:
    """The payments of a booking, as whoever sees the booking sees them."""
    return [ShownPayment(row, booking.owned) for row in rows]


async def booking_of(root: strawberry.Parent[ShownPayment], info: Info) -> ShownBooking:
    """What a payment pays, shown to whoever is shown the payment."""
    return (await bookings_of_all([root], info))[0]


async def bookings_of_all(roots: Sequence[ShownPayment], info: Info) -> list[ShownBooking]:
    """The same of many."""
    return await all_shown(info.context.reader, [(root.row.booking_id, root.owned) for root in roots])


async def lines(root: strawberry.Parent[ShownBooking], info: Info) -> list[PriceLine]:
    """What the total is made of."""
    return shown_lines(root, await info.context.loaders.lines.load(root.id))


async def lines_of_all(roots: Sequence[ShownBooking], info: Info) -> list[list[PriceLine]]:
    """The same of many."""
    found = await loaders.LINES.all(info.context.reader, [root.id for root in roots])
    return [shown_lines(root, rows) for root, rows in zip(roots, found, strict=True)]


def shown_lines(booking: ShownBooking, rows: Iterable[BookingLine]) -> list[PriceLine]:
    """The lines of a booking's price, in its currency; which extras it has is its owner's to know."""
    currency = booking.row.currency
    found = [PriceLine(kind=row.kind, label=row.label, amount=Money(row.amount, currency)) for row in rows]
    return found if booking.owned else without_names(found, currency)


def without_names(found: Iterable[PriceLine], currency: str) -> list[PriceLine]:
    """The same, with all extras in one line behind the others."""
    named: list[PriceLine] = []
    extras: list[PriceLine] = []
    for line in found:
        (extras if line.kind is PriceLineKind.EXTRA else named).append(line)
    if not extras:
        return named
    amount = Money(sum(line.amount.minor_units for line in extras), currency)
    return [*named, PriceLine(kind=PriceLineKind.EXTRA, label=EXTRAS, amount=amount)]


async def slices(root: strawberry.Parent[ShownBooking], info: Info) -> list[Slice]:
    """The flights, in the order of travel."""
    return (await slices_of_all([root], info))[0]


async def slices_of_all(roots: Sequence[ShownBooking], info: Info) -> list[list[Slice]]:
    """The same of many."""
    return await journeys(roots, info, given_up=False)


async def cancelled_slices(root: strawberry.Parent[ShownBooking], info: Info) -> list[Slice]:
    """The flights that were cancelled of it, in the order of travel."""
    return (await cancelled_slices_of_all([root], info))[0]


async def cancelled_slices_of_all(roots: Sequence[ShownBooking], info: Info) -> list[list[Slice]]:
    """The same of many."""
    return await journeys(roots, info, given_up=True)


async def journeys(roots: Sequence[ShownBooking], info: Info, *, given_up: bool) -> list[list[Slice]]:
    """Of each booking the flights that are flown, or those that were cancelled of it."""
    reader = info.context.reader
    found = await loaders.SEGMENTS.all(reader, [root.id for root in roots])
    booked = [[row for row in rows if (row.cancelled_at is not None) == given_up] for rows in found]
    slots = list({row.slot_id for rows in booked for row in rows})
    flights = dict(zip(slots, await loaders.DEPARTURE.all(reader, slots), strict=True)) if slots else {}
    return [
        [
            direct(Segment(flight=flight, cabin=row.cabin, booking_class=row.booking_class))
            for row in rows
            if (flight := flights[row.slot_id]) is not None
        ]
        for rows in booked
    ]


async def seats(root: strawberry.Parent[ShownPassenger], info: Info) -> Sequence[SeatAssignment]:
    """The seats that the passenger has chosen, by flight."""
    return await info.context.loaders.seats.load(root.id)


async def tickets(root: strawberry.Parent[ShownPassenger], info: Info) -> Sequence[Ticket]:
    """The passenger's tickets, one for each flight."""
    return await info.context.loaders.tickets.load(root.id)


async def flight_of(root: strawberry.Parent[SeatAssignment | Ticket], info: Info) -> Departure | None:
    """The flight of a seat or of a ticket."""
    return await info.context.loaders.departure.load(root.slot_id)


seats_of_all = loaders.of_all(loaders.SEATS, id_of)
tickets_of_all = loaders.of_all(loaders.TICKETS, id_of)
flights_of_all = loaders.of_all(loaders.DEPARTURE, slot_of)


async def all_shown(reader: Reader, wanted: Sequence[tuple[UUID, bool]]) -> list[ShownBooking]:
    """Bookings that there are, by their keys, each with whether whoever sees it owns it."""
    found = await bookings.by_ids(reader, {key for key, _ in wanted})
    return [ShownBooking(row, owned, None, ends) for key, owned in wanted for row, ends in (found[key],)]


async def shown(reader: Reader, row: Booking, *, owned: bool, access_token: str | None = None) -> ShownBooking:
    """A booking with its deadline: the hold's, while it waits for its money; null otherwise."""
    waits = row.status in (BookingStatus.SEATS_LOCKED, BookingStatus.PAYMENT_PENDING)
    hold = await holds.by_id(reader, row.hold_id) if waits else None
    return ShownBooking(row, owned, access_token, hold.told_until if hold else None)
