"""Extras are added to a confirmed booking: quoted, held when they are confirmed, and theirs once they are paid for."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from core.errors import Conflict
from models import Amendment, Booking
from services import extras
from services.amendments import AddExtras
from services.bookings import QuoteExpired
from services.extras import ExtraChoice, ExtraSoldOut
from services.gateways import Gateways
from services.payments import PaymentDeclined
from tests.factories.amendments import Changes
from tests.factories.bookings import Desk, snapshot
from tests.factories.extras import BAG, INSURANCE, MEAL, STAFF, choice, put_on_sale, stock
from tests.fakes.blocking import until_blocked

DECLINED = "pm_card_visa_chargeDeclined"


@pytest.fixture
async def changes(desk: Desk, gateways: Gateways) -> Changes:
    """What changes bookings, with the catalogue on sale: two meals on the first flight."""
    await put_on_sale(desk.database, desk.schedule)
    return Changes(desk, gateways)


async def wish(changes: Changes, booking: Booking, *choices: ExtraChoice) -> AddExtras:
    """The wish of a booking's first passenger."""
    person = (await changes.people(booking))[0]
    return AddExtras(choices=tuple((person.id, one) for one in choices))


async def quoted(changes: Changes, booking: Booking, *codes: str) -> Amendment:
    """A quote for those extras."""
    wanted = [choice(changes.desk.schedule, code) for code in codes]
    return await changes.quote(booking, await wish(changes, booking, *wanted))


async def owned(changes: Changes, booking_id: UUID) -> list[tuple[str, str]]:
    """What a booking's passengers have, with what it is worth."""
    async with changes.desk.database.reading() as session:
        return [(one.code, str(one.status)) for one in await extras.owned_by(session, booking_id)]


async def test_a_quote_holds_nothing_and_a_paid_one_is_theirs(changes: Changes) -> None:
    booking = await changes.paid("3A")
    quote = await quoted(changes, booking, MEAL, BAG, INSURANCE)
    assert (quote.due, quote.penalty, quote.kind) == (66_00, 0, "EXTRAS")
    assert await stock(changes.desk.database, changes.desk.schedule, MEAL) == (0, 0)
    done = await changes.confirm(quote)
    assert done.status == "APPLIED"
    assert await owned(changes, booking.id) == [(MEAL, "ISSUED"), (BAG, "ISSUED"), (INSURANCE, "ISSUED")]
    assert await stock(changes.desk.database, changes.desk.schedule, MEAL) == (0, 1)
    assert (await changes.booking(booking.id)).total == booking.total + 66_00
    assert await changes.faults() == []


async def test_of_two_who_confirm_a_quote_at_once_one_does(changes: Changes) -> None:
    """Both have read the quote, without its hold of the meal, before either has made that."""
    booking, database = await changes.paid("3A"), changes.desk.database
    quote = await quoted(changes, booking, MEAL)
    async with database.transaction() as session:
        await session.get_one(Booking, booking.id, with_for_update=True)
        rivals = [asyncio.create_task(changes.confirm(quote)) for _ in range(2)]
        await until_blocked(database, 2)
    outcomes = await asyncio.gather(*rivals, return_exceptions=True)
    assert [one.status for one in outcomes if isinstance(one, Amendment)] == ["APPLIED"]
    assert [one.code for one in outcomes if isinstance(one, Conflict)] == ["PAYMENT_UNDER_WAY"]
    assert await stock(database, changes.desk.schedule, MEAL) == (0, 1)
    assert await owned(changes, booking.id) == [(MEAL, "ISSUED")]
    assert await changes.faults() == []


async def test_a_decline_keeps_the_meal_for_another_card(changes: Changes) -> None:
    booking = await changes.paid("3A")
    quote = await quoted(changes, booking, MEAL)
    with pytest.raises(PaymentDeclined):
        await changes.confirm(quote, DECLINED)
    assert await stock(changes.desk.database, changes.desk.schedule, MEAL) == (1, 0)
    assert await owned(changes, booking.id) == []
    assert (await changes.confirm(quote)).status == "APPLIED"
    assert await stock(changes.desk.database, changes.desk.schedule, MEAL) == (0, 1)
    assert await changes.faults() == []


async def test_what_is_gone_by_then_is_refused_and_changes_nothing(changes: Changes) -> None:
    await put_on_sale(changes.desk.database, changes.desk.schedule, meals=1)
    one, other = await changes.paid("3A"), await changes.paid("3B")
    quotes = [await quoted(changes, booking, MEAL) for booking in (one, other)]
    await changes.confirm(quotes[0])
    before = await snapshot(changes.desk.database)
    with pytest.raises(ExtraSoldOut) as refusal:
        await changes.confirm(quotes[1])
    assert refusal.value.left == 0
    assert await snapshot(changes.desk.database) == before
    with pytest.raises(ExtraSoldOut):
        await quoted(changes, other, MEAL)


async def test_more_than_one_can_have_is_refused(changes: Changes) -> None:
    booking = await changes.paid("3A")
    await changes.confirm(await quoted(changes, booking, MEAL))
    with pytest.raises(Exception, match="can have 1 of Vegan meal"):
        await quoted(changes, booking, MEAL)


async def test_extras_of_a_flight_that_is_changed_are_given_up(changes: Changes) -> None:
    booking = await changes.paid("3A")
    await changes.confirm(await quoted(changes, booking, MEAL, INSURANCE))
    later = await changes.booking(booking.id)
    quote = await changes.quote(later, await changes.flight(later, "3B"))
    assert quote.difference == -12_00
    await changes.confirm(quote)
    assert await owned(changes, booking.id) == [(INSURANCE, "ISSUED")]
    assert await stock(changes.desk.database, changes.desk.schedule, MEAL) == (0, 0)
    assert await changes.faults() == []


async def test_two_quotes_for_what_is_free_are_not_both_taken_up(changes: Changes) -> None:
    async with changes.desk.database.transaction() as session:
        await extras.price(session, "UA", MEAL, "USD", 0, STAFF)
    booking = await changes.paid("3A")
    first, second = await quoted(changes, booking, MEAL), await quoted(changes, booking, MEAL)
    assert (await changes.confirm(first, None)).status == "APPLIED"
    with pytest.raises(QuoteExpired):
        await changes.confirm(second, None)
    assert await owned(changes, booking.id) == [(MEAL, "ISSUED")]
    assert await changes.faults() == []
