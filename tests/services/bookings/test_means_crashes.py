"""Killed at any point, money that was taken at once for seats that cannot be sold goes back whole, and only once."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from models import Booking
from services import invariants, ledger
from services.gateways import Gateways
from tests.factories.bookings import Desk
from tests.fakes.mortal import Life
from tests.fakes.sandbox import Sandbox
from tests.services.bookings.test_crashes import Stage

POINTS = [
    *("look", "before fetch", "after fetch", "look", "look"),
    *("before void", "before fetch", "after fetch", "before find_refund", "after find_refund"),
    *("before refund", "after refund", "look"),
]


@pytest.fixture
def stage(desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(desk, gateways, sandbox, monkeypatch)


async def taken_for_nothing(stage: Stage, dies_at: int | None) -> tuple[Booking, Life]:
    """The payer agrees at their bank, and the airline won't fly."""
    booking = await stage.desk.booked("3A")
    await stage.pay(booking, await stage.sandbox.method("alipay"))
    async with stage.database.transaction() as session:
        url = (await session.execute(text("SELECT redirect_url FROM payments"))).scalar_one()
        await session.execute(text("UPDATE slots SET status = 'CLOSED'"))
    await stage.sandbox.answer_challenge(url, "complete")
    return booking, await stage.advance(booking, dies_at)


async def assert_returned_once(stage: Stage, booking: Booking) -> None:
    """Nothing is kept, here or at the gateway."""
    async with stage.database.reading() as session:
        row = await session.execute(text("SELECT b.status, y.status FROM bookings b JOIN payments y ON true"))
        assert tuple(row.one()) == ("FAILED", "VOIDED")
        posted = [(one.kind, one.amount) for one in await ledger.statement(session, booking.id)]
    assert posted == [("UNDUE", booking.total), ("UNDUE_RETURNED", booking.total)]
    assert [one for one in await invariants.check(stage.database) if one.broken] == []
    (intent,) = await stage.sandbox.intents(booking.id)
    refunds = (await stage.sandbox.ask("GET", f"/v1/refunds?payment_intent={intent['id']}"))["data"]
    assert (intent["amount_received"], [one["amount"] for one in refunds]) == (booking.total, [booking.total])


async def test_unharmed_it_passes_the_points_that_are_listed(stage: Stage) -> None:
    booking, life = await taken_for_nothing(stage, None)
    assert life.passed == POINTS
    await assert_returned_once(stage, booking)


@pytest.mark.parametrize("dies_at", range(len(POINTS)))
async def test_killed_at_any_point_it_goes_back_once(stage: Stage, dies_at: int) -> None:
    booking, life = await taken_for_nothing(stage, dies_at)
    assert life.passed == POINTS[:dies_at]
    await stage.advance(booking)
    await assert_returned_once(stage, booking)
