"""Of what clients may add to without end, so much is shown as an operation is told to cost; what matters always is."""

from __future__ import annotations

from sqlalchemy import text

from core.db import Database
from core.ids import uuid7
from core.keys import Keyring
from services import bookings
from services.bookings.reading import MOST_ATTEMPTS
from services.seats import Plans
from tests.factories.bookings import Desk
from tests.factories.schedules import Schedule

INSERT = text(
    "INSERT INTO payments (id, booking_id, gateway, method, status, amount, currency, created_at)"
    " VALUES (:id, :booking, 'stripe', 'pm_card_visa', :status, 100, 'USD', now())"
)


async def test_attempts_to_pay(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> None:
    """The first was authorised, and any number after it declined: it is shown with the latest of the others."""
    desk = Desk(database, keyring, plans, schedule)
    booking, other = await desk.booked("3A"), await desk.booked("3B")
    ids = [uuid7() for _ in range(MOST_ATTEMPTS + 5)]
    async with database.transaction() as session:
        for place, id_ in enumerate(ids):
            status = "DECLINED" if place else "AUTHORIZED"
            await session.execute(INSERT, {"id": id_, "booking": booking.id, "status": status})
        await session.execute(INSERT, {"id": uuid7(), "booking": other.id, "status": "DECLINED"})
    found = await bookings.payments_by_booking_ids(database.reader(), [booking.id, other.id])
    assert [one.id for one in found[booking.id]] == [ids[0], *ids[6:]]
    assert len(found[other.id]) == 1
