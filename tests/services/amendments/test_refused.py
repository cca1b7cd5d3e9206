"""What cannot be changed, and quotes that are no good any more: nothing changes, and no money moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.errors import DomainError
from models import Amendment, Booking, Cabin
from services import bookings, holds
from services.amendments import ChangeFlights, CorrectName
from services.holds import HoldExpired, SlotUnits
from tests.factories.amendments import Changes
from tests.factories.bookings import GUEST, key, pass_time, snapshot
from tests.factories.holds import CAUSE

Spoil = Callable[[Changes, Booking], Awaitable[None]]


async def refused(changes: Changes, act: Awaitable[object]) -> str:
    """The code with which it is refused; it has changed nothing."""
    before = await snapshot(changes.desk.database)
    with pytest.raises(DomainError) as refusal:
        await act
    assert await snapshot(changes.desk.database) == before
    return refusal.value.code


async def run(changes: Changes, statement: str) -> None:
    async with changes.desk.database.transaction() as session:
        await session.execute(text(statement))


async def unchangeable(changes: Changes, booking: Booking) -> None:
    await run(changes, "UPDATE fare_families SET changeable = false")


async def leaves_soon(changes: Changes, booking: Booking) -> None:
    await run(changes, "UPDATE flights SET estimated_departure_at = jetway_now() + interval '59 minutes'")


async def has_left(changes: Changes, booking: Booking) -> None:
    await run(changes, "UPDATE flights SET status = 'DEPARTED'")


async def checked_in(changes: Changes, booking: Booking) -> None:
    async with changes.desk.database.transaction() as session:
        await holds.check_in(session, booking.hold_id, [SlotUnits(slot_id=changes.desk.schedule.first, units=("3A",))])


async def cancelled(changes: Changes, booking: Booking) -> None:
    database = changes.desk.database
    async with database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(database, changes.gateways, quote.id, booking.id, GUEST, key())


SPOILT: dict[Spoil, str] = {
    unchangeable: "NOT_CHANGEABLE",
    leaves_soon: "CHANGES_CLOSED",
    has_left: "CHANGES_CLOSED",
    checked_in: "CHECKED_IN",
    cancelled: "WRONG_STATE",
}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
async def test_what_cannot_be_changed_is_not_quoted(changes: Changes, spoil: Spoil) -> None:
    booking = await changes.paid("3A")
    wish = await changes.flight(booking, "3B")
    await spoil(changes, booking)
    assert await refused(changes, changes.quote(booking, wish)) == SPOILT[spoil]


async def test_what_waits_for_its_money_is_not_changed(changes: Changes) -> None:
    booking = await changes.desk.booked("3A")
    (ada,) = await changes.people(booking)
    wish = CorrectName(passenger_id=ada.id, first_name="Adah")
    assert await refused(changes, changes.quote(booking, wish)) == "WRONG_STATE"


async def test_an_offer_that_is_for_something_else(changes: Changes) -> None:
    booking, desk = await changes.paid("3A"), changes.desk
    wish = await changes.flight(booking, "3B")
    same = await desk.offer("FLEX")
    two = await desk.offer("FLEX", adults=2, slot_id=desk.schedule.second)
    first = await desk.offer("FIRST", slot_id=desk.schedule.second, cabin=Cabin.FIRST)
    codes = [
        await refused(changes, changes.quote(booking, replace(wish, offer_token=token)))
        for token in (same.id, two.id, first.id, "no-offer")
    ]
    assert codes == ["INVALID_INPUT", "PASSENGERS_DO_NOT_MATCH", "WRONG_CABIN", "INVALID_OFFER"]
    await run(changes, "UPDATE flights SET origin_code = 'LAX', destination_code = 'JFK' WHERE number = 2")
    assert await refused(changes, changes.quote(booking, wish)) == "OTHER_JOURNEY"


async def test_places_that_do_not_fit(changes: Changes) -> None:
    booking, desk = await changes.paid("3A"), changes.desk
    wish = await changes.flight(booking, "3B")
    more = await desk.hold("3C", "3D", slot_id=desk.schedule.second)
    codes = [
        await refused(changes, changes.quote(booking, asked))
        for asked in (
            replace(wish, hold_id=more),
            replace(wish, seats=()),
            replace(wish, hold_id=booking.hold_id),
            replace(wish, replaces=(desk.schedule.second,)),
        )
    ]
    assert codes == ["SEAT_NOT_HELD", "INVALID_INPUT", "HOLD_BOOKED", "INVALID_INPUT"]


async def quoted(changes: Changes) -> tuple[Booking, Amendment]:
    """A booking, and a quote for another flight with the fee due."""
    booking = await changes.paid("3A")
    return booking, await changes.quote(booking, await changes.flight(booking, "3B"))


@pytest.mark.parametrize("spoil", [s for s in SPOILT if s is not unchangeable], ids=lambda spoil: spoil.__name__)
async def test_what_cannot_be_changed_any_more_is_not_confirmed(changes: Changes, spoil: Spoil) -> None:
    booking, quote = await quoted(changes)
    await spoil(changes, booking)
    assert await refused(changes, changes.confirm(quote)) == SPOILT[spoil]


async def test_a_quote_ends_with_its_hold(changes: Changes) -> None:
    booking = await changes.paid("3A")
    wish: ChangeFlights = await changes.flight(booking, "3B")
    quote = await changes.quote(booking, wish)
    async with changes.desk.database.reading() as session:
        held_until = (
            await session.execute(text("SELECT expires_at FROM holds WHERE id = :id"), {"id": wish.hold_id})
        ).scalar_one()
    assert quote.expires_at == held_until
    await pass_time(changes.desk.database, timedelta(minutes=15, seconds=1))
    assert await refused(changes, changes.confirm(quote)) == "QUOTE_EXPIRED"


async def test_a_hold_that_was_given_back_is_missed(changes: Changes) -> None:
    _, quote = await quoted(changes)
    assert quote.hold_id is not None
    async with changes.desk.database.transaction() as session:
        await holds.release(session, quote.hold_id, CAUSE)
    with pytest.raises(HoldExpired):
        await changes.confirm(quote)
    assert await changes.status(quote) == "QUOTED"


async def test_a_booking_that_has_changed_needs_a_new_quote(changes: Changes) -> None:
    booking, quote = await quoted(changes)
    (ada,) = await changes.people(booking)
    other = await changes.quote(booking, CorrectName(passenger_id=ada.id, first_name="Adah"))
    await changes.confirm(other, method=None)
    assert await refused(changes, changes.confirm(quote)) == "QUOTE_EXPIRED"


async def test_a_quote_is_used_once_and_the_same_request_twice(changes: Changes) -> None:
    _, quote = await quoted(changes)
    again = key()
    first = await changes.confirm(quote, key_=again)
    before = await snapshot(changes.desk.database)
    second = await changes.confirm(quote, key_=again)
    assert (first.status, second.status) == ("APPLIED", "APPLIED")
    assert await snapshot(changes.desk.database) == before
    assert await refused(changes, changes.confirm(quote)) == "QUOTE_SPENT"
    assert await refused(changes, changes.confirm(quote, method="pm_card_mastercard", key_=again)) == (
        "IDEMPOTENCY_KEY_REUSED"
    )


async def test_what_is_due_is_paid_somehow(changes: Changes) -> None:
    _, quote = await quoted(changes)
    assert await refused(changes, changes.confirm(quote, method=None)) == "INVALID_INPUT"
