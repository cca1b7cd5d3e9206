"""Money that comes when its hold is dead finds its seats again, or some of them, or goes back; the person is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from core.money import Money
from models import Booking, PassengerType, Payment
from services import bookings, holds, invariants, outbox
from services.gateways import Captured, GatewayRefused, Gateways
from tests.factories.bookings import GUEST, Desk, facts_of, key, pass_time, traveller
from tests.factories.extras import MEAL, choice, put_on_sale, stock
from tests.factories.shares import pay_share, split
from tests.fakes.sandbox import Sandbox

CHALLENGED, BACK = "pm_card_threeDSecure2Required", "https://shop.example/paid"
SEATS = tuple(f"{row}{column}" for row in (2, 3) for column in "ABCD")
LEGROOM = 39_00


async def promised_late(desk: Desk, gateways: Gateways, sandbox: Sandbox, booking: Booking) -> None:
    """The payer passes at the bank after the hold's deadline, which is written down."""
    waiting = await bookings.pay(desk.database, gateways, booking.id, CHALLENGED, BACK, GUEST, key())
    await pass_time(desk.database, timedelta(minutes=16))
    async with desk.database.transaction() as session:
        assert await holds.expire_due(session, 10) == 1
    await sandbox.answer_challenge(str(waiting.redirect_url), "complete")


async def rows(desk: Desk, statement: str, **values: Any) -> Sequence[Any]:
    async with desk.database.reading() as session:
        return [tuple(row) for row in await session.execute(text(statement), values)]


async def told(desk: Desk) -> list[tuple[str, str]]:
    """Kind and text of every notice, the oldest first."""
    found = await rows(desk, "SELECT kind, message FROM notices ORDER BY id")
    return [(kind, message) for kind, message in found]


async def payment_of(desk: Desk, booking: Booking) -> Payment:
    async with desk.database.reading() as session:
        (payment,) = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
        return payment


async def fresh(desk: Desk, booking_id: UUID) -> Booking:
    async with desk.database.reading() as session:
        return await session.get_one(Booking, booking_id)


async def assert_sound(desk: Desk) -> None:
    assert [one for one in await invariants.check(desk.database) if one.broken] == []


