"""What is due is paid by the saga: until the money is there the booking stands, and so it does where none is had."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from core.errors import Conflict
from models import Amendment, Booking, FraudMeasure, FraudSubject, FraudVerdict, PaymentStatus
from services import amendments, bookings, holds
from services.bookings.cancellation import QuoteExpired
from services.fraud import NOBODY
from services.holds import SlotUnits
from services.payments import PaymentDeclined
from tests.factories.amendments import Changes
from tests.factories.bookings import GUEST, key, pass_time, snapshot, story_of
from tests.factories.fraud import ADA, rule
from tests.factories.holds import pools, seats
from tests.fakes.sandbox import Sandbox

CHALLENGE = "pm_card_threeDSecure2Required"


async def quoted(changes: Changes) -> tuple[Booking, Amendment]:
    """A booking, and a quote for another flight with the fee due."""
    booking = await changes.paid("3A")
    return booking, await changes.quote(booking, await changes.flight(booking, "3B"))


async def waiting(changes: Changes) -> tuple[Booking, Amendment]:
    """The same, with a payment that waits for the payer's bank."""
    booking, quote = await quoted(changes)
    pending = await changes.confirm(quote, CHALLENGE)
    assert pending.status == "PAYMENT_PENDING"
    return booking, quote


async def payment_of(changes: Changes) -> tuple[str, str]:
    """Status and redirect of the payment of a change."""
    ((status, url),) = await changes.rows("SELECT status, redirect_url FROM payments WHERE amendment_id IS NOT NULL")
    return status, url


async def assert_as_before(changes: Changes, booking: Booking) -> None:
    """The booking has its old flight, and nobody anything of the new one."""
    schedule, database = changes.desk.schedule, changes.desk.database
    after = await changes.booking(booking.id)
    assert (after.status, after.total) == (booking.status, booking.total)
    assert await seats(database, schedule.first) == {"3A": "BOOKED"}
    assert (await seats(database, schedule.second)).get("3B", "AVAILABLE") == "AVAILABLE"
    assert await pools(database, schedule.second) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}
    assert await changes.rows("SELECT slot_id, status FROM tickets") == [(schedule.first, "OPEN")]
    assert await changes.faults() == []


async def test_a_bank_asks_first(changes: Changes, sandbox: Sandbox) -> None:
    booking, quote = await quoted(changes)
    again = key()
    pending = await changes.confirm(quote, CHALLENGE, again)
    assert pending.status == "PAYMENT_PENDING"
    status, url = await payment_of(changes)
    assert status == PaymentStatus.REQUIRES_ACTION
    assert await seats(changes.desk.database, changes.desk.schedule.first) == {"3A": "BOOKED"}
    await sandbox.answer_challenge(url, "complete")
    assert (await changes.confirm(quote, CHALLENGE, again)).status == "APPLIED"
    assert await seats(changes.desk.database, changes.desk.schedule.second) == {"3B": "BOOKED"}
    assert (await changes.booking(booking.id)).status == "CONFIRMED"
    assert await changes.faults() == []


async def test_a_decline_leaves_quote_and_hold_and_another_card_may_do(changes: Changes) -> None:
    booking, quote = await quoted(changes)
    with pytest.raises(PaymentDeclined):
        await changes.confirm(quote, "pm_card_visa_chargeDeclined")
    assert await changes.status(quote) == "QUOTED"
    statement = "SELECT status, booking_id, expires_before_payment FROM holds WHERE id <> :own"
    async with changes.desk.database.reading() as session:
        held = (await session.execute(text(statement), {"own": booking.hold_id})).one()
    assert tuple(held) == ("ACTIVE", None, None)
    assert await changes.faults() == []
    assert (await changes.confirm(quote)).status == "APPLIED"
    assert await changes.faults() == []


async def test_a_payment_that_is_blocked_leaves_the_same_lines_as_one_that_is_declined(changes: Changes) -> None:
    database = changes.desk.database
    await rule(database, FraudMeasure.PAYMENTS, FraudSubject.USER, 0, FraudVerdict.BLOCK)
    stories = []
    for (old, new), payer, method in (
        (("3A", "3B"), ADA, "pm_card_visa"),
        (("2A", "2B"), NOBODY, "pm_card_visa_chargeDeclined"),
    ):
        booking = await changes.paid(old)
        quote = await changes.quote(booking, await changes.flight(booking, new))
        with pytest.raises(PaymentDeclined):
            await changes.confirm(quote, method, payer=payer)
        stories.append(await story_of(database, booking))
        assert (await changes.confirm(quote)).status == "APPLIED"
    assert stories[0] == stories[1]
    assert [to for subject, _, to, _ in stories[0][0] if subject == "AMENDMENT"] == [
        "QUOTED",
        "PAYMENT_PENDING",
        "QUOTED",
    ]
    assert await changes.faults() == []


