"""A booking comes to be: an offer and a hold, and the people who travel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import insert, select

from core.db import Database, ReadSession, Session
from core.ids import uuid7
from core.keys import Keyring
from core.money import add
from models import (
    Booking,
    BookingLine,
    BookingSegment,
    BookingStatus,
    Flight,
    Hold,
    Passenger,
    PassengerType,
    SeatAssignment,
)
from services import holds, idempotency, locators, offers
from services.bookings import rows, rules
from services.bookings.rules import CreateBooking, PassengerDetails
from services.fares import PriceLine
from services.holds import ClassClosed
from services.offers import Offer, OfferSegment, PriceChanged
from services.transitions import Cause


async def book(db: Database, keyring: Keyring, command: CreateBooking) -> Booking:
    """Make a booking as `create` does; owns its transactions.

    A booking class that seems closed is relieved of its expired holds, which must not happen while this booking's own
    claims are locked, and asked once more. One that is closed: PriceChanged, with the next class that is open.
    """
    try:
        async with db.transaction() as session:
            return await create(session, keyring, command)
    except ClassClosed as refusal:
        async with db.transaction() as session:
            await holds.expire_due_in(session, refusal.pools)
    try:
        async with db.transaction() as session:
            return await create(session, keyring, command)
    except ClassClosed:
        async with db.transaction() as session:
            renewed = await offers.in_open_classes(session, keyring, offers.read(keyring, command.offer_token))
        raise PriceChanged("The booking class of this offer is sold out.", renewed) from None


async def create(session: Session, keyring: Keyring, command: CreateBooking) -> Booking:
    """Book an offer with the seats of a hold: the booking has its locator, its price, and waits for its money.

    From here on the hold is the booking's, and the offer's booking classes count what it keeps. The same key again: the
    booking that came of it. Whether the hold is the owner's to book has been checked before. Raises Invalid and
    Conflict as `rules.py` tells, INVALID_OFFER, offers.PriceChanged, NotFound (the hold), holds.HoldExpired,
    HOLD_BOOKED, holds.ClassClosed, idempotency.KeyReused; nothing changes.
    """
    rules.check_words(command)
    offer = offers.read(keyring, command.offer_token)
    booking_id = uuid7()
    known = await idempotency.claim(
        session, command.owner.key, "createBooking", command.idempotency_key, fingerprint(command), booking_id
    )
    if known is not None:
        return await session.get_one(Booking, known)
    rules.check_party(command.passengers, offer.party)
    await offers.check(session, keyring, offer)
    rules.check_ages(command.passengers, await day_of_travel(session, offer))
    hold = await give_hold(session, command.hold_id, booking_id)
    items = await holds.items(session, hold.id)
    held = {(item.slot_id, unit): item.pool for item in items for unit in item.units}
    unseated = {(item.slot_id, item.pool): item.quantity - len(item.units) for item in items}
    rules.check_seats(command.passengers, {one.slot_id: one.cabin for one in offer.segments}, held, unseated)
    lines = [*offer.lines, *await offers.seat_lines(session, held)]
    booking = await write_booking(session, command, booking_id, lines, offer.currency)
    await write_parts(session, command.passengers, booking_id, offer, lines)
    await rows.move(session, booking, BookingStatus.SEATS_LOCKED, Cause(actor=command.owner.key, reason="seats held"))
    await holds.assign_classes(session, hold, {one.slot_id: one.booking_class for one in offer.segments})
    return booking


def fingerprint(command: CreateBooking) -> bytes:
    """What makes two requests the same."""
    parts = (command.offer_token, command.hold_id, command.contact, command.passengers)
    return idempotency.fingerprint([*parts, command.source, command.referral_code])


async def day_of_travel(session: ReadSession, offer: Offer) -> date:
    """The local date at the origin on which the journey begins."""
    chosen = select(Flight.local_date).where(Flight.slot_id == offer.segments[0].slot_id)
    day: date = (await session.execute(chosen)).scalar_one()
    return day


async def give_hold(session: Session, hold_id: UUID, booking_id: UUID) -> Hold:
    """Lock the hold, and give it to the booking."""
    hold = await holds.lock(session, hold_id)
    await holds.attach(session, hold, booking_id)
    return hold


async def write_booking(
    session: Session, command: CreateBooking, booking_id: UUID, lines: Sequence[PriceLine], currency: str
) -> Booking:
    """The booking's own row, INITIATED, with its locator and its total."""
    phone = command.contact.phone
    booking = Booking(
        id=booking_id,
        pnr=await locators.draw(session, booking_id),
        owner_id=command.owner.user_id,
        hold_id=command.hold_id,
        email=command.contact.email.strip(),
        phone=None if phone is None else rules.bare_phone(phone),
        total=add((line.amount for line in lines), currency).minor_units,
        currency=currency,
        source=command.source,
        referral_code=command.referral_code,
        created_at=await holds.now(session),
    )
    await rows.begin(session, booking, Cause(actor=command.owner.key, reason="booked"))
    return booking


async def write_parts(
    session: Session,
    passengers: Sequence[PassengerDetails],
    booking_id: UUID,
    offer: Offer,
    lines: Sequence[PriceLine],
) -> None:
    """Everything that hangs on the booking: price lines, flights, passengers and their places, one statement each."""
    ids = [uuid7() for _ in passengers]
    await session.execute(insert(BookingLine), [line_row(booking_id, *one) for one in enumerate(lines)])
    await session.execute(
        insert(BookingSegment),
        [
            {
                "booking_id": booking_id,
                "ordinal": ordinal,
                "slot_id": segment.slot_id,
                "cabin": segment.cabin,
                "booking_class": segment.booking_class,
                "family_code": segment.family_code,
            }
            for ordinal, segment in enumerate(offer.segments)
        ],
    )
    await session.execute(
        insert(Passenger),
        [passenger_row(id_, booking_id, *one) for id_, one in zip(ids, enumerate(passengers), strict=True)],
    )
    places = [
        place_row(id_, passenger, segment)
        for id_, passenger in zip(ids, passengers, strict=True)
        if passenger.type is not PassengerType.INFANT
        for segment in offer.segments
    ]
    await session.execute(insert(SeatAssignment), places)


def place_row(id_: UUID, passenger: PassengerDetails, segment: OfferSegment) -> dict[str, object]:
    """A passenger's place on a flight as a row, with the seat that they chose there, if any."""
    units = {seat.slot_id: seat.unit for seat in passenger.seats}
    return {
        "passenger_id": id_,
        "slot_id": segment.slot_id,
        "pool": segment.cabin,
        "unit": units.get(segment.slot_id),
    }


def line_row(booking_id: UUID, ordinal: int, line: PriceLine) -> dict[str, object]:
    """A price line as a row."""
    return {
        "booking_id": booking_id,
        "ordinal": ordinal,
        "kind": line.kind,
        "label": line.label,
        "amount": line.amount.minor_units,
    }


def passenger_row(id_: UUID, booking_id: UUID, ordinal: int, passenger: PassengerDetails) -> dict[str, object]:
    """A passenger as a row; names are kept as `rules.tidy` leaves them."""
    return {
        "id": id_,
        "booking_id": booking_id,
        "ordinal": ordinal,
        "type": passenger.type,
        "title": passenger.title,
        "first_name": rules.tidy(passenger.first_name),
        "last_name": rules.tidy(passenger.last_name),
        "date_of_birth": passenger.date_of_birth,
    }
