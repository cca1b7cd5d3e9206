"""Notices of what happens to a booking after its sale: changes, parts that leave it, and each refund by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from core.db import Database
from core.money import Money
from models import Booking, NoticeKind, PassengerType
from services import bookings, notices, refunds
from services.amendments import CorrectName
from services.bookings.cancellation import QuoteExpired
from services.gateways import Gateways, RefundAnswer, RefundOutcome
from services.holds import Owner
from services.transitions import Cause
from tests.factories.amendments import BACK, CARD, Changes
from tests.factories.bookings import Desk, facts_of, key, snapshot, traveller
from tests.factories.shares import asked
from tests.services.notices.conftest import Book

K = NoticeKind
CAUSE = Cause(actor="test", reason="a gesture")


@pytest.fixture
def changes(desk: Desk, gateways: Gateways) -> Changes:
    """What changes bookings of the counter."""
    return Changes(desk, gateways)


async def told(database: Database, owner: UUID) -> list[tuple[NoticeKind, str]]:
    """What the owner was told after the sale, the oldest first."""
    async with database.reading() as session:
        found = (await notices.newest(session, owner, 100))[::-1]
    return [(one.kind, one.message) for one in found if one.kind is not K.BOOKING_CONFIRMED]


async def renamed(changes: Changes, booking: Booking) -> CorrectName:
    """The wish to have the first name of whoever travels spelt in another way."""
    (ada,) = await changes.people(booking)
    return CorrectName(passenger_id=ada.id, first_name="Adah")


async def test_a_change_is_told_once_it_is_made(changes: Changes, book: Book, ada: UUID) -> None:
    booking = await book("2A", ada)
    quote = await changes.quote(booking, await renamed(changes, booking))
    assert await told(changes.desk.database, ada) == []
    await changes.confirm(quote, method=None)
    changed = f"Your booking {booking.pnr} is changed. name: Adah Lovelace."
    assert await told(changes.desk.database, ada) == [(K.BOOKING_CHANGED, changed)]
    everything = await snapshot(changes.desk.database)
    with pytest.raises(QuoteExpired):
        await changes.confirm(quote, method=None)
    assert await snapshot(changes.desk.database) == everything


async def test_a_change_that_could_not_be_made_is_told(changes: Changes, book: Book, ada: UUID) -> None:
    booking = await book("3A", ada)
    quote = await changes.quote(booking, await changes.flight(booking, "2B"))
    await changes.confirm(quote, method="pm_card_threeDSecure2Required")
    await cancelled(changes, booking, ada)
    (failed, *rest) = await told(changes.desk.database, ada)
    assert failed == (K.CHANGE_FAILED, f"Your booking {booking.pnr} could not be changed. You pay nothing for that.")
    assert [kind for kind, _ in rest] == [K.BOOKING_CANCELLED, K.PAYMENT_REFUNDED]


async def test_a_part_that_leaves_is_told_by_name(changes: Changes, ada: UUID) -> None:
    desk = changes.desk
    booking = await two(changes, ada)
    _, grace = await changes.people(booking)
    await cancelled(changes, booking, ada, [grace.id])
    found = await told(desk.database, ada)
    assert found[0] == (
        K.BOOKING_PARTLY_CANCELLED,
        f"Your booking {booking.pnr} is cancelled in part. It goes on without Ada Hopper.",
    )
    assert [kind for kind, _ in found] == [K.BOOKING_PARTLY_CANCELLED, K.PAYMENT_REFUNDED]
    assert (await facts_of(desk.database, f"booking:{booking.id}")).count("booking.notified") == 3


async def test_each_refund_is_told_with_its_own_amount(changes: Changes, book: Book, ada: UUID) -> None:
    booking = await book("2A", ada)
    database = changes.desk.database
    for cents, outcomes in ((30_00, "SUCCEEDED"), (20_00, "SUCCEEDED FAILED FAILED")):
        async with database.transaction() as session:
            (refund,) = await refunds.give_back(session, booking.id, Money(cents, "USD"), "a gesture", CAUSE)
        for outcome in outcomes.split():
            async with database.transaction() as session:
                answer = RefundAnswer(gateway_id=f"re_{refund.id}", outcome=RefundOutcome[outcome])
                await refunds.write(session, booking.id, refund.id, answer)
    assert await told(database, ada) == [
        (K.PAYMENT_REFUNDED, f"30.00 USD of your booking {booking.pnr} are on their way back to you."),
        (K.PAYMENT_REFUNDED, f"20.00 USD of your booking {booking.pnr} are on their way back to you."),
        (
            K.REFUND_FAILED,
            f"20.00 USD of your booking {booking.pnr} could not be paid back to you. We owe them as before.",
        ),
    ]


async def test_the_owner_is_told_that_a_friend_s_share_goes_back_to_the_friend(changes: Changes, ada: UUID) -> None:
    desk = changes.desk
    database, owner = desk.database, Owner(user_id=ada)
    offer, hold_id = await desk.offer("FLEX"), await desk.hold("2A")
    party = traveller(desk.schedule, PassengerType.ADULT, "Lovelace", "2A")
    booking = await desk.create(replace(desk.command(offer, hold_id, party), owner=owner))
    async with database.transaction() as session:
        own, friend = await bookings.split(session, booking.id, 2, owner, key())
    for share, by_link in ((own, False), (friend, True)):
        await bookings.pay_as(database, changes.gateways, replace(asked(share, by_link=by_link), owner=owner))
    async with database.transaction() as session:
        half = Money(own.amount, "USD"), Money(friend.amount, "USD")
        made = await refunds.give_back(session, booking.id, half[0] + half[1], "a gesture", CAUSE)
    for refund, outcomes in zip(made, ("SUCCEEDED", "SUCCEEDED FAILED"), strict=True):
        for outcome in outcomes.split():
            async with database.transaction() as session:
                answer = RefundAnswer(gateway_id=f"re_{refund.id}", outcome=RefundOutcome[outcome])
                await refunds.write(session, booking.id, refund.id, answer)
    of = f"USD of your booking {booking.pnr}"
    assert await told(database, ada) == [
        (K.PAYMENT_REFUNDED, f"{half[0].amount} {of} are on their way back to you."),
        (K.PAYMENT_REFUNDED, f"{half[1].amount} {of} are on their way back to whoever paid it."),
        (K.REFUND_FAILED, f"{half[1].amount} {of} could not be paid back to whoever paid it. We owe them as before."),
    ]


async def test_guests_have_no_list(changes: Changes, book: Book) -> None:
    booking = await book("2A")
    await changes.confirm(await changes.quote(booking, await renamed(changes, booking)), method=None)
    assert await changes.rows("SELECT * FROM notices") == []


async def two(changes: Changes, owner: UUID) -> Booking:
    """Two adults on a booking that is paid."""
    desk = changes.desk
    party = [
        traveller(desk.schedule, PassengerType.ADULT, name, unit)
        for name, unit in (("Lovelace", "3A"), ("Hopper", "3B"))
    ]
    command = desk.command(await desk.offer(adults=2), await desk.hold("3A", "3B"), *party)
    made = await desk.create(replace(command, owner=Owner(user_id=owner)))
    await bookings.pay(desk.database, changes.gateways, made.id, CARD, BACK, Owner(user_id=owner), key())
    return made


async def cancelled(changes: Changes, booking: Booking, owner: UUID, who: Sequence[UUID] | None = None) -> None:
    """Cancel a booking, or those passengers of it."""
    database = changes.desk.database
    async with database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking, who)
    await bookings.cancel(database, changes.gateways, quote.id, booking.id, Owner(user_id=owner), key())
