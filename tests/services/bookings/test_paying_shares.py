"""Shares are promised one by one and taken together; nothing is taken of a price that is not promised whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Conflict
from models import Booking, BookingStatus, Payment, PaymentStatus, Share
from services import bookings, invariants, ledger
from services.bookings import ShareStatus, TimelineActor
from services.gateways import Captured, GatewayRefused, Gateways, Outcome, Processing
from services.holds import HoldExpired
from services.payments import PaymentDeclined
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.factories.shares import asked, pay_share, split
from tests.fakes.sandbox import Sandbox

DECLINED, CHALLENGED = "pm_card_visa_chargeDeclined", "pm_card_threeDSecure2Required"


async def state(database: Database, booking: Booking) -> tuple[str, str, list[str]]:
    """Booking, hold, and payments in the order in which they were made; no invariant is broken."""
    async with database.reading() as session:
        row = await session.execute(
            text(
                "SELECT b.status, h.status, ARRAY(SELECT status FROM payments WHERE booking_id = b.id ORDER BY id)"
                " FROM bookings b JOIN holds h ON h.id = b.hold_id WHERE b.id = :id"
            ),
            {"id": booking.id},
        )
        found = row.one()
    assert [one for one in await invariants.check(database) if one.broken] == []
    return found[0], found[1], list(found[2])


async def statuses(database: Database, booking: Booking, shares: Sequence[Share]) -> list[ShareStatus]:
    """How far each share is, as its link shows it."""
    links = [bookings.Link(booking_id=booking.id, share_id=share.id) for share in shares]
    found = [await bookings.linked(database.reader(primary=True), link) for link in links]
    return [one.status for one in found if one is not None]


async def deadline(database: Database) -> datetime:
    async with database.reading() as session:
        found: datetime = (await session.execute(text("SELECT expires_at FROM holds"))).scalar_one()
    return found


async def test_the_last_share_sells_the_seats_and_takes_everything(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("3A", "3B")
    shares = await split(desk.database, booking, 3)
    for number, share in enumerate(shares[:2], 1):
        payment = await pay_share(desk.database, gateways, share)
        assert (payment.status, payment.amount) == (PaymentStatus.AUTHORIZED, share.amount)
        assert await state(desk.database, booking) == ("PAYMENT_PENDING", "ACTIVE", ["AUTHORIZED"] * number)
    assert await statuses(desk.database, booking, shares) == ["PROMISED", "PROMISED", "OPEN"]
    assert [one["amount_received"] for one in await sandbox.intents(booking.id)] == [0, 0]
    last = await pay_share(desk.database, gateways, shares[2])
    assert (last.status, last.captured) == (PaymentStatus.CAPTURED, shares[2].amount)
    assert await state(desk.database, booking) == ("CONFIRMED", "BOOKED", ["CAPTURED"] * 3)
    assert await statuses(desk.database, booking, shares) == ["PAID"] * 3
    assert sum(one["amount_received"] for one in await sandbox.intents(booking.id)) == booking.total


async def test_a_declined_share_leaves_the_others_alone_and_may_be_tried_again(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    shares = await split(desk.database, booking, 2)
    await pay_share(desk.database, gateways, shares[0])
    until = await deadline(desk.database)
    with pytest.raises(PaymentDeclined):
        await pay_share(desk.database, gateways, shares[1], DECLINED)
    assert await state(desk.database, booking) == ("PAYMENT_PENDING", "ACTIVE", ["AUTHORIZED", "DECLINED"])
    assert await statuses(desk.database, booking, shares) == ["PROMISED", "DECLINED"]
    assert await deadline(desk.database) == until
    await pay_share(desk.database, gateways, shares[1])
    assert await state(desk.database, booking) == ("CONFIRMED", "BOOKED", ["CAPTURED", "DECLINED", "CAPTURED"])


async def test_the_last_share_that_is_declined_puts_the_booking_back(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    shares, until = await split(desk.database, booking, 2), await deadline(desk.database)
    for share in shares:
        with pytest.raises(PaymentDeclined):
            await pay_share(desk.database, gateways, share, DECLINED)
        assert (await state(desk.database, booking))[:2] == ("SEATS_LOCKED", "ACTIVE")
        assert await deadline(desk.database) == until


async def test_each_of_several_payers_is_waited_for(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("3A")
    shares = await split(desk.database, booking, 2)
    slow = await pay_share(desk.database, gateways, shares[0], CHALLENGED)
    assert slow.status is PaymentStatus.REQUIRES_ACTION
    quick = await pay_share(desk.database, gateways, shares[1])
    assert quick.status is PaymentStatus.AUTHORIZED
    assert slow.redirect_url is not None
    await sandbox.answer_challenge(slow.redirect_url, "complete")
    await bookings.advance(desk.database, gateways, booking.id)
    assert await state(desk.database, booking) == ("CONFIRMED", "BOOKED", ["CAPTURED", "CAPTURED"])


async def test_shares_share_one_deadline_and_one_grace(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    shares = await split(desk.database, booking, 3)
    await pass_time(desk.database, timedelta(minutes=12))
    await pay_share(desk.database, gateways, shares[0])
    until = await deadline(desk.database)
    await pass_time(desk.database, timedelta(minutes=20))
    await pay_share(desk.database, gateways, shares[1])
    assert await deadline(desk.database) == until
    await pass_time(desk.database, timedelta(minutes=23))
    with pytest.raises(HoldExpired):
        await pay_share(desk.database, gateways, shares[2])
    await bookings.advance(desk.database, gateways, booking.id)
    assert await state(desk.database, booking) == ("EXPIRED", "EXPIRED", ["VOIDED", "VOIDED"])
    assert await statuses(desk.database, booking, shares) == ["CLOSED"] * 3


async def test_nobody_s_promise_waits_for_a_bank_that_cannot_stop(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await desk.booked("3A")
    shares = await split(desk.database, booking, 2)
    busy = (await pay_share(desk.database, gateways, shares[0], CHALLENGED)).gateway_id
    await pay_share(desk.database, gateways, shares[1])
    fetch, void = gateways.default.fetch, gateways.default.void

    async def at_work(gateway_id: str) -> Outcome:
        return Processing(gateway_id=busy, client_secret=None) if gateway_id == busy else await fetch(gateway_id)

    async def refuse(gateway_id: str) -> None:
        if gateway_id == busy:
            raise GatewayRefused("payment_intent_unexpected_state", "a bank is at work")
        await void(gateway_id)

    await pass_time(desk.database, timedelta(minutes=16))
    with monkeypatch.context() as patch:
        patch.setattr(gateways.default, "fetch", at_work)
        patch.setattr(gateways.default, "void", refuse)
        assert await bookings.advance(desk.database, gateways, booking.id) == timedelta(minutes=1)
    paid = sorted(one["status"] for one in await sandbox.intents(booking.id))
    assert paid == ["canceled", "requires_action"]
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert (await state(desk.database, booking))[2] == ["VOIDED", "VOIDED"]


async def test_a_payment_that_its_gateway_refuses_to_show_keeps_no_other_waiting(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await desk.booked("3A")
    shares = await split(desk.database, booking, 2)
    hidden = (await pay_share(desk.database, gateways, shares[0], CHALLENGED)).gateway_id
    await pay_share(desk.database, gateways, shares[1])
    fetch = gateways.default.fetch

    async def refuse(gateway_id: str) -> Outcome:
        if gateway_id == hidden:
            raise GatewayRefused("resource_missing", "no such payment")
        return await fetch(gateway_id)

    await pass_time(desk.database, timedelta(minutes=16))
    with monkeypatch.context() as patch:
        patch.setattr(gateways.default, "fetch", refuse)
        assert await bookings.advance(desk.database, gateways, booking.id) == timedelta(minutes=1)
    assert sorted(one["status"] for one in await sandbox.intents(booking.id)) == ["canceled", "requires_action"]
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert await state(desk.database, booking) == ("EXPIRED", "EXPIRED", ["VOIDED", "VOIDED"])


async def test_what_is_promised_is_looked_at_again_just_after_the_deadline(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    shares = await split(desk.database, booking, 2)
    await pay_share(desk.database, gateways, shares[0])
    left = await bookings.advance(desk.database, gateways, booking.id)
    assert left is not None
    assert timedelta(minutes=9) < left < timedelta(minutes=16)


async def test_where_one_share_cannot_be_taken_what_was_taken_goes_back(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await desk.booked("3A")
    shares = await split(desk.database, booking, 3)
    paid = [await pay_share(desk.database, gateways, share) for share in shares[:2]]
    capture = gateways.default.capture

    async def refuse_second(gateway_id: str, *more: object) -> Captured:
        if gateway_id == paid[1].gateway_id:
            raise GatewayRefused("refused", "the bank has changed its mind")
        return await capture(gateway_id, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(gateways.default, "capture", refuse_second)
    with pytest.raises(Conflict) as refusal:
        await pay_share(desk.database, gateways, shares[2])
    assert refusal.value.code == "BOOKING_FAILED"
    assert await state(desk.database, booking) == ("FAILED", "BOOKED", ["REFUNDED", "VOIDED", "VOIDED"])
    assert await statuses(desk.database, booking, shares) == ["RETURNED", "CLOSED", "CLOSED"]
    intents = {one["id"]: (one["status"], one["amount_received"]) for one in await sandbox.intents(booking.id)}
    assert intents[paid[0].gateway_id] == ("succeeded", shares[0].amount)
    assert intents[paid[1].gateway_id] == ("canceled", 0)
    async with desk.database.reading() as session:
        posted = [(one.kind, one.amount) for one in await ledger.statement(session, booking.id)]
    assert posted == [(kind, shares[0].amount) for kind in ("CAPTURED", "OWED", "REFUNDED")]


async def test_cancelled_each_share_gets_its_part_back(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    for share in await split(desk.database, booking, 3):
        await pay_share(desk.database, gateways, share)
    async with desk.database.transaction() as session:
        row = await session.get_one(Booking, booking.id)
        quote = await bookings.quote_cancellation(session, row)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    async with desk.database.reading() as session:
        back = [one.refunded for one in (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]]
    assert sum(back) == quote.refund
    assert (await state(desk.database, booking))[0] == "CANCELLED"


async def test_whoever_pays_with_a_link_is_told_apart_from_the_owner(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    first, second = await split(desk.database, booking, 2)
    await bookings.pay_as(desk.database, gateways, asked(first, by_link=True))
    await pay_share(desk.database, gateways, second)
    async with desk.database.reading() as session:
        row = await session.get_one(Booking, booking.id)
        lines = await bookings.timeline(session, row)
    begun = [line.actor for line in lines if (line.subject, line.to) == ("PAYMENT", "INITIATED")]
    assert begun == [TimelineActor.PAYER, TimelineActor.OWNER]
    assert row.status is BookingStatus.CONFIRMED


async def test_the_same_request_again_gets_the_same_payment(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    first, second = await split(desk.database, booking, 2)
    request = asked(first)
    once: Payment = await bookings.pay_as(desk.database, gateways, request)
    again = await bookings.pay_as(desk.database, gateways, request)
    await pay_share(desk.database, gateways, second)
    later = await bookings.pay_as(desk.database, gateways, request)
    assert {once.id, again.id} == {later.id}
    assert [once.status, again.status, later.status] == ["AUTHORIZED", "AUTHORIZED", "CAPTURED"]
