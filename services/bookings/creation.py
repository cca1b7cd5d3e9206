"""A booking comes to be: an offer and a hold, and the people who travel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import insert, select

from core.db import ReadSession, Session
from core.ids import uuid7
from core.keys import Keyring
from core.money import add
from models import Booking, BookingLine, BookingSegment, BookingStatus, Flight, HoldItem, Passenger, SeatAssignment
from services import holds, idempotency, locators, offers
from services.bookings import rows, rules
from services.bookings.rules import CreateBooking, PassengerDetails
from services.fares import PriceLine
from services.offers import Offer
from services.transitions import Cause


async def create(session: Session, keyring: Keyring, command: CreateBooking) -> Booking:
    """Book an offer with the seats of a hold: the booking has its locator, its price, and waits for its money.

    From here on the hold is the booking's. The same key again: the booking that came of it. Whether the hold is the
    owner's to book has been checked before. Raises Invalid and Conflict as `rules.py` tells, INVALID_OFFER,
    offers.PriceChanged, NotFound (the hold), holds.HoldExpired, HOLD_BOOKED, idempotency.KeyReused; nothing changes.
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
    items = await give_hold(session, command.hold_id, booking_id)
    held = {(item.slot_id, unit): item.pool for item in items for unit in item.units}
    rules.check_seats(command.passengers, {one.slot_id: one.cabin for one in offer.segments}, held)
    lines = [*offer.lines, *await offers.seat_lines(session, held)]
    booking = await write_booking(session, command, booking_id, lines, offer.currency)
    await write_parts(session, command.passengers, booking_id, offer, lines, held)
    await rows.move(session, booking, BookingStatus.SEATS_LOCKED, Cause(actor=command.owner.key, reason="seats held"))
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


async def give_hold(session: Session, hold_id: UUID, booking_id: UUID) -> Sequence[HoldItem]:
    """Give the hold to the booking, and tell what it keeps."""
    hold = await holds.lock(session, hold_id)
    await holds.attach(session, hold, booking_id)
    return await holds.items(session, hold_id)


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
    pools: dict[tuple[int, str], str],
) -> None:
    """Everything that hangs on the booking: price lines, flights, passengers and their seats, one statement each."""
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
    await session.execute(
        insert(SeatAssignment),
        [
            {
                "passenger_id": id_,
                "slot_id": seat.slot_id,
                "pool": pools[seat.slot_id, seat.unit],
                "unit": seat.unit,
            }
            for id_, passenger in zip(ids, passengers, strict=True)
            for seat in passenger.seats
        ],
    )


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
