"""A refund whose answer was lost is not paid again, even after the gateway has forgotten its key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from core.db import Database
from services import bookings
from services.gateways import Gateways
from tests.factories.bookings import GUEST, Desk, key
from tests.fakes.sandbox import Sandbox, connected, started

PART, DAY_AND_MORE = 10_00, 25 * 60 * 60


@pytest.fixture
async def forgetful() -> AsyncIterator[tuple[Sandbox, Gateways]]:
    """A sandbox of one's own, whose clock may be moved, and the gateway there."""
    with started() as sandbox:
        gateways = connected(sandbox)
        yield sandbox, gateways
        await gateways.close()


async def refund(database: Database) -> tuple[Any, ...]:
    async with database.reading() as session:
        return tuple((await session.execute(text("SELECT status, gateway_id FROM refunds"))).one())


async def test_a_refund_asked_for_a_day_ago_is_looked_for_first(
    desk: Desk, forgetful: tuple[Sandbox, Gateways]
) -> None:
    sandbox, gateways = forgetful
    booking = await desk.booked("3A")
    paid = await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
        part = text("UPDATE cancellation_quotes SET refund = :part, fee = fee + refund - :part")
        await session.execute(part, {"part": PART})
    await sandbox.fault("reset", "/v1/refunds", when="after", times=3)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    assert await refund(desk.database) == ("REQUESTED", None)
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE refunds SET created_at = created_at - interval '25 hours'"))
    await sandbox.ask("POST", "/sandbox/clock", {"advance": DAY_AND_MORE})
    await bookings.advance(desk.database, gateways, booking.id)
    (made,) = (await sandbox.ask("GET", f"/v1/refunds?payment_intent={paid.gateway_id}"))["data"]
    assert made["amount"] == PART
    assert await refund(desk.database) == ("SUCCEEDED", made["id"])
