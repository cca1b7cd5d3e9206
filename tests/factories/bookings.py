"""Bookings for tests: made as a client makes them, by search, hold and command."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import text

from core.db import Database, ReadSession
from core.keys import Keyring
from models import Booking, Cabin, PassengerTitle, PassengerType
from services import bookings, itineraries, offers, outbox
from services.bookings import Contact, CreateBooking, PassengerDetails, SeatChoice
from services.holds import Owner
from services.itineraries import FlightSearchInput, PassengersInput, SliceInput
from services.offers import Offer
from services.seats import Plans
from tests.factories.holds import place
from tests.factories.schedules import Schedule

GUEST = Owner(user_id=None)
AGES = {
    PassengerType.ADULT: timedelta(days=36 * 365),
    PassengerType.CHILD: timedelta(days=8 * 365),
    PassengerType.INFANT: timedelta(days=200),
}


def key() -> str:
    """An idempotency key that a guest may use."""
    return str(uuid4())


def traveller(schedule: Schedule, type: PassengerType, last_name: str, *units: str) -> PassengerDetails:
    """Somebody of the right age, on the schedule's first flight."""
    return PassengerDetails(
        type=type,
        title=PassengerTitle.MS,
        first_name="Ada",
        last_name=last_name,
        date_of_birth=schedule.day - AGES[type],
        seats=tuple(SeatChoice(slot_id=schedule.first, unit=unit) for unit in units),
    )


class Desk:
    """A counter that sells seats on the schedule's first flight."""

    def __init__(self, database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> None:
        self.database = database
        self.keyring = keyring
        self.schedule = schedule
        self._plans = plans

    async def offer(
        self,
        family: str = "FLEX",
        adults: int = 1,
        children: int = 0,
        infants: int = 0,
        cabin: Cabin = Cabin.ECONOMY,
        slot_id: int | None = None,
    ) -> Offer:
        """What a search finds for a party in a fare family: on the first flight, or on that of the slot."""
        command = FlightSearchInput(
            slices=[SliceInput(origin="JFK", destination="LAX", date=self.schedule.day)],
            passengers=PassengersInput(adults=adults, children=children, infants=infants),
            cabin=cabin,
        )
        async with self.database.reading() as session:
            found = await itineraries.one_way(session, command)
        wanted = (slot_id or self.schedule.first, family)
        one = next(one for one in found if (one.slot_id, one.family_code) == wanted)
        return offers.read(self.keyring, one.offered(self.keyring, offers.expiry()).id)

    async def hold(self, *units: str, slot_id: int | None = None) -> UUID:
        """A guest's hold of those seats."""
        return await place(self.database, slot_id or self.schedule.first, *units)

    def command(self, offer: Offer, hold_id: UUID, *passengers: PassengerDetails, key_: str = "") -> CreateBooking:
        """A request to book."""
        return CreateBooking(
            owner=GUEST,
            offer_token=offer.id,
            hold_id=hold_id,
            contact=Contact(email="ada@example.org", phone="+1 (202) 555-0143"),
            passengers=passengers,
            idempotency_key=key_ or key(),
        )

    async def create(self, command: CreateBooking) -> Booking:
        """Have it booked."""
        return await bookings.book(self.database, self.keyring, command)

    async def booked(self, *units: str, family: str = "FLEX") -> Booking:
        """A booking of adults on those seats, which waits for its money."""
        offer, hold_id = await self.offer(family, adults=len(units)), await self.hold(*units)
        party = [traveller(self.schedule, PassengerType.ADULT, "Lovelace", unit) for unit in units]
        return await self.create(self.command(offer, hold_id, *party))


async def pass_time(database: Database, span: timedelta) -> None:
    """Move the clock by which deadlines are decided: `span` from the real time on."""
    async with database.transaction() as session:
        await session.execute(
            text(
                "CREATE OR REPLACE FUNCTION jetway_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS"
                f" $$ SELECT clock_timestamp() + interval '{span.total_seconds()} seconds' $$"
            )
        )


async def left_of(session: ReadSession, booking_id: UUID) -> int:
    """The minor units that were captured for a booking and neither went back nor are to."""
    statement = """
        SELECT coalesce(sum(captured - (
            SELECT coalesce(sum(amount), 0) FROM refunds WHERE payment_id = payments.id)), 0)
        FROM payments WHERE booking_id = $1
    """
    ((total,),) = await session.fetch(statement, booking_id)
    return int(total)


async def snapshot(database: Database) -> dict[str, list[object]]:
    """Every row that a refusal must leave as it was."""
    tables = (
        "amendments booking_extras bookings booking_lines booking_segments cancellation_quotes claims discrepancies"
        " facts fraud_rules fraud_signals fraud_assessments hold_items holds idempotency_keys ledger locators"
        " notices passengers payments payment_reviews pgqueuer pools refunds seat_assignments shares tickets"
        " transitions webhook_events"
    )
    async with database.reading() as session:
        return {
            table: sorted((await session.execute(text(f"SELECT * FROM {table}"))).all(), key=repr)  # noqa: S608 - ours
            for table in tables.split()
        }


async def story_of(database: Database, booking: Booking) -> tuple[list[tuple[str, str | None, str, str]], list[str]]:
    """What a booking's owner is told of it: subject, from, to and actor of its timeline, and the kinds of its facts."""
    async with database.reading() as session:
        lines = await bookings.timeline(session, await session.get_one(Booking, booking.id))
    shown = [(str(one.subject), one.came_from, one.to, str(one.actor)) for one in lines]
    return shown, await facts_of(database, outbox.booking_stream(booking.id))


async def facts_of(database: Database, stream: str) -> list[str]:
    """The kinds of a stream's facts, in order."""
    async with database.reading() as session:
        rows = await session.scalars(
            text("SELECT kind FROM facts WHERE stream = :stream ORDER BY id"), {"stream": stream}
        )
        return list(rows)
