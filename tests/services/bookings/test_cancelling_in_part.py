"""Some leave a booking, or some of its flights do: the rest stays confirmed, at what those have paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from core.errors import Conflict, Invalid
from core.ids import uuid7
from core.states import WrongState
from models import Booking, BookingStatus, CancellationQuote, CancellationRule, Passenger, PassengerType
from services import bookings, holds, invariants, itineraries, offers, outbox
from services.bookings import MinorsAlone, PassengerDetails, QuoteExpired, SeatChoice
from services.gateways import Gateways
from services.itineraries import FlightSearchInput, PassengersInput, SliceInput
from services.papers import records
from tests.factories.bookings import GUEST, Desk, facts_of, key, pass_time, snapshot, traveller
from tests.factories.holds import hold, want
from tests.factories.places import counts
from tests.factories.records import record
from tests.factories.returns import write_fares, write_flight
from tests.fakes.sandbox import Sandbox

FEE = 25_00
ADULT, CHILD, INFANT = PassengerType
TWO_DAYS = timedelta(days=2)


async def paid(desk: Desk, gateways: Gateways, booking: Booking) -> Booking:
    """The booking, paid two days ago: the 24-hour rule is over."""
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    await pass_time(desk.database, TWO_DAYS)
    return booking


async def family(desk: Desk, gateways: Gateways, family_: str = "FLEX") -> Booking:
    """Two adults, a child and an infant on UA1; the first adult's seat has extra legroom."""
    offer = await desk.offer(family_, adults=2, children=1, infants=1)
    party = [
        traveller(desk.schedule, ADULT, "Lovelace", "2A"),
        traveller(desk.schedule, ADULT, "Byron", "3B"),
        traveller(desk.schedule, CHILD, "Lovelace", "3C"),
        traveller(desk.schedule, INFANT, "Lovelace"),
    ]
    return await paid(desk, gateways, await desk.create(desk.command(offer, await desk.hold("2A", "3B", "3C"), *party)))


async def there_and_back(desk: Desk, gateways: Gateways) -> tuple[Booking, int]:
    """Two adults to LAX and, a week later, back; the slot of the way back."""
    await write_fares(desk.database, desk.schedule, FLEX=170_00)
    back = await write_flight(desk.database, desk.schedule, 11, desk.schedule.departs_at + timedelta(days=7))
    command = FlightSearchInput(slices=ways(desk.schedule.day, 7), passengers=PassengersInput(adults=2))
    (one,) = [
        found
        for found in await itineraries.search(desk.database.reader(), command)
        if (shown := found.offered(desk.keyring, offers.expiry())).fare_family.code == "FLEX"
        and shown.slices[0].segments[0].flight.slot_id == desk.schedule.first
    ]
    offer = offers.read(desk.keyring, one.offered(desk.keyring, offers.expiry()).id)
    held = await hold(desk.database, want(desk.schedule.first, "3A", "3B"), want(back, "3A", "3B"))
    party = [both(desk, back, name, unit) for name, unit in (("Lovelace", "3A"), ("Byron", "3B"))]
    return await paid(desk, gateways, await desk.create(desk.command(offer, held.id, *party))), back


def ways(day: date, days: int) -> list[SliceInput]:
    """From JFK to LAX, and back so many days later."""
    return [
        SliceInput(origin="JFK", destination="LAX", date=day),
        SliceInput(origin="LAX", destination="JFK", date=day + timedelta(days=days)),
    ]


def both(desk: Desk, back: int, last_name: str, unit: str) -> PassengerDetails:
    """An adult in the same seat on both flights."""
    there = traveller(desk.schedule, ADULT, last_name, unit)
    return PassengerDetails(**{**vars(there), "seats": (*there.seats, SeatChoice(slot_id=back, unit=unit))})


async def people(desk: Desk, booking: Booking) -> list[Passenger]:
    async with desk.database.reading() as session:
        return (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]


async def quote(
    desk: Desk, booking: Booking, who: Sequence[UUID] | None = None, flights: Sequence[int] | None = None
) -> CancellationQuote:
    async with desk.database.transaction() as session:
        return await bookings.quote_cancellation(session, booking, who, flights)


async def cancel(desk: Desk, gateways: Gateways, booking: Booking, offered: CancellationQuote) -> Booking:
    return await bookings.cancel(desk.database, gateways, offered.id, booking.id, GUEST, key())


async def seats(desk: Desk) -> dict[tuple[int, str], str]:
    """Every claim by slot and unit."""
    async with desk.database.reading() as session:
        rows = await session.execute(text("SELECT slot_id, unit, status FROM claims ORDER BY slot_id, unit"))
        return {(slot_id, unit): status for slot_id, unit, status in rows}