async def test_its_seats_are_found_again(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("2A", "3A")
    await promised_late(desk, gateways, sandbox, booking)
    await bookings.advance(desk.database, gateways, booking.id)
    found = await fresh(desk, booking.id)
    assert (found.status, found.total) == ("CONFIRMED", booking.total)
    assert (await payment_of(desk, booking)).captured == booking.total
    text_ = f"The payment for your booking {booking.pnr} is here. It came late, and your seats were still free: "
    assert await told(desk) == [("SEATS_FOUND_AGAIN", text_ + "they are yours.")]
    assert "booking.seats_found" in await facts_of(desk.database, outbox.booking_stream(booking.id))
    await assert_sound(desk)


async def test_a_seat_that_is_gone_is_not_paid_for(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("2A", "2B")
    await promised_late(desk, gateways, sandbox, booking)
    await desk.hold("2A")
    await bookings.advance(desk.database, gateways, booking.id)
    found = await fresh(desk, booking.id)
    assert (found.status, found.total) == ("CONFIRMED", booking.total - LEGROOM)
    payment = await payment_of(desk, booking)
    assert (payment.status, payment.amount, payment.waived, payment.captured) == (
        "CAPTURED",
        booking.total,
        LEGROOM,
        booking.total - LEGROOM,
    )
    (intent,) = await sandbox.intents(booking.id)
    assert (intent["status"], intent["amount_received"]) == ("succeeded", booking.total - LEGROOM)
    assert await rows(desk, "SELECT label FROM booking_lines WHERE kind = 'SEAT'") == [("Seat 2B, extra legroom",)]
    assert await rows(desk, "SELECT pool, unit FROM seat_assignments ORDER BY unit") == [
        ("ECONOMY", "2B"),
        ("ECONOMY", None),
    ]
    assert await rows(desk, "SELECT status, count(*) FROM tickets GROUP BY 1") == [("OPEN", 2)]
    assert [(kind, "2A went to somebody else" in message) for kind, message in await told(desk)] == [
        ("SEATS_CHANGED", True)
    ]
    ((lost,),) = await rows(desk, "SELECT payload -> 'lost' FROM facts WHERE kind = 'booking.seats_found'")
    assert lost == [{"slot": desk.schedule.first, "number": "2A"}]
    await assert_sound(desk)


async def test_cancelled_afterwards_all_of_its_places_go_back(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("2A", "2B")
    await promised_late(desk, gateways, sandbox, booking)
    await desk.hold("2A")
    await bookings.advance(desk.database, gateways, booking.id)
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, await fresh(desk, booking.id))
    assert quote.refund + quote.fee == booking.total - LEGROOM
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    assert await rows(
        desk, "SELECT held, sold FROM pools WHERE slot_id = :id AND code = 'ECONOMY'", id=desk.schedule.first
    ) == [(1, 0)]
    await assert_sound(desk)


async def test_taken_by_hand_before_what_is_too_much_goes_back(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("2A")
    await promised_late(desk, gateways, sandbox, booking)
    (intent,) = await sandbox.intents(booking.id)
    await sandbox.ask("POST", f"/v1/payment_intents/{intent['id']}/capture")
    await desk.hold("2A")
    await bookings.advance(desk.database, gateways, booking.id)
    payment = await payment_of(desk, booking)
    assert (payment.status, payment.captured, payment.refunded) == ("PARTIALLY_REFUNDED", booking.total, LEGROOM)
    assert (await fresh(desk, booking.id)).status == "CONFIRMED"
    assert await rows(desk, "SELECT kind, amount FROM ledger ORDER BY id") == [
        ("CAPTURED", booking.total),
        ("OWED", LEGROOM),
        ("REFUNDED", LEGROOM),
    ]
    await assert_sound(desk)


async def test_a_full_cabin_sends_the_money_back(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("2A")
    await promised_late(desk, gateways, sandbox, booking)
    await desk.hold(*SEATS)
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await fresh(desk, booking.id)).status == "EXPIRED"
    assert (await payment_of(desk, booking)).status == "VOIDED"
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
    text_ = f"{booking.total / 100:.2f} USD for your booking {booking.pnr} came too late, or had been paid before. "
    assert await told(desk) == [("MONEY_RETURNED", text_ + "All of it goes back to you.")]
    await assert_sound(desk)


async def test_what_was_paid_by_link_goes_back_to_whoever_paid_it(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("2A")
    await promised_late(desk, gateways, sandbox, booking)
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE payments SET by_link = true"))
    await desk.hold(*SEATS)
    await bookings.advance(desk.database, gateways, booking.id)
    ((kind, message),) = await told(desk)
    assert (kind, message.split(". ")[-1]) == ("MONEY_RETURNED", "All of it goes back to whoever paid it.")


async def test_taken_by_hand_and_the_cabin_is_full_all_of_it_goes_back(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("2A")
    await promised_late(desk, gateways, sandbox, booking)
    (intent,) = await sandbox.intents(booking.id)
    await sandbox.ask("POST", f"/v1/payment_intents/{intent['id']}/capture")
    await desk.hold(*SEATS)
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await fresh(desk, booking.id)).status == "EXPIRED"
    assert await rows(desk, "SELECT kind, amount FROM ledger ORDER BY id") == [
        ("UNDUE", booking.total),
        ("UNDUE_RETURNED", booking.total),
    ]
    assert [kind for kind, _ in await told(desk)] == ["MONEY_RETURNED"]
    await assert_sound(desk)


async def test_a_cabin_full_of_dead_holds_is_relieved_once(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("2A")
    await promised_late(desk, gateways, sandbox, booking)
    await desk.hold(*SEATS)
    await pass_time(desk.database, timedelta(minutes=32))
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await fresh(desk, booking.id)).status == "CONFIRMED"
    assert await rows(desk, "SELECT unit FROM seat_assignments") == [("2A",)]
    await assert_sound(desk)


@pytest.mark.parametrize("change", ["status = 'CLOSED'", "starts_at = jetway_now()"])
async def test_a_flight_that_is_not_sold_any_more_sends_the_money_back(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, change: str
) -> None:
    booking = await desk.booked("2A")
    await promised_late(desk, gateways, sandbox, booking)
    async with desk.database.transaction() as session:
        await session.execute(text(f"UPDATE slots SET {change}"))  # noqa: S608 - the two above
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await fresh(desk, booking.id)).status == "EXPIRED"
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
    assert [kind for kind, _ in await told(desk)] == ["MONEY_RETURNED"]
    await assert_sound(desk)


async def test_a_closed_booking_class_sends_the_money_back(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("3A", family="MAIN")
    await promised_late(desk, gateways, sandbox, booking)
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE pools SET class_limits[2] = 0 WHERE code = 'ECONOMY'"))
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await fresh(desk, booking.id)).status == "EXPIRED"
    assert await rows(desk, "SELECT DISTINCT class_sold FROM pools WHERE code = 'ECONOMY'") == [([0, 0],)]
    await assert_sound(desk)


async def test_payers_of_shares_waive_what_was_lost_between_them(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("2A", "2B")
    ada, grace = await split(desk.database, booking, 2)
    await pay_share(desk.database, gateways, ada)
    waiting = await pay_share(desk.database, gateways, grace, CHALLENGED)
    await pass_time(desk.database, timedelta(minutes=16))
    async with desk.database.transaction() as session:
        assert await holds.expire_due(session, 10) == 1
    await desk.hold("2A")
    await sandbox.answer_challenge(str(waiting.redirect_url), "complete")
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await fresh(desk, booking.id)).status == "CONFIRMED"
    paid = await rows(desk, "SELECT amount, waived, captured FROM payments ORDER BY id")
    assert [captured for _, _, captured in paid] == [amount - waived for amount, waived, _ in paid]
    assert sum(waived for _, waived, _ in paid) == LEGROOM
    assert max(waived for _, waived, _ in paid) - min(waived for _, waived, _ in paid) <= 1
    assert sum(one["amount_received"] for one in await sandbox.intents(booking.id)) == booking.total - LEGROOM
    await assert_sound(desk)


async def test_what_is_on_its_way_back_of_a_share_is_not_sent_back_again(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole of a share was taken, so the lost seat's part of it goes back; then the other share is refused."""
    booking = await desk.booked("2A", "2B")
    ada, grace = await split(desk.database, booking, 2)
    first = await pay_share(desk.database, gateways, ada)
    second = await pay_share(desk.database, gateways, grace, CHALLENGED)
    await pass_time(desk.database, timedelta(minutes=16))
    async with desk.database.transaction() as session:
        assert await holds.expire_due(session, 10) == 1
    await desk.hold("2A")
    await sandbox.ask("POST", f"/v1/payment_intents/{first.gateway_id}/capture")
    await sandbox.answer_challenge(str(second.redirect_url), "complete")
    capture = gateways.default.capture

    async def refuse_second(gateway_id: str, amount: Money, key: str) -> Captured:
        if gateway_id == second.gateway_id:
            raise GatewayRefused("refused", "the bank has changed its mind")
        return await capture(gateway_id, amount, key)

    monkeypatch.setattr(gateways.default, "capture", refuse_second)
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await fresh(desk, booking.id)).status == "FAILED"
    paid = await rows(desk, "SELECT status, captured, refunded FROM payments ORDER BY id")
    assert paid == [("REFUNDED", ada.amount, ada.amount), ("VOIDED", 0, 0)]
    back = await rows(desk, "SELECT status, amount FROM refunds ORDER BY id")
    assert [status for status, _ in back] == ["SUCCEEDED", "SUCCEEDED"]
    assert sum(amount for _, amount in back) == ada.amount
    await assert_sound(desk)


async def test_one_share_of_two_in_time_is_not_enough(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("2A", "2B")
    ada, _ = await split(desk.database, booking, 2)
    await pay_share(desk.database, gateways, ada)
    await pass_time(desk.database, timedelta(minutes=16))
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await fresh(desk, booking.id)).status == "EXPIRED"
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
    assert [kind for kind, _ in await told(desk)] == ["MONEY_RETURNED"]
    await assert_sound(desk)


async def test_two_who_come_late_at_once_sell_and_take_once(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("2A", "3A")
    await promised_late(desk, gateways, sandbox, booking)
    await desk.hold("2A")
    await asyncio.gather(*(bookings.advance(desk.database, gateways, booking.id) for _ in range(5)))
    assert (await fresh(desk, booking.id)).status == "CONFIRMED"
    told_of = await facts_of(desk.database, outbox.booking_stream(booking.id))
    assert [told_of.count(kind) for kind in ("booking.seats_found", "payment.captured", "ticket.issued")] == [1, 1, 2]
    assert [one["amount_received"] for one in await sandbox.intents(booking.id)] == [booking.total - LEGROOM]
    await assert_sound(desk)


@pytest.mark.parametrize(
    ("others", "status", "meals"), [(0, "CONFIRMED", (0, 1)), (1, "EXPIRED", (0, 1))], ids=["in stock", "eaten"]
)
async def test_extras_are_found_again_with_the_seats_or_all_of_it_goes_back(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, others: int, status: str, meals: tuple[int, int]
) -> None:
    await put_on_sale(desk.database, desk.schedule, meals=1)
    booking = await with_a_meal(desk, "3A")
    await promised_late(desk, gateways, sandbox, booking)
    for _ in range(others):
        other = await with_a_meal(desk, "3B")
        await bookings.pay(desk.database, gateways, other.id, "pm_card_visa", None, GUEST, key())
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await fresh(desk, booking.id)).status == status
    assert await stock(desk.database, desk.schedule, MEAL) == meals
    await assert_sound(desk)


async def with_a_meal(desk: Desk, unit: str) -> Booking:
    """A booking of somebody in that seat who wants a meal."""
    hungry = replace(
        traveller(desk.schedule, PassengerType.ADULT, "Lovelace", unit), extras=(choice(desk.schedule, MEAL),)
    )
    return await desk.create(desk.command(await desk.offer(), await desk.hold(unit), hungry))
