"""Finding a booking by its locator and a last name, as people write it."""

from __future__ import annotations

import pytest

from core.ids import uuid7
from models import PassengerType
from services import bookings
from tests.factories.bookings import Desk, traveller


@pytest.mark.parametrize(
    ("name", "asked", "found"),
    [
        ("Lovelace", "LOVELACE", True),
        ("O’Brien-Müller", "obrien muller", True),
        ("Ångström", "Angstrom", True),
        ("Łukasiewicz", "lukasiewicz", True),
        ("Strauß", "Strauss", True),
        ("Lovelace", "Lovelac", False),
        ("Lovelace", "", False),
        ("Lovelace", "--", False),
    ],
)
async def test_by_pnr(desk: Desk, name: str, asked: str, found: bool) -> None:
    ada = traveller(desk.schedule, PassengerType.ADULT, name, "3A")
    booking = await desk.create(desk.command(await desk.offer(), await desk.hold("3A"), ada))
    async with desk.database.reading() as session:
        row = await bookings.by_pnr(session, f" {booking.pnr.lower()} ", asked)
        assert (row is not None and row.id == booking.id) is found
        assert await bookings.by_pnr(session, "ABCDEF", asked) is None


async def test_what_was_asked_for_is_there_even_where_there_is_nothing(desk: Desk) -> None:
    nobody = uuid7()
    async with desk.database.reading() as session:
        assert await bookings.passengers_by_booking_ids(session, [nobody]) == {nobody: []}
        assert await bookings.tickets_by_passenger_ids(session, [nobody]) == {nobody: []}
