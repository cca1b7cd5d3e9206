"""A booking in some state, what a client knows of it, and what that client sends with each mutation of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.ids import global_id, uuid7
from core.keys import Keyring
from models import Booking, PassengerType
from resolvers.access import token_for
from services import bookings
from services.bookings import links
from services.offers import Offer
from tests.factories.bookings import traveller
from tests.factories.states import BACK, STATES, Road
from tests.fakes.clients import key


@dataclass(frozen=True)
class Case:
    """A booking in some state, and what a client knows of it; `key` is the one that it was made with."""

    booking: Booking
    token: str
    hold_token: str
    offer: Offer
    quote: str
    key: str
    passenger: str
    link: str
    linked: links.Link
    change: str
    payment: str

    @property
    def id(self) -> str:
        return global_id("Booking", self.booking.id)

    @property
    def hold(self) -> str:
        return global_id("Hold", self.booking.hold_id)


async def case_in(road: Road, state: str) -> Case:
    """A booking that was brought into that state; its quote was made while it could still be cancelled unpaid."""
    used = key()
    adult = traveller(road.desk.schedule, PassengerType.ADULT, "Lovelace", "3A")
    offer, held = await road.desk.offer(), await road.desk.hold("3A")
    booking = await road.desk.create(road.desk.command(offer, held, adult, key_=used))
    async with road.desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
        link = await links.create(session, booking.id, None)
        ada = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id][0].id
    await STATES[state][0](road, booking)
    keyring: Keyring = road.desk.keyring
    return Case(
        booking=booking,
        token=token_for(keyring, "Booking", booking.id),
        hold_token=token_for(keyring, "Hold", booking.hold_id),
        offer=offer,
        quote=global_id("CancellationQuote", quote.id),
        key=used,
        passenger=global_id("Passenger", ada),
        link=links.sign(keyring, link),
        linked=link,
        change=global_id("Amendment", (road.changes or [uuid7()])[0]),
        payment=global_id("Payment", await payment_of(road, booking)),
    )


async def payment_of(road: Road, booking: Booking) -> UUID:
    """The key of its payment, or one that nothing has."""
    async with road.desk.database.reading() as session:
        paid = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
    return paid[0].id if paid else uuid7()


def create_booking(case: Case) -> dict[str, Any]:
    ada = {"type": "ADULT", "firstName": "Ada", "lastName": "Lovelace", "dateOfBirth": "1990-12-10"}
    seat = {"flightId": global_id("Flight", case.offer.segments[0].slot_id), "number": "3A"}
    return {
        "offerId": case.offer.id,
        "holdId": case.hold,
        "holdToken": case.hold_token,
        "contact": {"email": "ada@example.org"},
        "passengers": [{**ada, "seats": [seat]}],
        "idempotencyKey": key(),
    }


def pay_booking(case: Case) -> dict[str, Any]:
    return owned(case) | {"paymentMethod": "pm_card_visa", "returnUrl": BACK, "idempotencyKey": key()}


def owned(case: Case) -> dict[str, Any]:
    return {"bookingId": case.id, "bookingToken": case.token}


def cancel_booking(case: Case) -> dict[str, Any]:
    return {"quoteId": case.quote, "bookingToken": case.token, "idempotencyKey": key()}


def extend_hold(case: Case) -> dict[str, Any]:
    return {"holdId": case.hold, "token": case.hold_token, "idempotencyKey": key()}


def release_hold(case: Case) -> dict[str, Any]:
    return {"holdId": case.hold, "token": case.hold_token}


def split_payment(case: Case) -> dict[str, Any]:
    return owned(case) | {"equally": 2, "idempotencyKey": key()}


def pay_by_link(case: Case) -> dict[str, Any]:
    return {"token": case.link, "paymentMethod": "pm_card_visa", "returnUrl": BACK, "idempotencyKey": key()}


def update_passenger(case: Case) -> dict[str, Any]:
    return owned(case) | {"passengerId": case.passenger, "meal": "VGML"}


def quote_change(case: Case) -> dict[str, Any]:
    return owned(case) | {"name": {"passengerId": case.passenger, "firstName": "Adda"}}


def confirm_change(case: Case) -> dict[str, Any]:
    return {"quoteId": case.change, "bookingToken": case.token, "idempotencyKey": key()}


def decide(case: Case) -> dict[str, Any]:
    return {"paymentId": case.payment, "reason": "known to us"}