async def tickets(desk: Desk, booking: Booking) -> list[list[str]]:
    """The tickets of each passenger."""
    everybody = [one.id for one in await people(desk, booking)]
    async with desk.database.reading() as session:
        found = await bookings.tickets_by_passenger_ids(session, everybody)
    return [[ticket.status for ticket in found[one]] for one in everybody]


async def balances(desk: Desk) -> dict[str, int]:
    """What the ledger's accounts that owe hold."""
    async with desk.database.reading() as session:
        rows = await session.execute(
            text(
                "SELECT account, sum(amount) FROM (SELECT credit AS account, amount FROM ledger"
                " UNION ALL SELECT debit, -amount FROM ledger) AS halves GROUP BY account"
            )
        )
        return {account: int(amount) for account, amount in rows if amount}


async def lines(desk: Desk, booking: Booking) -> list[tuple[str, int]]:
    async with desk.database.reading() as session:
        found = (await bookings.lines_by_booking_ids(session, [booking.id]))[booking.id]
    return [(line.label, line.amount) for line in found]


async def assert_sound(desk: Desk, booking: Booking) -> None:
    """Every invariant holds, and the facts say what the rows say."""
    assert [one for one in await invariants.check(desk.database) if one.broken] == []
    async with desk.database.reading() as session:
        rebuilt = await record(session, booking.id)
        row = await session.get_one(Booking, booking.id)
        everybody = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]
        flights = (await bookings.segments_by_booking_ids(session, [booking.id]))[booking.id]
        paid_ = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
    assert {(key_, one["status"], one["refunded"]) for key_, one in rebuilt.payments.items()} == {
        (str(one.id), one.status, one.refunded) for one in paid_
    }
    assert (rebuilt.booking["status"], rebuilt.booking["total"]) == (row.status, row.total)
    assert rebuilt.gone == {str(one.id) for one in everybody if one.cancelled_at}
    assert rebuilt.given_up == {one.slot_id for one in flights if one.cancelled_at}


