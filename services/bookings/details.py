"""What is known of a booking's passengers beside their names: told, changed and taken back after booking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypedDict
from uuid import UUID

from core.db import Session
from core.errors import NotFound
from core.keys import Keyring
from core.rows import Reader
from core.states import WrongState
from models import AssistanceCode, BookingStatus, Gender, MealCode, Passenger
from services import outbox, travellers
from services.bookings import rows
from services.transitions import Cause
from services.travellers import Document, FrequentFlyer, Missing, TravelDetails

OPEN = frozenset({BookingStatus.SEATS_LOCKED, BookingStatus.PAYMENT_PENDING, BookingStatus.CONFIRMED})
"""Bookings whose passengers are still to check in."""

JOURNEYS = """
    SELECT segment.booking_id, bool_or(origin.country <> destination.country),
           max((flights.arrives_at AT TIME ZONE destination.zone)::date)
    FROM booking_segments AS segment
    JOIN flights ON flights.slot_id = segment.slot_id
    JOIN airports AS origin ON origin.iata_code = flights.origin_code
    JOIN airports AS destination ON destination.iata_code = flights.destination_code
    WHERE segment.booking_id = ANY ($1::uuid[]) GROUP BY segment.booking_id
"""


@dataclass(frozen=True, kw_only=True)
class Journey:
    """What a booking's flights ask of documents: whether a border is crossed, and the local day on which it ends."""

    international: bool
    last_day: date


class DetailChanges(TypedDict, total=False):
    """Details that are to be other than they are; None, or an empty list, takes one back. What is left out stays."""

    gender: Gender | None
    meal: MealCode | None
    assistance: Sequence[AssistanceCode]
    frequent_flyer: FrequentFlyer | None
    document: Document | None


async def update_passenger(
    session: Session, keyring: Keyring, booking_id: UUID, passenger_id: UUID, changes: DetailChanges, cause: Cause
) -> Passenger:
    """Change what is known of a passenger; names and dates of birth are changed by quote.

    The history says which details were changed, never what they are. Raises NotFound, WrongState once the passengers
    have checked in or the booking is over, and Invalid with the client's field; nothing changes then.
    """
    booking = await rows.locked(session, booking_id)
    passenger = await session.get(Passenger, passenger_id, populate_existing=True)
    if passenger is None or passenger.booking_id != booking_id:
        raise NotFound("There is no such passenger in this booking.")
    if booking.status not in OPEN:
        raise WrongState(f"The passengers of a booking that is {booking.status} stay as they are.")
    wanted = travellers.tidy(replace(known_of(passenger), **changes), "details")
    journey = (await journeys(session, [booking_id]))[booking_id]
    travellers.check_expiry(wanted.document, journey.last_day, "details")
    write(passenger, wanted)
    await session.flush()
    if "document" in changes:
        await write_document(session, keyring, passenger_id, wanted.document)
    if changes:
        said = {"booking": str(booking_id), "passenger": str(passenger_id), "changed": sorted(changes)}
        told = {**said, "actor": cause.actor, "reason": cause.reason}
        await outbox.record(session, "passenger.updated", outbox.booking_stream(booking_id), told)
    return passenger


def known_of(passenger: Passenger) -> TravelDetails:
    """What a passenger's row says of them; documents are kept elsewhere."""
    airline, number = passenger.frequent_flyer_airline, passenger.frequent_flyer_number
    return TravelDetails(
        gender=passenger.gender,
        meal=passenger.meal,
        assistance=tuple(AssistanceCode(code) for code in passenger.assistance),
        frequent_flyer=FrequentFlyer(airline_code=airline, number=number) if airline and number else None,
    )


def write(passenger: Passenger, details: TravelDetails) -> None:
    """Write all but the document to a passenger's row."""
    flyer = details.frequent_flyer
    passenger.gender, passenger.meal = details.gender, details.meal
    passenger.assistance = list(details.assistance)
    passenger.frequent_flyer_airline = flyer.airline_code if flyer else None
    passenger.frequent_flyer_number = flyer.number if flyer else None


async def write_document(session: Session, keyring: Keyring, passenger_id: UUID, document: Document | None) -> None:
    """Keep a passenger's document, or none any more."""
    if document is None:
        await travellers.withdraw(session, passenger_id)
    else:
        await travellers.keep(session, keyring, {passenger_id: document})


async def journeys(reader: Reader, booking_ids: Iterable[UUID]) -> dict[UUID, Journey]:
    """The journeys of bookings."""
    found = await reader.fetch(JOURNEYS, list(set(booking_ids)))
    return {
        booking_id: Journey(international=international, last_day=last_day)
        for booking_id, international, last_day in found
    }


async def details_of(
    reader: Reader, keyring: Keyring, passengers: Iterable[Passenger]
) -> dict[UUID, tuple[TravelDetails, tuple[Missing, ...]]]:
    """What is known of passengers, and what is still to be told before they check in."""
    people = list(passengers)
    documents = await travellers.by_passenger_ids(reader, keyring, [one.id for one in people])
    trips = await journeys(reader, [one.booking_id for one in people])
    found = {}
    for one in people:
        details = replace(known_of(one), document=documents.get(one.id))
        trip = trips[one.booking_id]
        still = travellers.missing(
            international=trip.international,
            gender=details.gender,
            document=details.document,
            last_day=trip.last_day,
        )
        found[one.id] = details, still
    return found
