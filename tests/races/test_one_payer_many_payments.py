"""Many payments of one device at once: a limit holds for all together, because each waits to count the others."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from core.db import Database
from core.keys import Keyring
from models import FraudMeasure, FraudSubject, FraudVerdict
from services.fraud import measuring, signals
from services.fraud.measuring import Measured
from services.seats import Plans
from tests.factories.bookings import Desk
from tests.factories.fraud import ADA, rule, screened
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

ALLOW, REVIEW, BLOCK = FraudVerdict
LIMIT, RIVALS = 3, 10


@pytest.fixture
async def booking_id(crowd: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> UUID:
    """A booking that many payments are for; a device may make three."""
    async with crowd.transaction() as session:
        await session.execute(text("DELETE FROM fraud_rules"))
    await rule(crowd, FraudMeasure.PAYMENTS, FraudSubject.USER, LIMIT)
    return (await Desk(crowd, keyring, plans, schedule).booked("3A")).id


async def test_so_many_as_are_allowed_go_on(crowd: Database, booking_id: UUID) -> None:
    verdicts = await asyncio.gather(*(screened(crowd, booking_id, ADA) for _ in range(RIVALS)))
    assert sorted(verdicts) == [ALLOW] * LIMIT + [BLOCK] * (RIVALS - LIMIT)


async def test_the_second_waits_for_the_first(crowd: Database, booking_id: UUID) -> None:
    (key,) = ADA.keys.values()
    async with crowd.transaction() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": signals.locks([key])[0]})
        second = asyncio.create_task(screened(crowd, booking_id, ADA))
        await until_blocked(crowd)
    assert await second is ALLOW


async def test_control_without_the_lock_everybody_goes_on(
    crowd: Database, booking_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = asyncio.Barrier(RIVALS)

    async def measured_together(*arguments: Any) -> Measured:
        measured = await measuring.measure(*arguments)
        await together.wait()
        return measured

    monkeypatch.setattr(signals, "LOCK", "SELECT $1::bigint[]")
    monkeypatch.setattr("services.fraud.assessing.measure", measured_together)
    verdicts = await asyncio.gather(*(screened(crowd, booking_id, ADA) for _ in range(RIVALS)))
    assert set(verdicts) == {ALLOW}
