"""An extra is given up alone: its price comes back, its stock is everybody's, and the booking stays as it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from core.errors import DomainError
from models import Amendment, Booking, PassengerType
from services import bookings, extras, holds
from services.amendments import AddExtras, GiveUpExtras
from services.extras import Owned
from services.gateways import Gateways
from services.holds import SlotUnits
from tests.factories.amendments import BACK, CARD, Changes
from tests.factories.bookings import GUEST, Desk, key, snapshot, traveller
from tests.factories.extras import BAG, INSURANCE, MEAL, PRICES, PRIORITY, STAFF, choice, put_on_sale, stock

ALL = (MEAL, BAG, INSURANCE)


@pytest.fixture
def days_ahead() -> int:
    """Five: too soon for the 24-hour rule."""
    return 5


@pytest.fixture
async def changes(desk: Desk, gateways: Gateways) -> Changes:
    """What changes bookings, with the catalogue on sale."""
    await put_on_sale(desk.database, desk.schedule)
    return Changes(desk, gateways)


async def paid(changes: Changes, *units: str, family: str = "FLEX") -> Booking:
    """A confirmed booking of adults on those seats, each with a meal, two bags and insurance."""
    desk, had = changes.desk, [choice(changes.desk.schedule, code, 2 if code == BAG else 1) for code in ALL]
    party = [replace(traveller(desk.schedule, PassengerType.ADULT, "Ng", unit), extras=tuple(had)) for unit in units]
    offer = await desk.offer(family, adults=len(units))
    booking = await desk.create(desk.command(offer, await desk.hold(*units), *party))
    await bookings.pay(desk.database, changes.gateways, booking.id, CARD, BACK, GUEST, key())
    return await changes.booking(booking.id)


async def owned(changes: Changes, booking: Booking, place: int = 0) -> dict[str, Owned]:
    """What a passenger has, or had, by code."""
    person = (await changes.people(booking))[place]
    async with changes.desk.database.reading() as session:
        return {one.code: one for one in (await extras.of_passengers(session, [person.id]))[person.id]}


async def quoted(changes: Changes, booking: Booking, *codes: str) -> Amendment:
    """A quote for giving up those extras of the first passenger."""
    had = await owned(changes, booking)
    return await changes.quote(booking, GiveUpExtras(ids=tuple(had[code].id for code in codes)))


async def money(changes: Changes) -> list[tuple[object, ...]]:
    """What went back, and what was posted of it."""
    return [
        *await changes.rows("SELECT status, amount FROM refunds ORDER BY id"),
        *await changes.rows("SELECT kind, amount FROM ledger WHERE kind IN ('KEPT', 'OWED', 'REFUNDED') ORDER BY id"),
    ]


async def test_its_price_comes_back_and_its_stock_is_everybodys(changes: Changes) -> None:
    booking, desk = await paid(changes, "3A", "3B"), changes.desk
    quote = await quoted(changes, booking, MEAL)
    assert (quote.kind, quote.difference, quote.penalty, quote.due) == ("EXTRAS_GIVEN_UP", -12_00, 0, -12_00)
    assert await stock(desk.database, desk.schedule, MEAL) == (0, 2)
    assert (await changes.confirm(quote, None)).status == "APPLIED"
    assert await stock(desk.database, desk.schedule, MEAL) == (0, 1)
    assert {code: one.status for code, one in (await owned(changes, booking)).items()} == {
        MEAL: "REFUNDED", BAG: "ISSUED", INSURANCE: "ISSUED",
    }  # fmt: skip
    assert {one.status for one in (await owned(changes, booking, 1)).values()} == {"ISSUED"}
    after = await changes.booking(booking.id)
    assert (after.status, after.total) == ("CONFIRMED", booking.total - 12_00)
    assert await money(changes) == [("SUCCEEDED", 12_00), ("OWED", 12_00), ("REFUNDED", 12_00)]
    assert await changes.rows("SELECT label, amount FROM booking_lines WHERE amount < 0") == [
        ("Given up: 1 × Vegan meal, UA1", -12_00)
    ]
    assert await changes.rows("SELECT status FROM tickets") == [("OPEN",), ("OPEN",)]
    assert await changes.faults() == []


async def test_all_of_what_one_document_is_for_is_given_up_and_may_be_had_again(changes: Changes) -> None:
    booking = await paid(changes, "3A")
    quote = await quoted(changes, booking, MEAL, BAG)
    assert quote.due == -(12_00 + 70_00)
    await changes.confirm(quote, None)
    later = await changes.booking(booking.id)
    person = (await changes.people(later))[0]
    again = await changes.quote(later, AddExtras(choices=((person.id, choice(changes.desk.schedule, MEAL)),)))
    assert again.due == 12_00
    await changes.confirm(again)
    assert await stock(changes.desk.database, changes.desk.schedule, MEAL) == (0, 1)
    assert await changes.faults() == []


async def test_the_rest_of_the_booking_gives_back_what_is_left(changes: Changes) -> None:
    """One of two gives a bag up; a later cancellation gives back neither more nor less for it."""
    booking, desk = await paid(changes, "3A", "3B"), changes.desk
    await changes.confirm(await quoted(changes, booking, BAG), None)
    _, bob = await changes.people(booking)
    async with desk.database.transaction() as session:
        part = await bookings.quote_cancellation(session, booking, [bob.id])
    assert part.extras == sum(PRICES[code] for code in (MEAL, BAG, BAG, INSURANCE))
    await bookings.cancel(desk.database, changes.gateways, part.id, booking.id, GUEST, key())
    async with desk.database.transaction() as session:
        rest = await bookings.quote_cancellation(session, await changes.booking(booking.id))
    assert rest.extras == PRICES[MEAL] + PRICES[INSURANCE]
    await bookings.cancel(desk.database, changes.gateways, rest.id, booking.id, GUEST, key())
    assert await changes.faults() == []


async def test_it_comes_back_though_the_fare_does_not(changes: Changes) -> None:
    quote = await quoted(changes, await paid(changes, "3A", family="MAIN"), MEAL)
    assert (quote.due, quote.reason) == (-12_00, "All of the price of these extras is given back.")


async def test_what_is_not_refundable_comes_back_where_the_airline_cancels(changes: Changes) -> None:
    booking = await paid(changes, "3A")
    await run(changes, "UPDATE flights SET status = 'CANCELLED'")
    quote = await quoted(changes, booking, INSURANCE)
    assert quote.due == -19_00
    await changes.confirm(quote, None)
    assert (await owned(changes, booking))[INSURANCE].status == "REFUNDED"
    assert await changes.faults() == []


async def test_it_comes_back_too_where_the_airline_had_cancelled_what_is_given_up_by_now(changes: Changes) -> None:
    booking = await paid(changes, "3A", "3B")
    _, bob = await changes.people(booking)
    await run(changes, "UPDATE flights SET status = 'CANCELLED'")
    await part(changes, booking, bob.id)
    await run(changes, "UPDATE flights SET status = 'SCHEDULED'")
    assert (await quoted(changes, await changes.booking(booking.id), INSURANCE)).due == -19_00


async def part(changes: Changes, booking: Booking, *passengers: UUID) -> None:
    """Cancel the booking for those; for all where nobody is named."""
    database = changes.desk.database
    async with database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking, list(passengers) or None)
    await bookings.cancel(database, changes.gateways, quote.id, booking.id, GUEST, key())


async def test_a_quote_for_cancelling_ends_with_the_extras_though_the_price_is_the_same(changes: Changes) -> None:
    booking, desk = await paid(changes, "3A"), changes.desk
    (person,) = await changes.people(booking)
    async with desk.database.transaction() as session:
        old = await bookings.quote_cancellation(session, booking)
        await extras.price(session, "UA", PRIORITY, "USD", PRICES[MEAL], STAFF)
    await changes.confirm(await quoted(changes, booking, MEAL), None)
    wish = AddExtras(choices=((person.id, choice(desk.schedule, PRIORITY)),))
    await changes.confirm(await changes.quote(await changes.booking(booking.id), wish))
    assert (await changes.booking(booking.id)).total == booking.total
    spent = bookings.cancel(desk.database, changes.gateways, old.id, booking.id, GUEST, key())
    assert await refused(changes, spent) == "QUOTE_EXPIRED"


Spoil = Callable[[Changes, Booking], Awaitable[None]]


async def run(changes: Changes, statement: str) -> None:
    async with changes.desk.database.transaction() as session:
        await session.fetch(statement)


async def not_refundable(changes: Changes, booking: Booking) -> None:
    await run(changes, "UPDATE extras SET refundable = false")


async def late(changes: Changes, booking: Booking) -> None:
    await run(changes, "UPDATE flights SET estimated_departure_at = jetway_now() + interval '11 hours'")


async def flown(changes: Changes, booking: Booking) -> None:
    await run(changes, "UPDATE flights SET status = 'DEPARTED'")


async def checked_in(changes: Changes, booking: Booking) -> None:
    async with changes.desk.database.transaction() as session:
        await holds.check_in(session, booking.hold_id, [SlotUnits(slot_id=changes.desk.schedule.first, units=("3A",))])


async def given_up(changes: Changes, booking: Booking) -> None:
    await changes.confirm(await quoted(changes, booking, MEAL), None)


async def left(changes: Changes, booking: Booking) -> None:
    await run(changes, "UPDATE passengers SET cancelled_at = jetway_now()")


async def cancelled(changes: Changes, booking: Booking) -> None:
    await part(changes, booking)


SPOILT: dict[Spoil, str] = {
    not_refundable: "EXTRA_NOT_REFUNDABLE",
    late: "EXTRA_CLOSED",
    flown: "CHANGES_CLOSED",
    checked_in: "CHECKED_IN",
    given_up: "INVALID_INPUT",
    left: "INVALID_INPUT",
    cancelled: "WRONG_STATE",
}


async def refused(changes: Changes, act: Awaitable[object]) -> str:
    """The code with which it is refused; it has changed nothing."""
    before = await snapshot(changes.desk.database)
    with pytest.raises(DomainError) as refusal:
        await act
    assert await snapshot(changes.desk.database) == before
    return refusal.value.code


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
async def test_what_cannot_be_given_up_is_not_quoted(changes: Changes, spoil: Spoil) -> None:
    booking = await paid(changes, "3A")
    meal = (await owned(changes, booking))[MEAL]
    await spoil(changes, booking)
    later = await changes.booking(booking.id)
    assert await refused(changes, changes.quote(later, GiveUpExtras(ids=(meal.id,)))) == SPOILT[spoil]


async def test_what_is_for_the_journey_is_used_once_that_has_begun(changes: Changes) -> None:
    booking = await paid(changes, "3A")
    await run(changes, "UPDATE extras SET refundable = true")
    await flown(changes, booking)
    insurance = (await owned(changes, booking))[INSURANCE].id
    assert await refused(changes, changes.quote(booking, GiveUpExtras(ids=(insurance,)))) == "CHANGES_CLOSED"


async def test_nobody_gives_up_what_is_not_theirs(changes: Changes) -> None:
    mine, other = await paid(changes, "3A"), await paid(changes, "3B")
    own, foreign = (await owned(changes, mine))[MEAL].id, (await owned(changes, other))[MEAL].id
    wishes: list[tuple[UUID, ...]] = [(), (foreign,), (own, foreign), (own, own), (uuid4(),)]
    for ids in wishes:
        assert await refused(changes, changes.quote(mine, GiveUpExtras(ids=ids))) == "INVALID_INPUT", ids


async def test_a_quote_is_good_once_and_for_the_booking_as_it_was(changes: Changes) -> None:
    booking = await paid(changes, "3A")
    first, second = await quoted(changes, booking, MEAL), await quoted(changes, booking, MEAL)
    await changes.confirm(first, None)
    assert await refused(changes, changes.confirm(first, None)) == "QUOTE_SPENT"
    assert await refused(changes, changes.confirm(second, None)) == "QUOTE_EXPIRED"
    late_quote = await quoted(changes, await changes.booking(booking.id), BAG)
    await checked_in(changes, booking)
    assert await refused(changes, changes.confirm(late_quote, None)) == "CHECKED_IN"
