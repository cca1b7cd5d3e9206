"""A quote for a part of a booking is for just that part, at just that price, or it is void; nothing changes then."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from models import Booking, CancellationQuote
from services.bookings import QuoteExpired
from services.gateways import Gateways
from tests.factories.bookings import Desk, snapshot
from tests.services.bookings.test_cancelling_in_part import cancel, family, people, quote, there_and_back, tickets


async def change(desk: Desk, statement: str, **values: object) -> None:
    async with desk.database.transaction() as session:
        await session.execute(text(statement), values)


async def assert_void(desk: Desk, gateways: Gateways, booking: Booking, *offered: CancellationQuote) -> None:
    before = await snapshot(desk.database)
    for one in offered:
        with pytest.raises(QuoteExpired):
            await cancel(desk, gateways, booking, one)
    assert await snapshot(desk.database) == before


async def test_a_flight_that_has_left_since_is_no_part_of_it(desk: Desk, gateways: Gateways) -> None:
    booking, back = await there_and_back(desk, gateways)
    _, byron = await people(desk, booking)
    both, way_back = await quote(desk, booking, [byron.id]), await quote(desk, booking, None, [back])
    await change(desk, "UPDATE flights SET status = 'DEPARTED' WHERE slot_id = :slot", slot=desk.schedule.first)
    await assert_void(desk, gateways, booking, both, way_back)
    rest = await quote(desk, booking, [byron.id])
    assert (rest.refund + rest.fee, both.refund + both.fee) == (188_35, 199_10 + 188_35)
    await cancel(desk, gateways, booking, rest)
    assert await tickets(desk, booking) == [["OPEN", "OPEN"], ["OPEN", "REFUNDED"]]


async def test_seats_that_were_exchanged_have_other_prices(desk: Desk, gateways: Gateways) -> None:
    booking = await family(desk, gateways)
    ada, byron, _, _ = await people(desk, booking)
    dear, cheap = await quote(desk, booking, [ada.id]), await quote(desk, booking, [byron.id])
    for person, unit in ((ada, None), (byron, "2A"), (ada, "3B")):
        await change(desk, "UPDATE seat_assignments SET unit = :unit WHERE passenger_id = :id", unit=unit, id=person.id)
    await assert_void(desk, gateways, booking, dear, cheap)
    assert (await quote(desk, booking, [ada.id])).refund == cheap.refund
    assert (await quote(desk, booking, [byron.id])).refund == dear.refund


async def test_what_children_pay_may_not_change_between(desk: Desk, gateways: Gateways) -> None:
    booking = await family(desk, gateways)
    _, byron, child, _ = await people(desk, booking)
    offered = [await quote(desk, booking, [one.id]) for one in (byron, child)]
    await change(desk, "UPDATE fare_families SET child_basis_points = 10000 WHERE code = 'FLEX'")
    await assert_void(desk, gateways, booking, *offered)
    whole = await quote(desk, booking)
    assert whole.refund + whole.fee == booking.total
