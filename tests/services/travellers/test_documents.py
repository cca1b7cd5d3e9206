"""Travel documents are sealed at rest, each for one passenger alone, by keys that rotate."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import DomainError
from core.keys import Keyring, key_id
from models import AssistanceCode, Booking, DocumentType, Gender, MealCode, PassengerType
from services import bookings, travellers
from services.bookings import DetailChanges
from services.gateways import Gateways
from services.transitions import Cause
from services.travellers import Document, FrequentFlyer, Missing, TravelDetails
from tests.factories.bookings import GUEST, Desk, facts_of, key, snapshot, traveller

ADULT, CHILD, INFANT = PassengerType.ADULT, PassengerType.CHILD, PassengerType.INFANT
CAUSE = Cause(actor="guest", reason="told by whoever booked")


def passport(desk: Desk, **changes: Any) -> Document:
    """A passport that is good for years."""
    usual: dict[str, Any] = {
        "type": DocumentType.PASSPORT,
        "number": "C01X 00T4-7",
        "issuing_country": "de",
        "expires_on": desk.schedule.day + timedelta(days=900),
    }
    return Document(**usual | changes)


async def booked(desk: Desk, details: TravelDetails) -> Booking:
    """A booking of one adult of whom that is told."""
    ada = replace(traveller(desk.schedule, ADULT, "Lovelace", "3A"), details=details)
    return await desk.create(desk.command(await desk.offer(), await desk.hold("3A"), ada))


async def known(database: Database, keyring: Keyring, booking: Booking) -> tuple[TravelDetails, tuple[Missing, ...]]:
    """What is known and missing of a booking's first passenger."""
    async with database.reading() as session:
        people = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]
        return (await bookings.details_of(session, keyring, people))[people[0].id]


async def passenger_of(database: Database, booking: Booking) -> UUID:
    async with database.reading() as session:
        return (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id][0].id


async def update(desk: Desk, booking: Booking, **told: Any) -> None:
    """Have details of a booking's first passenger changed."""
    passenger_id, changes = await passenger_of(desk.database, booking), cast("DetailChanges", told)
    async with desk.database.transaction() as session:
        await bookings.update_passenger(session, desk.keyring, booking.id, passenger_id, changes, CAUSE)


async def everything_at_rest(database: Database) -> str:
    """Every row of the tables that know of passengers, and every fact, as text."""
    tables = ("passengers", "travel_documents", "bookings", "facts", "transitions", "idempotency_keys")
    async with database.reading() as session:
        return " ".join(
            [str((await session.execute(text(f"SELECT * FROM {table}"))).all()) for table in tables]  # noqa: S608 - ours
        )


async def test_a_document_is_read_as_told_and_stands_nowhere(desk: Desk) -> None:
    booking = await booked(desk, TravelDetails(gender=Gender.FEMALE, document=passport(desk)))
    details, _ = await known(desk.database, desk.keyring, booking)
    assert details.document is not None
    assert (details.document.number, details.document.issuing_country) == ("C01X00T47", "DE")
    assert details.document.number_ends_with == "0T47"
    assert "C01X00T47" not in repr(details)
    assert "C01X00T47" not in await everything_at_rest(desk.database)


async def test_a_document_opens_for_its_passenger_alone(desk: Desk) -> None:
    booking = await booked(desk, TravelDetails(document=passport(desk)))
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE travel_documents SET sealed = substr(sealed, 1, 20) || sealed"))
    details, _ = await known(desk.database, desk.keyring, booking)
    assert details.document is None


async def test_after_a_rotation_documents_are_sealed_anew(desk: Desk) -> None:
    old, new = os.urandom(32), os.urandom(32)
    desk.keyring = Keyring((old,))
    booking = await booked(desk, TravelDetails(document=passport(desk)))
    both, alone = Keyring((new, old)), Keyring((new,))
    assert (await known(desk.database, both, booking))[0].document is not None
    assert (await known(desk.database, alone, booking))[0].document is None
    async with desk.database.transaction() as session:
        assert await travellers.reseal(session, both, 10) == 1
        assert await travellers.reseal(session, both, 10) == 0
        assert await session.scalar(text("SELECT key_id FROM travel_documents")) == key_id(new)
    assert (await known(desk.database, alone, booking))[0].document is not None


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no number": ({"number": "1"}, "number"),
    "no country": ({"issuing_country": "Germany"}, "issuingCountry"),
}


