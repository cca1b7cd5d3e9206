"""What was bought beside the seats of a flight goes with it: its stock is free, its price set against the new one."""

from __future__ import annotations

from dataclasses import replace

from models import Booking, PassengerType
from services import bookings
from tests.factories.amendments import BACK, CARD, Changes
from tests.factories.bookings import GUEST, key, traveller
from tests.factories.extras import BAG, INSURANCE, MEAL, choice, put_on_sale, stock


async def paid_with_extras(changes: Changes) -> Booking:
    """A booking with a meal and a bag on the first flight, and insurance for the journey."""
    desk = changes.desk
    ada = replace(
        traveller(desk.schedule, PassengerType.ADULT, "Lovelace", "3A"),
        extras=tuple(choice(desk.schedule, code) for code in (MEAL, BAG, INSURANCE)),
    )
    booking = await desk.create(desk.command(await desk.offer(), await desk.hold("3A"), ada))
    await bookings.pay(desk.database, changes.gateways, booking.id, CARD, BACK, GUEST, key())
    return await changes.booking(booking.id)


async def test_they_lapse_with_their_flight(changes: Changes) -> None:
    desk = changes.desk
    await put_on_sale(desk.database, desk.schedule)
    booking = await paid_with_extras(changes)
    quote = await changes.quote(booking, await changes.flight(booking, "3B"))
    assert (quote.difference, quote.penalty, quote.due) == (-47_00, 30_00, -17_00)
    await changes.confirm(quote, method=None)
    assert await stock(desk.database, desk.schedule, MEAL) == (0, 0)
    assert await changes.rows("SELECT status, unit_amount FROM booking_extras ORDER BY unit_amount") == [
        ("REFUNDED", 12_00),
        ("ISSUED", 19_00),
        ("REFUNDED", 35_00),
    ]
    assert (await changes.booking(booking.id)).total == 199_10 + 19_00
    assert await changes.faults() == []


async def test_the_price_of_what_is_not_refundable_is_kept(changes: Changes) -> None:
    desk = changes.desk
    await put_on_sale(desk.database, desk.schedule)
    booking = await paid_with_extras(changes)
    async with desk.database.transaction() as session:
        await session.fetch("UPDATE extras SET refundable = false WHERE code = $1 RETURNING id", BAG)
    quote = await changes.quote(booking, await changes.flight(booking, "3B"))
    assert (quote.difference, quote.penalty, quote.due) == (-47_00, 30_00 + 35_00, 18_00)
    assert quote.reason == "The fare asks a fee for a change. The price of some extras does not come back."
    await changes.confirm(quote)
    assert await changes.rows("SELECT status FROM booking_extras WHERE unit_amount = 3500") == [("VOID",)]
    assert await changes.faults() == []
