"""Signals go when no window reaches them; what waits for staff is measured."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from core.db import Database
from models import Booking, FraudSignal
from services import bookings
from services.fraud import reviews, signals
from services.gateways import Gateways
from services.transitions import Cause
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.factories.fraud import ADA, screened


async def kept(database: Database) -> int:
    async with database.reading() as session:
        return (await session.execute(select(func.count()).select_from(FraudSignal))).scalar_one()


async def pruned(database: Database, limit: int = 2) -> int:
    async with database.transaction() as session:
        return await signals.prune(session, limit)


async def test_signals_go_after_thirty_days_so_many_at_a_time(database: Database, booking: Booking) -> None:
    for _ in range(3):
        await screened(database, booking.id, ADA)
    assert await pruned(database) == 0
    await pass_time(database, timedelta(days=30, minutes=1))
    await screened(database, booking.id, ADA)
    assert [await pruned(database) for _ in range(3)] == [2, 1, 0]
    assert await kept(database) == 1


async def test_what_waits_is_measured(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    async def measured() -> tuple[float, bool]:
        async with desk.database.reading() as session:
            await reviews.gauge(session)
        return reviews.OPEN._value.get(), reviews.OLDEST._value.get() >= 60

    assert await measured() == (0, False)
    payment = await bookings.pay(desk.database, gateways, booking.id, "pm_card_riskLevelElevated", None, GUEST, key())
    await pass_time(desk.database, timedelta(minutes=2))
    assert await measured() == (1, True)
    await bookings.approve(desk.database, payment.id, Cause(actor="user:7", reason="known to us"))
    assert await measured() == (0, False)