@pytest.mark.parametrize("what", BAD)
async def test_what_is_no_document_is_refused(desk: Desk, what: str) -> None:
    changes, field = BAD[what]
    offer, hold_id = await desk.offer(), await desk.hold("3A")
    before = await snapshot(desk.database)
    details = TravelDetails(document=passport(desk, **changes))
    ada = replace(traveller(desk.schedule, ADULT, "Lovelace", "3A"), details=details)
    with pytest.raises(DomainError) as refusal:
        await desk.create(desk.command(offer, hold_id, ada))
    assert getattr(refusal.value, "field", None) == f"passengers.0.details.document.{field}"
    assert await snapshot(desk.database) == before


async def test_a_document_is_good_on_the_day_on_which_the_journey_ends(desk: Desk) -> None:
    await booked(desk, TravelDetails(document=passport(desk, expires_on=desk.schedule.day)))
    late = TravelDetails(document=passport(desk, expires_on=desk.schedule.day - timedelta(days=1)))
    offer, hold_id = await desk.offer(), await desk.hold("3B")
    ada = replace(traveller(desk.schedule, ADULT, "Lovelace", "3B"), details=late)
    with pytest.raises(DomainError) as refusal:
        await desk.create(desk.command(offer, hold_id, ada))
    assert getattr(refusal.value, "field", None) == "passengers.0.details.document.expiresOn"


async def test_a_border_asks_for_a_document_and_a_gender(desk: Desk) -> None:
    booking = await booked(desk, TravelDetails())
    assert (await known(desk.database, desk.keyring, booking))[1] == ()
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE airports SET country = 'CA' WHERE iata_code = 'LAX'"))
    assert (await known(desk.database, desk.keyring, booking))[1] == (Missing.DOCUMENT, Missing.GENDER)
    await update(desk, booking, gender=Gender.UNSPECIFIED, document=passport(desk))
    assert (await known(desk.database, desk.keyring, booking))[1] == ()


async def test_what_is_left_out_stays_and_null_takes_back(desk: Desk) -> None:
    first = TravelDetails(
        meal=MealCode.KSML,
        assistance=(AssistanceCode.WCHR, AssistanceCode.MAAS),
        frequent_flyer=FrequentFlyer(airline_code="ua", number="AB 123"),
        document=passport(desk),
    )
    booking = await booked(desk, first)
    await update(desk, booking, meal=MealCode.VGML, document=None)
    details, _ = await known(desk.database, desk.keyring, booking)
    assert (details.meal, details.document) == (MealCode.VGML, None)
    assert details.assistance == (AssistanceCode.MAAS, AssistanceCode.WCHR)
    assert details.frequent_flyer == FrequentFlyer(airline_code="UA", number="AB123")
    assert (await facts_of(desk.database, f"booking:{booking.id}"))[-1] == "passenger.updated"
    assert "VGML" not in str(await facts_said(desk.database))


async def facts_said(database: Database) -> list[object]:
    """What every fact says."""
    async with database.reading() as session:
        return list(await session.scalars(text("SELECT payload FROM facts")))


async def test_details_of_a_booking_that_is_over_stay_as_they_are(desk: Desk, gateways: Gateways) -> None:
    booking = await booked(desk, TravelDetails())
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    before = await snapshot(desk.database)
    with pytest.raises(DomainError) as refusal:
        await update(desk, booking, meal=MealCode.VGML)
    assert refusal.value.code == "WRONG_STATE"
    assert await snapshot(desk.database) == before


LAPS: dict[str, tuple[list[int | None], list[int | None] | None]] = {
    "as it comes": ([None, None], [0, 1]),
    "one says so": ([1, None], [1, 0]),
    "both on one lap": ([0, 0], None),
    "on another infant's": ([3, None], None),
    "on nobody's": ([7, None], None),
}


@pytest.mark.parametrize("what", LAPS)
async def test_infants_sit_on_laps(desk: Desk, what: str) -> None:
    said, expected = LAPS[what]
    adults = [traveller(desk.schedule, ADULT, "Ng", unit) for unit in ("3A", "3B")]
    babies = [replace(traveller(desk.schedule, INFANT, "Ng"), accompanied_by=one) for one in said]
    command = desk.command(await desk.offer(adults=2, infants=2), await desk.hold("3A", "3B"), *adults, *babies)
    if expected is None:
        with pytest.raises(DomainError) as refusal:
            await desk.create(command)
        assert refusal.value.code == "INVALID_INPUT"
        return
    booking = await desk.create(command)
    async with desk.database.reading() as session:
        people = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]
    places = {one.id: one.ordinal for one in people}
    assert [one.accompanied_by and places[one.accompanied_by] for one in people] == [None, None, *expected]
