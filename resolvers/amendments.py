"""Changes of bookings: who may quote and confirm one, and what one shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry

from core import ids
from core.db import ReadSession
from core.errors import Invalid
from core.money import Money
from models import Amendment, AmendmentKind, AmendmentStatus, PassengerTitle
from resolvers import access, bookings, loaders
from resolvers.bookings import ExtraChoiceInput, ShownBooking, extra_choice
from resolvers.context import Context, Info
from resolvers.flights import FLIGHT_KIND
from resolvers.payments import ShownPayment
from resolvers.travellers import PASSENGER_KIND
from services import amendments, limits
from services.amendments import AddExtras, ChangeFlights, ChangeSeats, CorrectName, GiveUpExtras, SeatWish, Wish
from services.amendments.rows import read
from services.extras import ExtraChoice
from services.fares import PriceLine

AMENDMENT_KIND = "Amendment"
EXTRA_KIND = "PassengerExtra"


@dataclass(frozen=True, kw_only=True)
class SeatOfPassengerInput:
    """The seat that a passenger is to have on a flight."""

    passenger_id: strawberry.ID
    flight_id: strawberry.ID
    number: str


@dataclass(frozen=True, kw_only=True)
class ChangeFlightsInput:
    """Other flights: an offer, and a hold of places on its flights for everybody, instead of those of `replaces`; of
    all, where none is named. Whoever is not in `seats` gets a place that the hold keeps without a seat."""

    offer_id: strawberry.ID
    hold_id: strawberry.ID
    hold_token: str | None = None
    replaces: list[strawberry.ID] | None = None
    seats: list[SeatOfPassengerInput]


@dataclass(frozen=True, kw_only=True)
class ChangeSeatsInput:
    """Other seats on flights that are booked, which a hold keeps."""

    hold_id: strawberry.ID
    hold_token: str | None = None
    seats: list[SeatOfPassengerInput]


@dataclass(frozen=True, kw_only=True)
class CorrectNameInput:
    """What a passenger is called, as it should be; leave out what is right."""

    passenger_id: strawberry.ID
    title: PassengerTitle | None = None
    first_name: str | None = None
    last_name: str | None = None
    date_of_birth: date | None = None


@dataclass(frozen=True, kw_only=True)
class AddExtraInput:
    """So many of an extra for a passenger, on a flight, or for the whole journey."""

    passenger_id: strawberry.ID
    code: str
    flight_id: strawberry.ID | None = None
    quantity: int = 1


@dataclass(frozen=True, kw_only=True)
class QuoteChangeInput:
    """Ask what a change of a booking would come to: of flights, of seats, of a name, or of extras, more or fewer."""

    booking_id: strawberry.ID
    booking_token: str | None = None
    flights: ChangeFlightsInput | None = None
    seats: ChangeSeatsInput | None = None
    name: CorrectNameInput | None = None
    extras: list[AddExtraInput] | None = None
    give_up_extras: list[strawberry.ID] | None = None


@dataclass(frozen=True, kw_only=True)
class ConfirmChangeInput:
    """Have a booking changed as quoted; with a method of the gateway's for what is due, if anything is."""

    quote_id: strawberry.ID
    booking_token: str | None = None
    payment_method: str | None = None
    return_url: str | None = None
    idempotency_key: str


@dataclass(frozen=True)
class Told:
    """One thing that a change changes, in words."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class ShownAmendment:
    """A change of a booking, as the booking's owner sees it."""

    row: Amendment

    @property
    def id(self) -> UUID:
        """Its key."""
        return self.row.id

    @property
    def kind(self) -> AmendmentKind:
        """What is changed."""
        return self.row.kind

    @property
    def status(self) -> AmendmentStatus:
        """Where it is in its life."""
        return self.row.status

    @property
    def created_at(self) -> datetime:
        """When it was quoted."""
        return self.row.created_at

    @property
    def expires_at(self) -> datetime | None:
        """Confirm it until then; None once that does not matter."""
        return self.row.expires_at if self.row.status is AmendmentStatus.QUOTED else None

    @property
    def reason(self) -> str:
        """By which rules, in words."""
        return self.row.reason

    @property
    def changes(self) -> list[Told]:
        """What it changes, in words."""
        return [Told(*one) for one in self.row.change["told"]]

    @property
    def removed(self) -> list[PriceLine]:
        """The lines that leave the price."""
        return self._lines(self.row.removed)

    @property
    def added(self) -> list[PriceLine]:
        """The lines that join the price."""
        return self._lines(self.row.added)

    @property
    def difference(self) -> Money:
        """The new price less the old one."""
        return Money(self.row.difference, self.row.currency)

    @property
    def penalty(self) -> Money:
        """What is kept beside the price."""
        return Money(self.row.penalty, self.row.currency)

    @property
    def due(self) -> Money:
        """What is to be paid, or, less than nothing, goes back."""
        return Money(self.row.due, self.row.currency)

    def _lines(self, lines: Iterable[dict[str, Any]]) -> list[PriceLine]:
        return [one.line for one in read(lines, self.row.currency)]


