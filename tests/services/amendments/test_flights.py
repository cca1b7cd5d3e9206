"""Another flight: its price instead of the old one's, the fare's fee, and every place, ticket and unit in order."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from models import AmendmentStatus
from services import bookings
from services.amendments import SeatWish
from tests.factories.amendments import Changes
from tests.factories.bookings import GUEST, facts_of, key
from tests.factories.holds import pools, seats

FLEX, MAIN = 199_10, 113_10
"""What a flight costs: 180.00 or 100.00, 7.5 % of it, and 5.60."""


async def test_a_later_flight_costs_the_fee(changes: Changes) -> None:
    booking = await changes.paid("3A")
    quote = await changes.quote(booking, await changes.flight(booking, "3B"))
    schedule = changes.desk.schedule
    assert (quote.difference, quote.penalty, quote.due) == (0, 30_00, 30_00)
    assert quote.reason == "The fare asks a fee for a change."
    assert quote.change["told"] == [["flights", f"UA1 on {schedule.day}", f"UA2 on {schedule.day}"]]
    assert (await changes.confirm(quote)).status is AmendmentStatus.APPLIED
    after = await changes.booking(booking.id)
    assert (after.status, after.total, after.hold_id) == ("CONFIRMED", FLEX, booking.hold_id)
    assert await seats(changes.desk.database, schedule.first) == {"3A": "AVAILABLE"}
    assert await seats(changes.desk.database, schedule.second) == {"3B": "BOOKED"}
    assert await pools(changes.desk.database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}
    assert await changes.rows("SELECT slot_id, status FROM tickets ORDER BY number") == [
        (schedule.first, "EXCHANGED"),
        (schedule.second, "OPEN"),
    ]
    assert await changes.rows("SELECT kind, amount FROM ledger ORDER BY id") == [
        ("CAPTURED", FLEX),
        ("CAPTURED", 30_00),
        ("KEPT", 30_00),
    ]
    told = await facts_of(changes.desk.database, f"booking:{booking.id}")
    assert told[told.index("amendment.quoted") :] == [
        "amendment.quoted",
        "payment.initiated",
        "amendment.payment_pending",
        "payment.authorized",
        "payment.captured",
        "ticket.exchanged",
        "ticket.issued",
        "amendment.applied",
        "booking.changed",
    ]
    assert await changes.faults() == []


async def test_a_dearer_fare_is_paid_with_the_fee(changes: Changes) -> None:
    booking = await changes.paid("3A", family="MAIN")
    quote = await changes.quote(booking, await changes.flight(booking, "2B"))
    assert (quote.difference, quote.penalty, quote.due) == (FLEX + 39_00 - MAIN, 60_00, FLEX + 39_00 - MAIN + 60_00)
    assert [line["label"] for line in quote.added][-1] == "Seat 2B, extra legroom"
    await changes.confirm(quote)
    after = await changes.booking(booking.id)
    assert after.total == FLEX + 39_00
    assert await changes.rows("SELECT slot_id, family_code, booking_class FROM booking_segments") == [
        (changes.desk.schedule.second, "FLEX", "Y")
    ]
    assert await changes.rows("SELECT label, amount FROM booking_lines ORDER BY ordinal") == [
        ("Flex fare, 1 × adult", 180_00),
        ("US transportation tax", 13_50),
        ("September 11 security fee", 5_60),
        ("Seat 2B, extra legroom", 39_00),
    ]
    assert await changes.faults() == []


async def test_what_a_cheaper_fare_leaves_is_given_back_at_once(changes: Changes) -> None:
    booking = await changes.paid("3A", "3B")
    quote = await changes.quote(booking, await changes.flight(booking, "2A", "2B", family="MAIN"))
    lower = 2 * FLEX - 2 * MAIN - 2 * 39_00
    assert (quote.difference, quote.penalty, quote.due) == (-lower, 30_00, 30_00 - lower)
    assert quote.reason == "The fare asks a fee for a change. What is left of the difference is given back."
    assert (await changes.confirm(quote, method=None)).status is AmendmentStatus.APPLIED
    assert await changes.rows("SELECT status, amount FROM refunds") == [("SUCCEEDED", lower - 30_00)]
    assert (await changes.booking(booking.id)).total == 2 * FLEX - lower
    assert await changes.faults() == []


async def test_a_fare_that_is_not_refundable_gives_nothing_back(changes: Changes) -> None:
    booking = await changes.paid("2A", family="MAIN")
    quote = await changes.quote(booking, await changes.flight(booking, "3A", family="MAIN"))
    assert (quote.difference, quote.penalty, quote.due) == (-39_00, 60_00, 21_00)
    await changes.confirm(quote)
    assert (await changes.booking(booking.id)).total == MAIN
    assert await changes.faults() == []


async def test_nothing_due_is_done_at_once_and_the_rest_is_kept(changes: Changes) -> None:
    booking = await changes.paid("2A", "2B", family="MAIN")
    quote = await changes.quote(booking, await changes.flight(booking, "3A", "3B", family="MAIN"))
    assert (quote.difference, quote.penalty, quote.due) == (-78_00, 78_00, 0)
    assert quote.reason.endswith("This fare is not refundable: nothing of the difference is given back.")
    assert (await changes.confirm(quote, method=None)).status is AmendmentStatus.APPLIED
    assert await changes.rows("SELECT count(*) FROM refunds") == [(0,)]
    assert await changes.rows("SELECT kind, amount FROM ledger ORDER BY id") == [
        ("CAPTURED", 2 * MAIN + 78_00),
        ("KEPT", 78_00),
    ]
    assert await changes.faults() == []


async def test_within_a_day_of_booking_a_week_ahead_it_is_free(changes: Changes) -> None:
    database = changes.desk.database
    booking = await changes.paid("3A")
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE flights SET departs_at = departs_at + '5 d', arrives_at = arrives_at + '5 d'")
        )
    quote = await changes.quote(booking, await changes.flight(booking, "3B"))
    assert (quote.penalty, quote.due) == (0, 0)
    assert quote.reason == "Changed within 24 hours of booking, a week ahead: no fee."


async def test_a_flight_that_the_airline_cancelled_is_changed_free_of_charge(changes: Changes) -> None:
    booking = await changes.paid("3A", family="MAIN")
    async with changes.desk.database.transaction() as session:
        await session.execute(
            text("UPDATE flights SET status = 'CANCELLED' WHERE slot_id = :id"), {"id": changes.desk.schedule.first}
        )
    quote = await changes.quote(booking, await changes.flight(booking, "3B", family="MAIN"))
    assert (quote.difference, quote.penalty, quote.due) == (0, 0, 0)
    assert quote.reason == "The airline has cancelled the flight: no fee."
    await changes.confirm(quote, method=None)
    assert await changes.faults() == []


async def test_there_and_back_again(changes: Changes) -> None:
    """A booking that comes back to its first flight has new tickets for that, and one hold still."""
    booking, schedule = await changes.paid("3A"), changes.desk.schedule
    await changes.confirm(await changes.quote(booking, await changes.flight(booking, "3B")))
    again = await changes.flight(booking, "3C", family="MAIN", slot_id=schedule.first)
    await changes.confirm(await changes.quote(booking, again))
    assert await seats(changes.desk.database, schedule.first) == {"3A": "AVAILABLE", "3C": "BOOKED"}
    assert await changes.rows("SELECT slot_id, status FROM tickets ORDER BY number") == [
        (schedule.first, "EXCHANGED"),
        (schedule.second, "EXCHANGED"),
        (schedule.first, "OPEN"),
    ]
    assert await changes.faults() == []


async def test_it_is_cancelled_afterwards_like_any_other(changes: Changes) -> None:
    booking = await changes.paid("3A")
    await changes.confirm(await changes.quote(booking, await changes.flight(booking, "3B", family="FLEX")))
    database = changes.desk.database
    async with database.transaction() as session:
        quote = await bookings.quote_cancellation(session, await changes.booking(booking.id))
    assert (quote.refund, quote.fee) == (FLEX - 25_00, 25_00)
    await bookings.cancel(database, changes.gateways, quote.id, booking.id, GUEST, key())
    assert await seats(database, changes.desk.schedule.second) == {"3B": "AVAILABLE"}
    assert (await changes.rows("SELECT sum(amount) FROM refunds WHERE status = 'SUCCEEDED'"))[0][0] == FLEX - 25_00
    assert await changes.faults() == []


async def test_one_of_two_leaves_afterwards_and_the_other_changes_once_more(changes: Changes) -> None:
    booking, database, schedule = await changes.paid("3A", "3B"), changes.desk.database, changes.desk.schedule
    await changes.confirm(await changes.quote(booking, await changes.flight(booking, "3A", "3B")))
    ada, charles = await changes.people(booking)
    async with database.transaction() as session:
        quote = await bookings.quote_cancellation(session, await changes.booking(booking.id), [charles.id])
    assert (quote.refund, quote.fee) == (FLEX - 25_00, 25_00)
    await bookings.cancel(database, changes.gateways, quote.id, booking.id, GUEST, key())
    assert await changes.faults() == []
    alone = replace(
        await changes.flight(booking, "3C", "3D", slot_id=schedule.first),
        offer_token=(await changes.desk.offer("FLEX", slot_id=schedule.first)).id,
        hold_id=await changes.desk.hold("2C"),
        seats=(SeatWish(passenger_id=ada.id, slot_id=schedule.first, unit="2C"),),
    )
    await changes.confirm(await changes.quote(booking, alone))
    after = await changes.booking(booking.id)
    assert (after.status, after.total) == ("CONFIRMED", FLEX + 39_00)
    assert await seats(database, schedule.second) == {"3A": "AVAILABLE", "3B": "AVAILABLE"}
    assert await changes.faults() == []


async def test_half_of_the_difference_comes_back_on_the_day_before(changes: Changes) -> None:
    booking = await changes.paid("2A")
    async with changes.desk.database.transaction() as session:
        await session.execute(
            text("UPDATE flights SET estimated_departure_at = jetway_now() + interval '20 hours' WHERE slot_id = :id"),
            {"id": changes.desk.schedule.first},
        )
    quote = await changes.quote(booking, await changes.flight(booking, "3A"))
    assert (quote.difference, quote.penalty, quote.due) == (-39_00, 30_00 + 4_50, -4_50)
    assert quote.reason.endswith("12 to 24 hours before departure half of the difference is given back.")
