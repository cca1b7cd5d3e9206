"""A flight that was cancelled or has left is not paid; where that happens while somebody pays, the money goes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Conflict
from models import Booking
from services import bookings
from services.gateways import Gateways
from services.holds import SalesClosed
from tests.factories.bookings import GUEST, Desk, key, snapshot
from tests.fakes.clock import set_clock
from tests.fakes.sandbox import Sandbox

CHALLENGED, BACK = "pm_card_threeDSecure2Required", "https://shop.example/paid"
ENDS = """
    SELECT b.status, y.status, h.status, p.held, p.sold, (SELECT count(*) FROM tickets)
    FROM bookings b JOIN holds h ON h.id = b.hold_id JOIN payments y ON y.booking_id = b.id
    JOIN hold_items i ON i.hold_id = h.id JOIN pools p ON p.slot_id = i.slot_id AND p.code = i.pool
"""


async def cancelled(desk: Desk) -> None:
    """The airline won't fly."""
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE slots SET status = 'CLOSED'"))


async def gone(desk: Desk) -> None:
    """The flight leaves, and by its clock the hold has only just begun."""
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE slots SET starts_at = jetway_now()"))


CLOSINGS = pytest.mark.parametrize("close", [cancelled, gone])
Close = Callable[[Desk], Awaitable[None]]


async def ends(database: Database) -> tuple[object, ...]:
    """Statuses of booking, payment and hold; the pool's held and sold seats; the number of tickets."""
    async with database.reading() as session:
        return tuple((await session.execute(text(ENDS))).one())


async def challenge(desk: Desk, gateways: Gateways, sandbox: Sandbox, booking: Booking, used: str) -> None:
    """Begin to pay, and pass at the bank."""
    waiting = await bookings.pay(desk.database, gateways, booking.id, CHALLENGED, BACK, GUEST, used)
    await sandbox.answer_challenge(str(waiting.redirect_url), "complete")


@CLOSINGS
async def test_nobody_is_charged_for_a_flight_that_is_not_sold(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, close: Close
) -> None:
    booking = await desk.booked("3A")
    await close(desk)
    before = await snapshot(desk.database)
    with pytest.raises(SalesClosed) as refusal:
        await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    assert refusal.value.code == "SALES_CLOSED"
    assert await snapshot(desk.database) == before
    assert await sandbox.intents(booking.id) == []


@CLOSINGS
async def test_a_flight_that_is_closed_while_the_payer_is_at_the_bank_gives_the_money_back(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, close: Close
) -> None:
    booking, used = await desk.booked("3A"), key()
    await challenge(desk, gateways, sandbox, booking, used)
    await close(desk)
    with pytest.raises(Conflict) as refusal:
        await bookings.pay(desk.database, gateways, booking.id, CHALLENGED, BACK, GUEST, used)
    assert refusal.value.code == "BOOKING_FAILED"
    assert await ends(desk.database) == ("FAILED", "VOIDED", "RELEASED", 0, 0, 0)
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]


async def test_a_payment_that_comes_after_departure_and_after_its_deadline_expires(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking, used = await desk.booked("3A"), key()
    await challenge(desk, gateways, sandbox, booking, used)
    await cancelled(desk)
    await set_clock(desk.database, datetime.now(UTC) + timedelta(minutes=16))
    await bookings.advance(desk.database, gateways, booking.id)
    assert await ends(desk.database) == ("EXPIRED", "VOIDED", "EXPIRED", 0, 0, 0)
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