async def quote_change(info: Info, input: QuoteChangeInput) -> ShownAmendment:
    """What the change would come to."""
    ctx = info.context
    await ctx.app.limiter.hit(limits.CHANGE_QUOTES, input.booking_id)
    async with ctx.transaction() as session:
        found = await access.booking(session, ctx, input.booking_id, input.booking_token)
        wish = await wish_of(session, ctx, input)
        cause = ctx.cause("asked what a change would come to")
        return ShownAmendment(await amendments.quote(session, ctx.app.keyring, found, wish, cause))


async def wish_of(session: ReadSession, ctx: Context, input: QuoteChangeInput) -> Wish:
    """The input in the service's terms. Raises Invalid unless one thing is to be changed, and as `access.hold` does."""
    match input.flights, input.seats, input.name, input.extras, input.give_up_extras:
        case ChangeFlightsInput() as asked, None, None, None, None:
            hold = await access.hold(session, ctx, asked.hold_id, asked.hold_token, "flights.holdId")
            return ChangeFlights(
                offer_token=asked.offer_id,
                hold_id=hold.id,
                replaces=tuple(ids.number_of(FLIGHT_KIND, one, "flights.replaces") for one in asked.replaces or ()),
                seats=seats_of(asked.seats, "flights.seats"),
            )
        case None, ChangeSeatsInput() as asked, None, None, None:
            hold = await access.hold(session, ctx, asked.hold_id, asked.hold_token, "seats.holdId")
            return ChangeSeats(hold_id=hold.id, seats=seats_of(asked.seats, "seats.seats"))
        case None, None, CorrectNameInput() as asked, None, None:
            return CorrectName(
                passenger_id=ids.uuid_of(PASSENGER_KIND, asked.passenger_id, "name.passengerId"),
                title=asked.title,
                first_name=asked.first_name,
                last_name=asked.last_name,
                date_of_birth=asked.date_of_birth,
            )
        case None, None, None, list() as wanted, None:
            return AddExtras(choices=tuple(extra_of(one, index) for index, one in enumerate(wanted)))
        case None, None, None, None, list() as unwanted:
            return GiveUpExtras(ids=tuple(ids.uuid_of(EXTRA_KIND, one, "giveUpExtras") for one in unwanted))
        case _:
            raise Invalid("Change flights, seats, a name or extras: one of them at a time.", field="bookingId")


def extra_of(one: AddExtraInput, index: int) -> tuple[UUID, ExtraChoice]:
    """What a passenger is to have more, in the service's terms; raises Invalid (an id)."""
    asked = ExtraChoiceInput(code=one.code, flight_id=one.flight_id, quantity=one.quantity)
    passenger = ids.uuid_of(PASSENGER_KIND, one.passenger_id, f"extras.{index}.passengerId")
    return passenger, extra_choice(asked, f"extras.{index}")


def seats_of(seats: Sequence[SeatOfPassengerInput], field: str) -> tuple[SeatWish, ...]:
    """Seats of passengers in the service's terms."""
    return tuple(
        SeatWish(
            passenger_id=ids.uuid_of(PASSENGER_KIND, one.passenger_id, field),
            slot_id=ids.number_of(FLIGHT_KIND, one.flight_id, field),
            unit=one.number.strip().upper(),
        )
        for one in seats
    )


async def confirm_change(info: Info, input: ConfirmChangeInput) -> ShownAmendment:
    """Change as quoted: at once, or once what is due is paid."""
    ctx = info.context
    quote_id = ids.uuid_of(AMENDMENT_KIND, input.quote_id, "quoteId")
    async with ctx.reading() as session:
        found = await access.quoted_booking(session, ctx, Amendment, quote_id, input.booking_token)
    row = await amendments.confirm(
        ctx.app.database,
        ctx.app.gateways,
        quote_id=quote_id,
        booking_id=found.id,
        method=input.payment_method,
        return_url=input.return_url,
        owner=ctx.owner,
        key=input.idempotency_key,
        payer=ctx.payer(found.email),
    )
    return ShownAmendment(row)


async def payment(root: strawberry.Parent[ShownAmendment], info: Info) -> ShownPayment | None:
    """The last attempt to pay it."""
    return (await payments_of_all([root], info))[0]


async def payments_of_all(roots: Sequence[ShownAmendment], info: Info) -> list[ShownPayment | None]:
    """The same of many."""
    found = await loaders.AMENDMENT_PAYMENTS.all(info.context.reader, [root.id for root in roots])
    return [ShownPayment(rows[-1], owned=True) if rows else None for rows in found]


async def booking_of(root: strawberry.Parent[ShownAmendment], info: Info) -> ShownBooking:
    """The booking as it is now."""
    return (await bookings_of_all([root], info))[0]


async def bookings_of_all(roots: Sequence[ShownAmendment], info: Info) -> list[ShownBooking]:
    """The same of many."""
    return await bookings.all_shown(info.context.reader, [(root.row.booking_id, True) for root in roots])


async def of_booking(root: strawberry.Parent[ShownBooking], info: Info) -> list[ShownAmendment] | None:
    """Every change of a booking; null for whoever does not own it."""
    return (await of_all_bookings([root], info))[0]


async def of_all_bookings(roots: Sequence[ShownBooking], info: Info) -> list[list[ShownAmendment] | None]:
    """The same of many."""
    found = await loaders.AMENDMENTS.all(info.context.reader, [root.id for root in roots])
    return [
        [ShownAmendment(row) for row in rows] if root.owned else None for root, rows in zip(roots, found, strict=True)
    ]
