"""Passengers without a seat: they fly, with a ticket and without a seat's charge, and their place is given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from core.errors import DomainError
from models import Booking, BookingStatus, PassengerType
from services import bookings
from services.bookings import CreateBooking, PassengerDetails, SeatChoice
from services.gateways import Gateways
from tests.factories.bookings import GUEST, Desk, key, pass_time, snapshot, traveller
from tests.factories.holds import hold, want
from tests.factories.places import classes, counts

ADULT, CHILD, INFANT = PassengerType


async def held(desk: Desk, *units: str, **quantities: int) -> UUID:
    """A hold of seats, and of places without one by cabin."""
    return (await hold(desk.database, want(desk.schedule.first, *units, quantities=quantities))).id


def party(desk: Desk) -> list[PassengerDetails]:
    """An adult in 2A, a child without a seat, an infant."""
    return [
        traveller(desk.schedule, ADULT, "Lovelace", "2A"),
        traveller(desk.schedule, CHILD, "Lovelace"),
        traveller(desk.schedule, INFANT, "Lovelace"),
    ]


async def request(desk: Desk) -> CreateBooking:
    """The party, on a hold of 2A and one place in ECONOMY."""
    offer = await desk.offer(adults=1, children=1, infants=1)
    return desk.command(offer, await held(desk, "2A", ECONOMY=1), *party(desk))


async def pay(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())


async def test_who_has_no_seat_yet_pays_for_none_and_gets_a_ticket(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.create(await request(desk))
    await pay(desk, gateways, booking)
    async with desk.database.reading() as session:
        lines = (await bookings.lines_by_booking_ids(session, [booking.id]))[booking.id]
        people = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]
        seats = await bookings.seats_by_passenger_ids(session, [one.id for one in people])
        tickets = await bookings.tickets_by_passenger_ids(session, [one.id for one in people])
        places = await session.scalars(text("SELECT pool FROM seat_assignments WHERE unit IS NULL"))
        assert list(places) == ["ECONOMY"]
    assert [one.label for one in lines if one.kind == "SEAT"] == ["Seat 2A, extra legroom"]
    assert [[seat.unit for seat in seats[one.id]] for one in people] == [["2A"], [], []]
    assert [len(tickets[one.id]) for one in people] == [1, 1, 1]
    assert await counts(desk.database, desk.schedule.first) == (0, 2, 0)
    assert await classes(desk.database, desk.schedule.first) == {"Y": (0, 2), "M": (0, 0)}


async def test_nobody_has_a_seat(desk: Desk, gateways: Gateways) -> None:
    offer, hold_id = await desk.offer(adults=2), await held(desk, ECONOMY=2)
    people = [traveller(desk.schedule, ADULT, "Lovelace") for _ in range(2)]
    booking = await desk.create(desk.command(offer, hold_id, *people))
    assert booking.total == offer.total.minor_units
    await pay(desk, gateways, booking)
    assert await counts(desk.database, desk.schedule.first) == (0, 2, 0)


async def test_cancelling_gives_the_places_back_once(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.create(await request(desk))
    await pay(desk, gateways, booking)
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    again = key()
    for _ in range(2):
        await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, again)
        assert await counts(desk.database, desk.schedule.first) == (0, 0, 0)


async def test_a_seat_may_be_named_as_none(desk: Desk) -> None:
    command = await request(desk)
    first, child, infant = command.passengers
    none = replace(child, seats=(SeatChoice(slot_id=desk.schedule.first, unit=None),))
    booking = await desk.create(replace(command, passengers=(first, none, infant)))
    assert booking.status is BookingStatus.SEATS_LOCKED


async def test_an_abandoned_booking_leaves_nothing_behind(desk: Desk) -> None:
    await desk.create(await request(desk))
    await pass_time(desk.database, timedelta(minutes=16))
    async with desk.database.transaction() as session:
        assert await bookings.expire_abandoned(session, 10) == 1
    with pytest.raises(DomainError):
        await held(desk, ECONOMY=9)
    await held(desk, ECONOMY=8)


Change = Callable[[Desk, CreateBooking], CreateBooking]


def without_seat(desk: Desk, command: CreateBooking) -> CreateBooking:
    """Nobody takes 2A."""
    return replace(command, passengers=(replace(command.passengers[0], seats=()), *command.passengers[1:]))


def with_seat(unit: str) -> Change:
    """The child takes that seat."""

    def change(desk: Desk, command: CreateBooking) -> CreateBooking:
        first, child, infant = command.passengers
        chosen = (SeatChoice(slot_id=desk.schedule.first, unit=unit),)
        return replace(command, passengers=(first, replace(child, seats=chosen), infant))

    return change


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        (without_seat, "passengers.1.seats", "INVALID_INPUT"),
        (with_seat("3A"), "passengers.1.seats", "SEAT_NOT_HELD"),
        (with_seat("2A"), "passengers.1.seats", "SEAT_GIVEN_TWICE"),
    ],
)
async def test_more_or_fewer_seats_than_are_held(desk: Desk, change: Change, field: str, code: str) -> None:
    command = change(desk, await request(desk))
    before = await snapshot(desk.database)
    with pytest.raises(DomainError) as refusal:
        await desk.create(command)
    assert (getattr(refusal.value, "field", None), refusal.value.code) == (field, code)
    assert await snapshot(desk.database) == before


@pytest.mark.parametrize(
    ("quantities", "field", "code"),
    [
        ({"ECONOMY": 2}, None, "PASSENGERS_DO_NOT_MATCH"),
        ({"ECONOMY": 1, "FIRST": 1}, None, "PASSENGERS_DO_NOT_MATCH"),
        ({"FIRST": 1}, "passengers.1.seats", "WRONG_CABIN"),
        ({}, "passengers.1.seats", "INVALID_INPUT"),
    ],
)
async def test_places_that_do_not_fit_the_party(
    desk: Desk, quantities: dict[str, int], field: str | None, code: str
) -> None:
    offer = await desk.offer(adults=1, children=1, infants=1)
    command = desk.command(offer, await held(desk, "2A", **quantities), *party(desk))
    before = await snapshot(desk.database)
    with pytest.raises(DomainError) as refusal:
        await desk.create(command)
    assert (getattr(refusal.value, "field", None), refusal.value.code) == (field, code)
    assert await snapshot(desk.database) == before
