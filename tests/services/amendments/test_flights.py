"""Another flight: its price instead of the old one's, the fare's fee, and every place, ticket and unit in order."""

from __future__ import annotations

from tests.factories.amendments import Changes
from tests.factories.holds import pools, seats

BOOKED = 199_10
"""FLEX on one flight: 180.00, 7.5 % of it, and 5.60."""


async def test_a_later_flight_costs_the_fee(changes: Changes) -> None:
    booking = await changes.paid("3A")
    quote = await changes.quote(booking, await changes.flight(booking, "3B"))
    assert (quote.difference, quote.penalty, quote.due) == (0, 30_00, 30_00)
    assert quote.reason == "The fare asks a fee for a change."
    done = await changes.confirm(quote)
    assert done.status == "APPLIED"
    after, schedule = await changes.booking(booking.id), changes.desk.schedule
    assert (after.status, after.total) == ("CONFIRMED", BOOKED)
    assert await seats(changes.desk.database, schedule.first) == {"3A": "AVAILABLE"}
    assert await seats(changes.desk.database, schedule.second) == {"3B": "BOOKED"}
    assert await pools(changes.desk.database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}
    assert await changes.rows("SELECT slot_id, status FROM tickets ORDER BY number") == [
        (schedule.first, "EXCHANGED"),
        (schedule.second, "OPEN"),
    ]
    assert await changes.rows("SELECT kind, amount FROM ledger ORDER BY id") == [
        ("CAPTURED", BOOKED),
        ("CAPTURED", 30_00),
        ("KEPT", 30_00),
    ]
    assert await changes.faults() == []


async def test_a_seat_with_legroom_is_paid(changes: Changes) -> None:
    booking = await changes.paid("3A")
    quote = await changes.quote(booking, await changes.seat(booking, "2A"))
    assert (quote.difference, quote.penalty, quote.due) == (39_00, 0, 39_00)
    assert (await changes.confirm(quote)).status == "APPLIED"
    assert await seats(changes.desk.database, changes.desk.schedule.first) == {"3A": "AVAILABLE", "2A": "BOOKED"}
    assert await changes.faults() == []
