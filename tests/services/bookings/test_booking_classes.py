"""The offer's booking class counts what is booked; one that is closed for the party is answered with the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from models import BookingStatus, PassengerType
from services import bookings, holds, itineraries, offers
from services.bookings import CreateBooking
from services.gateways import Gateways
from services.itineraries import FlightSearchInput, PassengersInput, SliceInput
from services.offers import PriceChanged
from tests.factories.bookings import GUEST, Desk, key, pass_time, snapshot, traveller
from tests.factories.places import classes, counts, set_pool

ADULT = PassengerType.ADULT


async def request(desk: Desk, *units: str, family: str = "MAIN") -> CreateBooking:
    """Adults on those seats, in a fare family."""
    offer, hold_id = await desk.offer(family, adults=len(units)), await desk.hold(*units)
    return desk.command(offer, hold_id, *(traveller(desk.schedule, ADULT, "Lovelace", unit) for unit in units))


async def limit(desk: Desk, *limits: int) -> None:
    """Set the limits of Y and M."""
    await set_pool(desk.database, desk.schedule.first, "ECONOMY", class_limits=list(limits))


async def counted(desk: Desk) -> dict[str, tuple[int, int]]:
    return await classes(desk.database, desk.schedule.first)


async def test_a_booking_is_counted_by_its_class_until_it_is_over(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A", "3B", family="FLEX")
    assert await counted(desk) == {"Y": (2, 0), "M": (0, 0)}
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    assert await counted(desk) == {"Y": (0, 2), "M": (0, 0)}
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    for _ in range(2):
        await bookings.cancel(
            desk.database, gateways, quote.id, booking.id, GUEST, "8b5f3d52-3f6c-4f0c-9d8e-2c5b7d1f0a11"
        )
        assert await counted(desk) == {"Y": (0, 0), "M": (0, 0)}
        assert await counts(desk.database, desk.schedule.first) == (0, 0, 0)


async def test_an_abandoned_booking_leaves_its_class(desk: Desk) -> None:
    await desk.booked("3A", family="MAIN")
    await pass_time(desk.database, timedelta(minutes=16))
    async with desk.database.transaction() as session:
        assert await holds.expire_due(session, 10) == 1
    async with desk.database.transaction() as session:
        assert await bookings.expire_abandoned(session, 10) == 1
    assert await counted(desk) == {"Y": (0, 0), "M": (0, 0)}
    assert await counts(desk.database, desk.schedule.first) == (0, 0, 0)


async def test_a_closed_class_is_answered_with_the_next_one(desk: Desk) -> None:
    command = await request(desk, "3A", "3B")
    await limit(desk, 8, 1)
    before = await snapshot(desk.database)
    with pytest.raises(PriceChanged) as refusal:
        await desk.create(command)
    assert await snapshot(desk.database) == before
    renewed = refusal.value.offer
    assert renewed is not None
    assert [(one.family_code, one.booking_class) for one in renewed.segments] == [("FLEX", "Y")]
    assert renewed.total.minor_units == 398_20
    booking = await desk.create(desk.command(renewed, command.hold_id, *command.passengers))
    assert booking.status is BookingStatus.SEATS_LOCKED
    assert await counted(desk) == {"Y": (2, 0), "M": (0, 0)}


async def test_nothing_is_left_of_any_class(desk: Desk) -> None:
    command = await request(desk, "3A")
    await limit(desk, 0, 8)
    before = await snapshot(desk.database)
    with pytest.raises(PriceChanged) as refusal:
        await desk.create(command)
    assert (refusal.value.code, refusal.value.offer) == ("PRICE_CHANGED", None)
    assert await snapshot(desk.database) == before


async def test_a_price_is_kept_while_its_class_is_open(desk: Desk) -> None:
    command = await request(desk, "3A")
    await limit(desk, 8, 1)
    assert (await desk.create(command)).total == 113_10


async def test_what_has_expired_does_not_close_a_class(desk: Desk) -> None:
    await limit(desk, 8, 1)
    await desk.booked("3A", family="MAIN")
    await pass_time(desk.database, timedelta(minutes=16))
    await desk.create(await request_of(desk))
    assert await counted(desk) == {"Y": (0, 0), "M": (1, 0)}


async def request_of(desk: Desk) -> CreateBooking:
    """An adult in 3B in M, which a search takes for closed while an expired hold is not written down."""
    known = await desk.offer("FLEX")
    segment = replace(known.segments[0], booking_class="M", family_code="MAIN")
    offer = offers.make(desk.keyring, known.party, (segment,), known.lines, known.currency)
    return desk.command(offer, await desk.hold("3B"), traveller(desk.schedule, ADULT, "Byron", "3B"))


async def families(desk: Desk, adults: int) -> set[str]:
    """The fare families in which a search offers the first flight."""
    command = FlightSearchInput(
        slices=[SliceInput(origin="JFK", destination="LAX", date=desk.schedule.day)],
        passengers=PassengersInput(adults=adults),
    )
    async with desk.database.reading() as session:
        found = await itineraries.one_way(session, command)
    return {one.family_code for one in found if one.slot_id == desk.schedule.first}


async def test_a_search_offers_open_classes_only(desk: Desk) -> None:
    await limit(desk, 8, 1)
    assert await families(desk, adults=1) == {"MAIN", "FLEX"}
    assert await families(desk, adults=2) == {"FLEX"}
    offer = await desk.offer("MAIN")
    async with desk.database.reading() as session:
        assert await offers.seats_left(session, offer.segments) == 1
    await desk.booked("3A", family="MAIN")
    async with desk.database.reading() as session:
        assert await offers.seats_left(session, offer.segments) == 0
        assert await offers.seats_left(session, (await desk.offer("FLEX")).segments) == 7
