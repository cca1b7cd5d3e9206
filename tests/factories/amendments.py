"""Bookings that are paid and then changed, as their owner does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from models import Amendment, Booking, Passenger
from services import amendments, bookings, invariants
from services.amendments import ChangeFlights, ChangeSeats, SeatWish, Wish
from services.fraud import NOBODY, Payer
from services.gateways import Gateways
from services.transitions import Cause
from tests.factories.bookings import GUEST, Desk, key

CARD = "pm_card_visa"
BACK = "https://shop.example/changed"


@dataclass(frozen=True)
class Changes:
    """What changes bookings of a desk, paid at a gateway."""

    desk: Desk
    gateways: Gateways

    async def paid(self, *units: str, family: str = "FLEX") -> Booking:
        """A confirmed booking of adults on those seats of the first flight."""
        booking = await self.desk.booked(*units, family=family)
        await bookings.pay(self.desk.database, self.gateways, booking.id, CARD, BACK, GUEST, key())
        return await self.booking(booking.id)

    async def people(self, booking: Booking) -> list[Passenger]:
        async with self.desk.database.reading() as session:
            return (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]

    async def flight(
        self, booking: Booking, *units: str, family: str = "FLEX", slot_id: int | None = None
    ) -> ChangeFlights:
        """The wish to have those seats on the second flight, or on that of the slot, which are held for it."""
        slot_id = slot_id or self.desk.schedule.second
        people = await self.people(booking)
        offer = await self.desk.offer(family, adults=len(people), slot_id=slot_id)
        return ChangeFlights(
            offer_token=offer.id,
            hold_id=await self.desk.hold(*units, slot_id=slot_id),
            replaces=(),
            seats=tuple(
                SeatWish(passenger_id=one.id, slot_id=slot_id, unit=unit)
                for one, unit in zip(people, units, strict=True)
            ),
        )

    async def seat(self, booking: Booking, unit: str) -> ChangeSeats:
        """The wish of the first passenger to have that seat on the first flight, which is held for it."""
        people = await self.people(booking)
        wish = SeatWish(passenger_id=people[0].id, slot_id=self.desk.schedule.first, unit=unit)
        return ChangeSeats(hold_id=await self.desk.hold(unit), seats=(wish,))

    async def quote(self, booking: Booking, wish: Wish) -> Amendment:
        async with self.desk.database.transaction() as session:
            cause = Cause(actor=GUEST.key, reason="asked")
            return await amendments.quote(session, self.desk.keyring, booking, wish, cause)

    async def confirm(
        self, quote: Amendment, method: str | None = CARD, key_: str = "", payer: Payer = NOBODY
    ) -> Amendment:
        return await amendments.confirm(
            self.desk.database, self.gateways, quote.id, quote.booking_id, method, BACK, GUEST, key_ or key(), payer
        )

    async def booking(self, booking_id: UUID) -> Booking:
        async with self.desk.database.reading() as session:
            return await session.get_one(Booking, booking_id)

    async def status(self, quote: Amendment) -> str:
        async with self.desk.database.reading() as session:
            return str((await session.get_one(Amendment, quote.id)).status)

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        async with self.desk.database.reading() as session:
            return [tuple(row) for row in await session.execute(text(statement))]

    async def faults(self) -> list[object]:
        """Every invariant that does not hold."""
        return [(one.name, *one.broken) for one in await invariants.check(self.desk.database) if one.broken]
