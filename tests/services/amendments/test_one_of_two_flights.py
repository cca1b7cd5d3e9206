"""A journey there and back, of which one flight is changed: the other keeps its price, its seat and its ticket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from core.errors import DomainError
from models import Booking, PassengerType
from services import bookings, itineraries, offers
from services.amendments import ChangeFlights, SeatWish
from services.bookings import SeatChoice
from services.itineraries import FlightSearchInput, PassengersInput, SliceInput
from services.offers import Offer
from tests.factories.amendments import BACK, CARD, Changes
from tests.factories.bookings import GUEST, key, snapshot, traveller
from tests.factories.holds import hold, seats, want
from tests.factories.returns import write_fares, write_flight

HOUR = timedelta(hours=1)
THERE, BACKWARDS = 113_10, 102_35
"""What each way costs: 100.00 and 90.00, 7.5 % of it, and 5.60."""


@dataclass(frozen=True)
class Trip:
    """A booking there and back, in two days, and another flight back that evening."""

    changes: Changes
    booking: Booking
    there: int
    back: int
    evening: int

    async def offer(self, origin: str, destination: str, days: int, slot_id: int) -> Offer:
        """What a search finds for one way."""
        desk = self.changes.desk
        day = desk.schedule.day + timedelta(days=days)
        command = FlightSearchInput(
            slices=[SliceInput(origin=origin, destination=destination, date=day)],
            passengers=PassengersInput(adults=1),
        )
        found = await itineraries.one_way(desk.database.reader(), command)
        one = next(one for one in found if one.slot_id == slot_id and one.family_code == "MAIN")
        return offers.read(desk.keyring, one.offered(desk.keyring, offers.expiry()).id)

    async def wish(self, offer: Offer, unit: str, *replaces: int) -> ChangeFlights:
        """The wish for that offer, with a seat that is held."""
        (slot_id,) = [one.slot_id for one in offer.segments]
        (ada,) = await self.changes.people(self.booking)
        return ChangeFlights(
            offer_token=offer.id,
            hold_id=await self.changes.desk.hold(unit, slot_id=slot_id),
            replaces=replaces,
            seats=(SeatWish(passenger_id=ada.id, slot_id=slot_id, unit=unit),),
        )


@pytest.fixture
async def trip(changes: Changes) -> Trip:
    desk = changes.desk
    database, schedule = desk.database, desk.schedule
    await write_fares(database, schedule, MAIN=90_00)
    noon = schedule.departs_at + 48 * HOUR
    back, evening = [
        await write_flight(database, schedule, number, noon + n * HOUR) for number, n in ((11, 0), (12, 4))
    ]
    command = FlightSearchInput(
        slices=[
            SliceInput(origin="JFK", destination="LAX", date=schedule.day),
            SliceInput(origin="LAX", destination="JFK", date=schedule.day + timedelta(days=2)),
        ],
        passengers=PassengersInput(adults=1),
    )
    found = await itineraries.search(database.reader(), command)
    offered = [offers.read(desk.keyring, one.offered(desk.keyring, offers.expiry()).id) for one in found]
    (offer,) = [one for one in offered if [part.slot_id for part in one.segments] == [schedule.first, back]]
    held = await hold(database, want(schedule.first, "3A"), want(back, "3A"))
    ada = traveller(schedule, PassengerType.ADULT, "Lovelace", "3A")
    both = replace(ada, seats=(*ada.seats, SeatChoice(slot_id=back, unit="3A")))
    booking = await desk.create(desk.command(offer, held.id, both))
    await bookings.pay(database, changes.gateways, booking.id, CARD, BACK, GUEST, key())
    return Trip(changes, await changes.booking(booking.id), schedule.first, back, evening)


async def test_the_way_back_alone_is_changed(trip: Trip) -> None:
    changes = trip.changes
    offer = await trip.offer("LAX", "JFK", 2, trip.evening)
    quote = await changes.quote(trip.booking, await trip.wish(offer, "3B", trip.back))
    assert (quote.difference, quote.penalty, quote.due) == (0, 60_00, 60_00)
    await changes.confirm(quote)
    assert await changes.rows("SELECT slot_id FROM booking_segments ORDER BY ordinal") == [
        (trip.there,),
        (trip.evening,),
    ]
    assert await changes.rows("SELECT slot_id, sum(amount) FROM booking_lines GROUP BY slot_id ORDER BY slot_id") == [
        (trip.there, THERE),
        (trip.evening, BACKWARDS),
    ]
    assert await changes.rows("SELECT slot_id, status FROM tickets ORDER BY number") == [
        (trip.there, "OPEN"),
        (trip.back, "EXCHANGED"),
        (trip.evening, "OPEN"),
    ]
    assert await seats(changes.desk.database, trip.there) == {"3A": "BOOKED"}
    assert await seats(changes.desk.database, trip.back) == {"3A": "AVAILABLE"}
    assert await seats(changes.desk.database, trip.evening) == {"3B": "BOOKED"}
    assert await changes.faults() == []


async def test_a_journey_keeps_its_way_and_its_order(trip: Trip) -> None:
    """Nobody flies back before they have arrived, nor from elsewhere, nor what they have booked already."""
    changes, schedule = trip.changes, trip.changes.desk.schedule
    too_early = await write_flight(changes.desk.database, schedule, 13, schedule.departs_at + 2 * HOUR)
    later = await trip.offer("JFK", "LAX", 0, schedule.second)
    wishes = [
        await trip.wish(await trip.offer("LAX", "JFK", 0, too_early), "3B", trip.back),
        await trip.wish(later, "3B", trip.back),
        await trip.wish(later, "3C"),
        await trip.wish(await trip.offer("LAX", "JFK", 2, trip.back), "3D", trip.back),
        await trip.wish(later, "2A", trip.evening),
    ]
    before, codes = await snapshot(changes.desk.database), []
    for wish in wishes:
        with pytest.raises(DomainError) as refusal:
            await changes.quote(trip.booking, wish)
        codes.append(refusal.value.code)
    assert codes == ["OTHER_JOURNEY", "OTHER_JOURNEY", "OTHER_JOURNEY", "INVALID_INPUT", "INVALID_INPUT"]
    assert await snapshot(changes.desk.database) == before
