"""A booking comes to be: an offer and a hold, and the people who travel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from core.db import Database, ReadSession, Session, dump_json
from core.ids import uuid7
from core.keys import Keyring
from core.money import add
from models import (
    Booking,
    BookingStatus,
    Flight,
    Hold,
    PassengerType,
)
from services import holds, idempotency, locators, offers
from services.bookings import rows, rules
from services.bookings.rules import CreateBooking, PassengerDetails
from services.holds import ClassClosed
from services.offers import Charged, Offer, OfferSegment, PriceChanged
from services.transitions import Cause

PARTS = """
    WITH lines AS (
        INSERT INTO booking_lines (booking_id, ordinal, kind, label, amount, slot_id, unit)
        SELECT $1::uuid, ordinal, kind, label, amount, slot_id, unit
        FROM jsonb_to_recordset($2::jsonb)
             AS line (ordinal smallint, kind text, label text, amount bigint, slot_id bigint, unit text)
    ), segments AS (
        INSERT INTO booking_segments (booking_id, ordinal, slot_id, cabin, booking_class, family_code)
        SELECT $1::uuid, ordinal, slot_id, cabin, booking_class, family_code
        FROM jsonb_to_recordset($3::jsonb)
             AS segment (ordinal smallint, slot_id bigint, cabin text, booking_class text, family_code text)
    ), people AS (
        INSERT INTO passengers (id, booking_id, ordinal, type, title, first_name, last_name, date_of_birth)
        SELECT id, $1::uuid, ordinal, type, title, first_name, last_name, date_of_birth
        FROM jsonb_to_recordset($4::jsonb)
             AS one (id uuid, ordinal smallint, type text, title text, first_name text, last_name text,
                     date_of_birth date)
    )
    INSERT INTO seat_assignments (passenger_id, slot_id, pool, unit)
    SELECT passenger_id, slot_id, pool, unit
    FROM jsonb_to_recordset($5::jsonb) AS place (passenger_id uuid, slot_id bigint, pool text, unit text)
"""


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
    lines = [*offers.by_flight(offer), *await offers.seat_lines(session, held)]
    booking = await write_booking(session, command, booking_id, lines, offer.currency)
    await write_parts(session, command.passengers, booking_id, offer, lines)
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
    session: Session, command: CreateBooking, booking_id: UUID, lines: Sequence[Charged], currency: str
) -> Booking:
    """The booking's own row, SEATS_LOCKED at once, with its locator and its total."""
    phone = command.contact.phone
    booking = Booking(
        id=booking_id,
        pnr=await locators.draw(session, booking_id),
        owner_id=command.owner.user_id,
        hold_id=command.hold_id,
        email=command.contact.email.strip(),
        phone=None if phone is None else rules.bare_phone(phone),
        total=add((one.line.amount for one in lines), currency).minor_units,
        currency=currency,
        source=command.source,
        referral_code=command.referral_code,
        created_at=func.jetway_now(),
    )
    await rows.begin(session, booking, Cause(actor=command.owner.key, reason="booked"))
    await rows.move(session, booking, BookingStatus.SEATS_LOCKED, Cause(actor=command.owner.key, reason="seats held"))
    await session.flush()
    return booking


async def write_parts(
    session: Session,
    passengers: Sequence[PassengerDetails],
    booking_id: UUID,
    offer: Offer,
    lines: Sequence[Charged],
) -> None:
    """Everything that hangs on the booking: price lines, flights, passengers and their places, in one statement."""
    ids = [uuid7() for _ in passengers]
    people = [passenger_row(id_, *one) for id_, one in zip(ids, enumerate(passengers), strict=True)]
    places = [
        place_row(id_, passenger, segment)
        for id_, passenger in zip(ids, passengers, strict=True)
        if passenger.type is not PassengerType.INFANT
        for segment in offer.segments
    ]
    parts = (
        [line_row(*one) for one in enumerate(lines)],
        [segment_row(*one) for one in enumerate(offer.segments)],
        people,
        places,
    )
    connection = await session.connection()
    await connection.exec_driver_sql(PARTS, (booking_id, *(dump_json(part) for part in parts)))


def segment_row(ordinal: int, segment: OfferSegment) -> dict[str, object]:
    """A flight of the booking as a row."""
    return {
        "ordinal": ordinal,
        "slot_id": segment.slot_id,
        "cabin": segment.cabin,
        "booking_class": segment.booking_class,
        "family_code": segment.family_code,
    }


def place_row(id_: UUID, passenger: PassengerDetails, segment: OfferSegment) -> dict[str, object]:
    """A passenger's place on a flight as a row, with the seat that they chose there, if any."""
    units = {seat.slot_id: seat.unit for seat in passenger.seats}
    return {
        "passenger_id": id_,
        "slot_id": segment.slot_id,
        "pool": segment.cabin,
        "unit": units.get(segment.slot_id),
    }


def line_row(ordinal: int, charged: Charged) -> dict[str, object]:
    """A price line as a row."""
    return {
        "ordinal": ordinal,
        "kind": charged.line.kind,
        "label": charged.line.label,
        "amount": charged.line.amount.minor_units,
        "slot_id": charged.slot_id,
        "unit": charged.unit,
    }


def passenger_row(id_: UUID, ordinal: int, passenger: PassengerDetails) -> dict[str, object]:
    """A passenger as a row; names are kept as `rules.tidy` leaves them."""
    return {
        "id": id_,
        "ordinal": ordinal,
        "type": passenger.type,
        "title": passenger.title,
        "first_name": rules.tidy(passenger.first_name),
        "last_name": rules.tidy(passenger.last_name),
        "date_of_birth": passenger.date_of_birth,
    }
