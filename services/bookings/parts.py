"""A new booking with everything that hangs on it, as rows: price lines, flights, passengers, places and documents."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from core.db import dump_json
from core.ids import uuid7
from core.keys import Keyring
from core.money import Money, add
from core.rows import Writer
from models import Booking, BookingStatus, PassengerType
from services import locators, travellers
from services.bookings import rules
from services.bookings.rows import BOOKINGS
from services.bookings.rules import CreateBooking, PassengerDetails
from services.locators import DRAW
from services.offers import Charged, Offer, OfferSegment
from services.travellers import TravelDetails

NEW = f"""
    WITH named AS ({DRAW}), booked AS (
        INSERT INTO bookings (id, pnr, status, owner_id, hold_id, email, phone, total, currency, source, referral_code,
                              created_at)
        SELECT $2::uuid, pnr, $3, $4, $5, $6, $7, $8, $9, $10, $11, jetway_now() FROM named
        RETURNING {BOOKINGS.columns}
    ), lines AS (
        INSERT INTO booking_lines (booking_id, ordinal, kind, label, amount, slot_id, unit)
        SELECT $2::uuid, ordinal, kind, label, amount, slot_id, unit
        FROM named CROSS JOIN jsonb_to_recordset($12::jsonb)
             AS line (ordinal smallint, kind text, label text, amount bigint, slot_id bigint, unit text)
    ), segments AS (
        INSERT INTO booking_segments (booking_id, ordinal, slot_id, cabin, booking_class, family_code)
        SELECT $2::uuid, ordinal, slot_id, cabin, booking_class, family_code
        FROM named CROSS JOIN jsonb_to_recordset($13::jsonb)
             AS segment (ordinal smallint, slot_id bigint, cabin text, booking_class text, family_code text)
    ), people AS (
        INSERT INTO passengers (id, booking_id, ordinal, type, title, first_name, last_name, date_of_birth,
                                accompanied_by, gender, meal, assistance, frequent_flyer_airline, frequent_flyer_number)
        SELECT id, $2::uuid, ordinal, type, title, first_name, last_name, date_of_birth,
               accompanied_by, gender, meal, assistance, frequent_flyer_airline, frequent_flyer_number
        FROM named CROSS JOIN jsonb_to_recordset($14::jsonb)
             AS one (id uuid, ordinal smallint, type text, title text, first_name text, last_name text,
                     date_of_birth date, accompanied_by uuid, gender text, meal text, assistance text[],
                     frequent_flyer_airline text, frequent_flyer_number text)
    ), places AS (
        INSERT INTO seat_assignments (passenger_id, slot_id, pool, unit)
        SELECT passenger_id, slot_id, pool, unit
        FROM named CROSS JOIN jsonb_to_recordset($15::jsonb)
             AS place (passenger_id uuid, slot_id bigint, pool text, unit text)
    )
    SELECT * FROM booked
"""  # noqa: S608 - our own words
"""Nothing is written where somebody has the locator."""


async def write(
    writer: Writer,
    keyring: Keyring,
    command: CreateBooking,
    booking_id: UUID,
    offer: Offer,
    lines: Sequence[Charged],
) -> tuple[Booking, list[UUID]]:
    """Write all of it, in one statement, and one more for documents: the booking, SEATS_LOCKED, with its locator and
    its total, and the passengers' keys, in their order. Raises Unavailable where no locator was found."""
    passengers = command.passengers
    ids = [uuid7() for _ in passengers]
    adult_of = {ids[infant]: ids[adult] for infant, adult in rules.laps(passengers).items()}
    people = [
        passenger_row(id_, adult_of.get(id_), place, one)
        for id_, (place, one) in zip(ids, enumerate(passengers), strict=True)
    ]
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
    own = booking_row(command, add((one.line.amount for one in lines), offer.currency))
    written = await locators.draw(writer, booking_id, NEW, *own, *(dump_json(part) for part in parts))
    documents = {id_: tidied(one).document for id_, one in zip(ids, passengers, strict=True)}
    await travellers.keep(writer, keyring, {id_: one for id_, one in documents.items() if one is not None})
    return BOOKINGS.row(written), ids


def booking_row(command: CreateBooking, total: Money) -> list[object]:
    """The booking's own row, from its status to what it refers to."""
    contact = command.contact
    return [
        BookingStatus.SEATS_LOCKED,
        command.owner.user_id,
        command.hold_id,
        contact.email.strip(),
        None if contact.phone is None else rules.bare_phone(contact.phone),
        total.minor_units,
        total.currency,
        command.source,
        command.referral_code,
    ]


def tidied(passenger: PassengerDetails) -> TravelDetails:
    """What is known of a passenger, as it is kept; it has been checked before."""
    return travellers.tidy(passenger.details, "details")


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


def passenger_row(id_: UUID, adult: UUID | None, ordinal: int, passenger: PassengerDetails) -> dict[str, object]:
    """A passenger as a row, an infant with its adult's key; names are kept as `rules.tidy` leaves them."""
    details = tidied(passenger)
    flyer = details.frequent_flyer
    return {
        "id": id_,
        "ordinal": ordinal,
        "type": passenger.type,
        "title": passenger.title,
        "first_name": rules.tidy(passenger.first_name),
        "last_name": rules.tidy(passenger.last_name),
        "date_of_birth": passenger.date_of_birth,
        "accompanied_by": adult,
        "gender": details.gender,
        "meal": details.meal,
        "assistance": details.assistance,
        "frequent_flyer_airline": flyer and flyer.airline_code,
        "frequent_flyer_number": flyer and flyer.number,
    }