async def test_one_of_a_family_cannot_come(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await family(desk, gateways)
    _, byron, _, _ = await people(desk, booking)
    offered = await quote(desk, booking, [byron.id])
    # A fare of 180.00, 7.5 % tax on it, 5.60 for a seat; less the fee, which is kept once per booking.
    assert (offered.refund, offered.fee) == (180_00 + 13_50 + 5_60 - FEE, FEE)
    assert (offered.passengers, offered.slots, offered.rule) == ([byron.id], None, CancellationRule.LESS_FEE)
    left = await cancel(desk, gateways, booking, offered)
    assert (left.status, left.total) == (BookingStatus.CONFIRMED, booking.total - 199_10)
    assert await tickets(desk, booking) == [["OPEN"], ["REFUNDED"], ["OPEN"], ["OPEN"]]
    assert {unit: status for (_, unit), status in (await seats(desk)).items()} == {
        "2A": "BOOKED",
        "3B": "AVAILABLE",
        "3C": "BOOKED",
    }
    assert await counts(desk.database, desk.schedule.first) == (0, 2, 0)
    assert [one.cancelled_at is not None for one in await people(desk, booking)] == [False, True, False, False]
    assert (await lines(desk, booking))[-3:] == [
        ("Cancelled: UA1 fare", -180_00),
        ("Cancelled: UA1 taxes", -13_50),
        ("Cancelled: UA1 fees", -5_60),
    ]
    assert await balances(desk) == {"GATEWAY": -left.total - FEE, "UNEARNED": left.total, "FEES": FEE}
    (intent,) = await sandbox.intents(booking.id)
    page = await sandbox.ask("GET", f"/v1/refunds?payment_intent={intent['id']}")
    assert [one["amount"] for one in page["data"]] == [offered.refund]
    told = await facts_of(desk.database, outbox.booking_stream(booking.id))
    assert told[-5:] == [
        "refund.requested",
        "ticket.refunded",
        "booking.partly_cancelled",
        "refund.succeeded",
        "payment.refunded",
    ]
    await assert_sound(desk, booking)


async def test_an_infant_leaves_with_its_adult_and_the_rest_later(desk: Desk, gateways: Gateways) -> None:
    booking = await family(desk, gateways)
    ada, _, _, infant = await people(desk, booking)
    first = await quote(desk, booking, [ada.id])
    assert first.passengers == [ada.id, infant.id]
    await cancel(desk, gateways, booking, first)
    rest = await quote(desk, booking)
    assert (first.refund + rest.refund, first.fee + rest.fee) == (booking.total - FEE, FEE)
    assert (await cancel(desk, gateways, booking, rest)).status is BookingStatus.CANCELLED
    assert set((await seats(desk)).values()) == {"AVAILABLE"}
    assert await counts(desk.database, desk.schedule.first) == (0, 0, 0)
    assert await tickets(desk, booking) == [["REFUNDED"]] * 4
    assert await balances(desk) == {"GATEWAY": -FEE, "FEES": FEE}
    await assert_sound(desk, booking)


async def test_one_after_the_other_leaves(desk: Desk, gateways: Gateways) -> None:
    """A payment that is refunded bit by bit is told of each time, though its status stays."""
    booking = await family(desk, gateways)
    ada, byron, child, _ = await people(desk, booking)
    refunded = 0
    for leaving in (byron, child):
        offered = await quote(desk, booking, [leaving.id])
        await cancel(desk, gateways, booking, offered)
        refunded += offered.refund
        await assert_sound(desk, booking)
    told = await facts_of(desk.database, outbox.booking_stream(booking.id))
    assert told.count("payment.refunded") == 2
    assert (await people(desk, booking))[0].id == ada.id
    assert refunded == 199_10 + 135_00 + 10_13 + 5_60 - FEE


async def test_the_seat_is_its_passengers_own(desk: Desk, gateways: Gateways) -> None:
    booking = await family(desk, gateways)
    ada, byron, child, _ = await people(desk, booking)
    with_legroom, without = await quote(desk, booking, [ada.id]), await quote(desk, booking, [byron.id])
    legroom = next(amount for label, amount in await lines(desk, booking) if label.startswith("Seat 2A"))
    assert with_legroom.refund - without.refund == legroom == 39_00  # Its infant pays nothing.
    assert (await quote(desk, booking, [child.id])).refund == 135_00 + 10_13 + 5_60 - FEE


async def test_a_flight_is_given_up_for_everybody(desk: Desk, gateways: Gateways) -> None:
    booking, back = await there_and_back(desk, gateways)
    way_back = 2 * (170_00 + 12_75 + 5_60)
    offered = await quote(desk, booking, None, [back])
    assert (offered.refund, offered.fee, offered.slots) == (way_back - FEE, FEE, [back])
    left = await cancel(desk, gateways, booking, offered)
    assert (left.status, left.total) == (BookingStatus.CONFIRMED, booking.total - way_back)
    assert await tickets(desk, booking) == [["OPEN", "REFUNDED"]] * 2
    assert {slot for (slot, _), status in (await seats(desk)).items() if status == "AVAILABLE"} == {back}
    await assert_sound(desk, booking)
    with pytest.raises(Invalid):
        await quote(desk, booking, None, [back])
    everybody = await quote(desk, booking, [one.id for one in await people(desk, booking)])
    assert (everybody.refund, everybody.passengers, everybody.slots) == (left.total, None, None)
    assert (await cancel(desk, gateways, booking, everybody)).status is BookingStatus.CANCELLED
    await assert_sound(desk, booking)


async def test_what_was_flown_stays(desk: Desk, gateways: Gateways) -> None:
    booking, back = await there_and_back(desk, gateways)
    _, byron = await people(desk, booking)
    await pass_time(desk.database, timedelta(days=10, hours=12))
    for who, flights in ((None, None), (None, [desk.schedule.first])):
        with pytest.raises(Conflict) as refusal:
            await quote(desk, booking, who, flights)
        assert refusal.value.code == "FLIGHT_DEPARTED"
    async with desk.database.transaction() as session:
        await session.execute(
            text("UPDATE tickets SET status = 'USED' WHERE slot_id = :slot"), {"slot": desk.schedule.first}
        )
    offered = await quote(desk, booking, [byron.id])
    assert offered.refund + offered.fee == 188_35
    left = await cancel(desk, gateways, booking, offered)
    assert (left.status, left.total) == (BookingStatus.CONFIRMED, booking.total - 188_35)
    assert await tickets(desk, booking) == [["USED", "OPEN"], ["USED", "REFUNDED"]]
    assert (await seats(desk))[back, "3B"] == "AVAILABLE"
    assert (await seats(desk))[desk.schedule.first, "3B"] == "BOOKED"
    assert [one for one in await invariants.check(desk.database) if one.broken] == []


async def test_what_the_airline_cancels_comes_back_in_full(desk: Desk, gateways: Gateways) -> None:
    booking, back = await there_and_back(desk, gateways)
    async with desk.database.transaction() as session:
        statement = text("UPDATE flights SET status = 'CANCELLED' WHERE slot_id = :slot")
        await session.execute(statement, {"slot": back})
    offered = await quote(desk, booking, None, [back])
    assert (offered.refund, offered.fee, offered.rule) == (2 * 188_35, 0, CancellationRule.AIRLINE)
    left = await cancel(desk, gateways, booking, offered)
    rest = await quote(desk, booking)
    assert (rest.refund, rest.fee, rest.rule) == (left.total, 0, CancellationRule.AIRLINE)


async def test_a_fare_that_is_not_refundable_keeps_what_leaves(desk: Desk, gateways: Gateways) -> None:
    booking = await family(desk, gateways, "MAIN")
    _, byron, _, _ = await people(desk, booking)
    offered = await quote(desk, booking, [byron.id])
    assert (offered.refund, offered.fee) == (0, 113_10)
    left = await cancel(desk, gateways, booking, offered)
    assert (await tickets(desk, booking))[1] == ["VOID"]
    assert await balances(desk) == {"GATEWAY": -booking.total, "UNEARNED": left.total, "FEES": 113_10}
    await assert_sound(desk, booking)


async def test_refused_and_nothing_changed(desk: Desk, gateways: Gateways) -> None:
    unpaid = await desk.booked("3A", "3D")
    booking = await family(desk, gateways)
    ada, byron, child, _ = await people(desk, booking)
    other = (await people(desk, unpaid))[0]
    before = await snapshot(desk.database)
    asked: tuple[tuple[Booking, Any, Any, type[Conflict | Invalid], str], ...] = (
        (booking, [ada.id, byron.id], None, MinorsAlone, "MINORS_ALONE"),
        (booking, [other.id], None, Invalid, "INVALID_INPUT"),
        (booking, [uuid7()], None, Invalid, "INVALID_INPUT"),
        (booking, [], None, Invalid, "INVALID_INPUT"),
        (booking, None, [], Invalid, "INVALID_INPUT"),
        (booking, None, [desk.schedule.second], Invalid, "INVALID_INPUT"),
        (booking, [byron.id], [desk.schedule.first], Invalid, "INVALID_INPUT"),
        (unpaid, [other.id], None, WrongState, "WRONG_STATE"),
    )
    for target, who, flights, error, code in asked:
        with pytest.raises(error) as refusal:
            await quote(desk, target, who, flights)
        assert refusal.value.code == code
    assert await snapshot(desk.database) == before
    with pytest.raises(MinorsAlone) as alone:
        await quote(desk, booking, [ada.id, byron.id])
    assert alone.value.left == (child.id,)


async def test_a_quote_is_void_once_the_booking_has_changed(desk: Desk, gateways: Gateways) -> None:
    booking = await family(desk, gateways)
    _, byron, _, _ = await people(desk, booking)
    whole, one, same = await quote(desk, booking), await quote(desk, booking, [byron.id]), await quote(desk, booking)
    await cancel(desk, gateways, booking, one)
    before = await snapshot(desk.database)
    for stale in (whole, same):
        with pytest.raises(QuoteExpired, match="changed"):
            await cancel(desk, gateways, booking, stale)
    with pytest.raises(QuoteExpired) as spent:
        await cancel(desk, gateways, booking, one)
    assert spent.value.code == "QUOTE_SPENT"
    with pytest.raises(Invalid):
        await quote(desk, booking, [byron.id])
    assert await snapshot(desk.database) == before


async def test_whoever_has_checked_in_stays(desk: Desk, gateways: Gateways) -> None:
    booking = await family(desk, gateways)
    _, byron, child, _ = await people(desk, booking)
    offered, other = await quote(desk, booking, [byron.id]), await quote(desk, booking, [child.id])
    async with desk.database.transaction() as session:
        await holds.check_in(session, booking.hold_id, [want(desk.schedule.first, "3B")])
    before = await snapshot(desk.database)
    with pytest.raises(Conflict) as refusal:
        await cancel(desk, gateways, booking, offered)
    assert refusal.value.code == "SEATS_NOT_BOOKED"
    assert await snapshot(desk.database) == before
    assert (await cancel(desk, gateways, booking, other)).status is BookingStatus.CONFIRMED


async def test_whoever_left_does_not_find_it_by_their_name(desk: Desk, gateways: Gateways) -> None:
    booking = await family(desk, gateways)
    _, byron, _, _ = await people(desk, booking)
    await cancel(desk, gateways, booking, await quote(desk, booking, [byron.id]))
    async with desk.database.reading() as session:
        assert await bookings.by_pnr(session, booking.pnr, "Byron") is None
        assert await bookings.by_pnr(session, booking.pnr, "Lovelace") is not None


async def test_papers_are_of_those_who_travel(desk: Desk, gateways: Gateways) -> None:
    booking, back = await there_and_back(desk, gateways)
    _, byron = await people(desk, booking)
    await cancel(desk, gateways, booking, await quote(desk, booking, None, [back]))
    await cancel(desk, gateways, booking, await quote(desk, booking, [byron.id]))
    async with desk.database.reading() as session:
        paper = await records.read(session, await session.get_one(Booking, booking.id))
    assert [one.name for one in paper.travellers] == ["Ms Ada Lovelace"]
    assert [one.departure.slot_id for one in paper.flights] == [desk.schedule.first]
    assert sum(amount.minor_units for _, amount in paper.lines) == paper.total.minor_units == 199_10
