"""Killed on the way, a booking that is cancelled in part has the part cancelled once, and its money sent back once."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import text

from models import Booking
from services import bookings, invariants
from services.gateways import Gateways
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.fakes.mortal import Died, Life
from tests.fakes.sandbox import Sandbox

BACK = 174_10
"""A fare of 180.00, its tax and fee, less the cancellation fee."""

POINTS = ["look", "before refund", "after refund"]


async def leave(
    desk: Desk, gateways: Gateways, monkeypatch: pytest.MonkeyPatch, booking: Booking, dies_at: int | None
) -> Life:
    """One of two leaves, and whoever asked for it dies on the way."""
    async with desk.database.transaction() as session:
        one = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id][1]
        quote = await bookings.quote_cancellation(session, booking, [one.id])
    life = Life(dies_at)
    with monkeypatch.context() as patch, suppress(Died):
        mortal = life.lead(patch, gateways)
        await bookings.cancel(desk.database, mortal, quote.id, booking.id, GUEST, key())
    return life


async def end_of(desk: Desk, sandbox: Sandbox, booking: Booking) -> tuple[object, ...]:
    """How things stand here and at the gateway."""
    async with desk.database.reading() as session:
        row = await session.get_one(Booking, booking.id)
        refunds = await session.execute(text("SELECT status, amount FROM refunds"))
        seats = await session.scalars(text("SELECT status FROM claims ORDER BY unit"))
        found = row.status, [tuple(one) for one in refunds], list(seats)
    (intent,) = await sandbox.intents(booking.id)
    page = await sandbox.ask("GET", f"/v1/refunds?payment_intent={intent['id']}")
    assert [one for one in await invariants.check(desk.database) if one.broken] == []
    return *found, [one["amount"] for one in page["data"]]


@pytest.mark.parametrize("dies_at", [None, *range(len(POINTS))])
async def test_it_ends_the_same(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, dies_at: int | None
) -> None:
    booking = await desk.booked("3A", "3B")
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    await pass_time(desk.database, timedelta(days=2))
    assert (await leave(desk, gateways, monkeypatch, booking, dies_at)).passed == POINTS[:dies_at]
    async with desk.database.reading() as session:
        waits = text("SELECT count(*) FROM pgqueuer WHERE dedupe_key = :key")
        assert await session.scalar(waits, {"key": f"advance:{booking.id}"}) == 1
    await bookings.advance(desk.database, gateways, booking.id)
    expected = ("CONFIRMED", [("SUCCEEDED", BACK)], ["BOOKED", "AVAILABLE"], [BACK])
    assert await end_of(desk, sandbox, booking) == expected
