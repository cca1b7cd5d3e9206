"""A booking takes an offer, a hold and a party that fit together; everything else is refused, with nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Conflict, DomainError, Invalid
from core.ids import is_record_locator, uuid7
from models import BookingStatus, Cabin, PassengerType
from services import bookings
from services.bookings import Contact, CreateBooking, SeatChoice
from services.holds import HoldExpired
from services.offers import PriceChanged
from tests.factories.bookings import Desk, key, pass_time, snapshot, traveller

ADULT, CHILD, INFANT = PassengerType


async def family(desk: Desk) -> CreateBooking:
    """A request for an adult in 2A, by the exit with legroom, a child in 3B, and an infant on a lap."""
    return desk.command(
        await desk.offer(adults=1, children=1, infants=1),
        await desk.hold("2A", "3B"),
        traveller(desk.schedule, ADULT, "O’Brien-Müller", "2A"),
        traveller(desk.schedule, CHILD, "O’Brien-Müller", "3B"),
        traveller(desk.schedule, INFANT, "O’Brien-Müller"),
    )


async def test_a_family_books_what_it_holds(desk: Desk) -> None:
    command = await family(desk)
    booking = await desk.create(command)
    async with desk.database.reading() as session:
        lines = (await bookings.lines_by_booking_ids(session, [booking.id]))[booking.id]
        segments = (await bookings.segments_by_booking_ids(session, [booking.id]))[booking.id]
        people = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]
        seats = await bookings.seats_by_passenger_ids(session, [one.id for one in people])
        owner = (await session.execute(text("SELECT status, booking_id FROM holds"))).one()
    assert booking.status is BookingStatus.SEATS_LOCKED
    assert is_record_locator(booking.pnr)
    assert (booking.email, booking.phone) == ("ada@example.org", "+12025550143")
    assert [(one.kind, one.label, one.amount) for one in lines] == [
        ("FARE", "Flex fare, 1 × adult", 180_00),
        ("FARE", "Flex fare, 1 × child", 135_00),
        ("FARE", "Flex fare, 1 × infant", 0),
        ("TAX", "US transportation tax", 23_63),
        ("FEE", "September 11 security fee", 11_20),
        ("SEAT", "Seat 2A, extra legroom", 39_00),
    ]
    assert booking.total == sum(one.amount for one in lines)
    assert {one.slot_id for one in lines} == {desk.schedule.first}
    assert [one.unit for one in lines] == [None, None, None, None, None, "2A"]
    assert [(one.slot_id, one.cabin, one.booking_class, one.family_code) for one in segments] == [
        (desk.schedule.first, Cabin.ECONOMY, "Y", "FLEX")
    ]
    assert [[(seat.unit, seat.pool) for seat in seats[one.id]] for one in people] == [
        [("2A", "ECONOMY")],
        [("3B", "ECONOMY")],
        [],
    ]
    assert tuple(owner) == ("ACTIVE", booking.id)


async def test_the_same_request_is_the_same_booking(desk: Desk) -> None:
    command = await family(desk)
    booking = await desk.create(command)
    before = await snapshot(desk.database)
    await pass_time(desk.database, timedelta(minutes=40))
    assert (await desk.create(command)).id == booking.id
    with pytest.raises(Conflict) as refusal:
        await desk.create(replace(command, source="partner"))
    assert refusal.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert await snapshot(desk.database) == before


def adult(command: CreateBooking, **changes: object) -> CreateBooking:
    """The request with another first passenger."""
    first, *rest = command.passengers
    return replace(command, passengers=(replace(first, **changes), *rest))  # type: ignore[arg-type]


def seats(*units: str, slot_id: int = 1) -> tuple[SeatChoice, ...]:
    return tuple(SeatChoice(slot_id=slot_id, unit=unit) for unit in units)


REFUSED: dict[str, tuple[Callable[[CreateBooking], CreateBooking], str | None, str]] = {
    "an offer that was never made": (lambda c: replace(c, offer_token="a.b.c"), "offerId", "INVALID_OFFER"),
    "an e-mail address": (
        lambda c: replace(c, contact=Contact(email="ada@", phone=None)),
        "contact.email",
        "INVALID_INPUT",
    ),
    "a phone number": (
        lambda c: replace(c, contact=Contact(email="a@b.example", phone="call me")),
        "contact.phone",
        "INVALID_INPUT",
    ),
    "a source": (lambda c: replace(c, source="\n"), "source", "INVALID_INPUT"),
    "a name of nothing": (lambda c: adult(c, first_name=" - "), "passengers.0.firstName", "INVALID_INPUT"),
    "a name with digits": (lambda c: adult(c, last_name="L33t"), "passengers.0.lastName", "INVALID_INPUT"),
    "a name too long": (lambda c: adult(c, last_name="A" * 61), "passengers.0.lastName", "INVALID_INPUT"),
    "an adult of ten": (
        lambda c: adult(c, date_of_birth=date(2020, 1, 1)),
        "passengers.0.dateOfBirth",
        "INVALID_INPUT",
    ),
    "somebody unborn": (
        lambda c: adult(c, date_of_birth=date(2100, 1, 1)),
        "passengers.0.dateOfBirth",
        "INVALID_INPUT",
    ),
    "nobody": (lambda c: replace(c, passengers=()), None, "PASSENGERS_DO_NOT_MATCH"),
    "a party of others": (
        lambda c: replace(c, passengers=c.passengers[:2]),
        None,
        "PASSENGERS_DO_NOT_MATCH",
    ),
    "too many infants": (
        lambda c: replace(c, passengers=(*c.passengers, c.passengers[2])),
        None,
        "PASSENGERS_DO_NOT_MATCH",
    ),
    "no seat": (lambda c: adult(c, seats=()), "passengers.0.seats", "INVALID_INPUT"),
    "two seats": (lambda c: adult(c, seats=seats("2A", "3B")), "passengers.0.seats", "INVALID_INPUT"),
    "another flight": (lambda c: adult(c, seats=seats("2A", slot_id=2)), "passengers.0.seats", "INVALID_INPUT"),
    "a seat not held": (lambda c: adult(c, seats=seats("3C")), "passengers.0.seats", "SEAT_NOT_HELD"),
    "a seat for two": (lambda c: adult(c, seats=seats("3B")), "passengers.1.seats", "SEAT_GIVEN_TWICE"),
    "an infant's seat": (
        lambda c: replace(c, passengers=(*c.passengers[:2], replace(c.passengers[2], seats=seats("2A")))),
        "passengers.2.seats",
        "INVALID_INPUT",
    ),
    "no hold": (lambda c: replace(c, hold_id=uuid7()), None, "NOT_FOUND"),
    "a key that a guest cannot have": (
        lambda c: replace(c, idempotency_key="1"),
        "idempotencyKey",
        "INVALID_INPUT",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_refused_with_nothing_changed(desk: Desk, what: str) -> None:
    spoil, field, code = REFUSED[what]
    command = spoil(await family(desk))
    before = await snapshot(desk.database)
    with pytest.raises(DomainError) as refusal:
        await desk.create(command)
    assert (getattr(refusal.value, "field", None), refusal.value.code) == (field, code)
    assert await snapshot(desk.database) == before


async def test_a_seat_too_many_and_one_in_another_cabin(desk: Desk) -> None:
    offer = await desk.offer()
    ada = traveller(desk.schedule, ADULT, "Lovelace", "3A")
    too_many = desk.command(offer, await desk.hold("3A", "3B"), ada)
    first = replace(ada, seats=seats("1A", slot_id=desk.schedule.first))
    elsewhere = desk.command(offer, await desk.hold("1A"), first)
    before = await snapshot(desk.database)
    with pytest.raises(Conflict, match="3B"):
        await desk.create(too_many)
    with pytest.raises(Invalid) as refusal:
        await desk.create(elsewhere)
    assert (refusal.value.field, refusal.value.code) == ("passengers.0.seats", "WRONG_CABIN")
    assert await snapshot(desk.database) == before


async def test_a_hold_that_is_dead_or_somebody_elses_booking(desk: Desk) -> None:
    command = await family(desk)
    await desk.create(command)
    before = await snapshot(desk.database)
    with pytest.raises(Conflict) as refusal:
        await desk.create(replace(command, idempotency_key=key()))
    assert refusal.value.code == "HOLD_BOOKED"
    assert await snapshot(desk.database) == before
    late = desk.command(await desk.offer(), await desk.hold("3C"), traveller(desk.schedule, ADULT, "Lovelace", "3C"))
    await pass_time(desk.database, timedelta(minutes=16))
    with pytest.raises(HoldExpired):
        await desk.create(late)


async def test_a_flight_that_is_not_sold_any_more(desk: Desk) -> None:
    command = await family(desk)
    await close_sales(desk.database)
    before = await snapshot(desk.database)
    with pytest.raises(PriceChanged) as refusal:
        await desk.create(command)
    assert refusal.value.offer is None
    assert await snapshot(desk.database) == before


async def close_sales(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE slots SET status = 'CLOSED'"))