async def test_nobody_answers_the_bank_in_time(changes: Changes) -> None:
    booking, quote = await waiting(changes)
    await pass_time(changes.desk.database, timedelta(minutes=16))
    await bookings.advance(changes.desk.database, changes.gateways, booking.id)
    assert await changes.status(quote) == "EXPIRED"
    assert (await payment_of(changes))[0] == PaymentStatus.VOIDED
    await assert_as_before(changes, booking)


async def test_one_change_is_paid_at_a_time(changes: Changes) -> None:
    booking, _ = await waiting(changes)
    other = await changes.quote(booking, await changes.seat(booking, "2A"))
    before = await snapshot(changes.desk.database)
    with pytest.raises(Conflict) as refusal:
        await changes.confirm(other)
    assert refusal.value.code == "PAYMENT_UNDER_WAY"
    assert await snapshot(changes.desk.database) == before


async def test_a_booking_is_cancelled_while_its_change_is_paid(changes: Changes, sandbox: Sandbox) -> None:
    booking, quote = await waiting(changes)
    database = changes.desk.database
    async with database.transaction() as session:
        asked = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(database, changes.gateways, asked.id, booking.id, GUEST, key())
    assert await changes.status(quote) == "FAILED"
    assert (await payment_of(changes))[0] == PaymentStatus.VOIDED
    assert await pools(database, changes.desk.schedule.second) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}
    assert sorted(one["status"] for one in await sandbox.intents(booking.id)) == ["canceled", "succeeded"]
    assert await changes.faults() == []


async def test_the_flight_is_closed_meanwhile(changes: Changes, sandbox: Sandbox) -> None:
    booking, quote = await waiting(changes)
    async with changes.desk.database.transaction() as session:
        await session.execute(
            text("UPDATE slots SET status = 'CLOSED' WHERE id = :id"), {"id": changes.desk.schedule.second}
        )
    await sandbox.answer_challenge((await payment_of(changes))[1], "complete")
    await bookings.advance(changes.desk.database, changes.gateways, booking.id)
    assert await changes.status(quote) == "FAILED"
    assert (await payment_of(changes))[0] == PaymentStatus.VOIDED
    await assert_as_before(changes, booking)


async def test_somebody_checks_in_meanwhile(changes: Changes, sandbox: Sandbox) -> None:
    """Found before the money is taken, it is let go."""
    booking, quote = await waiting(changes)
    seat = SlotUnits(slot_id=changes.desk.schedule.first, units=("3A",))
    async with changes.desk.database.transaction() as session:
        await holds.check_in(session, booking.hold_id, [seat])
    await sandbox.answer_challenge((await payment_of(changes))[1], "complete")
    await bookings.advance(changes.desk.database, changes.gateways, booking.id)
    assert await changes.status(quote) == "FAILED"
    assert (await payment_of(changes))[0] == PaymentStatus.VOIDED
    async with changes.desk.database.transaction() as session:
        await holds.undo_check_in(session, booking.hold_id, [seat])
    await assert_as_before(changes, booking)


async def test_a_correction_that_costs_has_no_hold_and_a_deadline_still(changes: Changes) -> None:
    booking = await changes.paid("3A")
    (ada,) = await changes.people(booking)
    for name in ("Adah", "Ada"):
        quote = await changes.quote(booking, amendments.CorrectName(passenger_id=ada.id, first_name=name))
        if quote.due == 0:
            await changes.confirm(quote, method=None)
    pending = await changes.confirm(quote, CHALLENGE)
    assert (pending.hold_id, pending.status) == (None, "PAYMENT_PENDING")
    await pass_time(changes.desk.database, timedelta(minutes=26))
    await bookings.advance(changes.desk.database, changes.gateways, booking.id)
    assert await changes.status(quote) == "EXPIRED"
    assert (await payment_of(changes))[0] == PaymentStatus.VOIDED
    assert [one.first_name for one in await changes.people(booking)] == ["Adah"]
    assert await changes.faults() == []


async def test_quotes_that_nobody_takes_up_expire(changes: Changes) -> None:
    _, quote = await quoted(changes)
    database = changes.desk.database
    async with database.transaction() as session:
        assert await amendments.expire_due(session, 10) == 0
    assert not await amendments.any_due(database.reader(primary=True))
    await pass_time(database, timedelta(minutes=16))
    assert await amendments.any_due(database.reader(primary=True))
    async with database.transaction() as session:
        assert await amendments.expire_due(session, 10) == 1
        assert await amendments.expire_due(session, 10) == 0
    assert not await amendments.any_due(database.reader(primary=True))
    assert await changes.status(quote) == "EXPIRED"
    with pytest.raises(QuoteExpired):
        await changes.confirm(quote)
    async with database.transaction() as session:
        await holds.expire_due(session, 10)
    assert await changes.faults() == []
