"""A hold that cannot be expired is told to whoever keeps Jetway running, and keeps no other hold from being expired."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from core.db import Database
from services import holds, pools, sweeping
from services.holds import Broken, expiry
from tests.factories.holds import CAUSE, GUEST, key, place, placing, seats, want
from tests.factories.holds import pools as counts
from tests.factories.places import set_pool
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock
from tests.fakes.ticking import Ticking

QUARTER = timedelta(minutes=15)


async def sweep(database: Database, broken: Broken, limit: int = 100) -> int:
    async with database.transaction() as session:
        return await holds.expire_due(session, limit, broken)


async def statuses(database: Database) -> dict[UUID, str]:
    async with database.reading() as session:
        return {row.id: row.status for row in await session.execute(text("SELECT id, status FROM holds"))}


def failures() -> float:
    (metric,) = expiry.FAILURES.collect()
    return metric.samples[0].value


@pytest.fixture
async def stuck(database: Database, schedule: Schedule, noon: datetime) -> UUID:
    """The oldest hold; somebody has set its pool to nothing held, so it cannot give back what it keeps."""
    hold_id = await place(database, schedule.first, "1A")
    await set_pool(database, schedule.first, "FIRST", held=0)
    return hold_id


@pytest.mark.parametrize("others", [1, 2, 6])
async def test_all_others_are_expired(
    database: Database, schedule: Schedule, noon: datetime, stuck: UUID, others: int
) -> None:
    units = ("2A", "2B", "2C", "2D", "3A", "3B")[:others]
    ids = [await place(database, schedule.first, unit) for unit in units]
    await set_clock(database, noon + QUARTER)
    before = failures()
    with capture_logs() as logs:
        assert await sweep(database, Broken()) == others
    assert await statuses(database) == {stuck: "ACTIVE", **dict.fromkeys(ids, "EXPIRED")}
    assert await seats(database, schedule.first) == {"1A": "AVAILABLE", **dict.fromkeys(units, "AVAILABLE")}
    assert await counts(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}
    ((event, hold),) = [(line["event"], line["hold"]) for line in logs]
    assert (event, hold, failures()) == ("hold.expiry_failed", str(stuck), before + 1)


async def test_it_is_passed_over_for_a_while_and_then_tried_again(
    database: Database, schedule: Schedule, noon: datetime, stuck: UUID
) -> None:
    """With room for one hold in a sweep, the broken one would be the only one that is ever looked at."""
    clock = Ticking()
    broken, other = Broken(clock), await place(database, schedule.first, "2A")
    await set_clock(database, noon + QUARTER)
    assert [await sweep(database, broken, limit=1) for _ in range(3)] == [0, 1, 0]
    assert await statuses(database) == {stuck: "ACTIVE", other: "EXPIRED"}
    await set_pool(database, schedule.first, "FIRST", held=1)
    assert await sweep(database, broken) == 0
    clock.tick(sweeping.SET_ASIDE_SECONDS)
    assert await sweep(database, broken) == 1
    assert (await statuses(database))[stuck] == "EXPIRED"


async def test_a_buyer_who_needs_its_place_is_refused_and_staff_may_authorise(
    database: Database, schedule: Schedule, noon: datetime, stuck: UUID
) -> None:
    others = [await place(database, schedule.second, unit) for unit in ("1A", "1B", "1C", "1D")]
    await set_pool(database, schedule.second, "FIRST", class_held=[0])
    await set_pool(database, schedule.first, "FIRST", authorised=0)
    await set_clock(database, noon + QUARTER)
    async with placing(database) as placer:
        with pytest.raises(holds.SoldOut):
            await placer.place(GUEST, [want(schedule.first, quantities={"FIRST": 1})], 15, key())
        assert await placer.place(GUEST, [want(schedule.second, quantities={"FIRST": 4})], 15, key())
    async with database.transaction() as session:
        assert (await pools.authorise(session, schedule.first, "FIRST", 3, CAUSE)).authorised == 3
    assert {(await statuses(database))[one] for one in others} == {"EXPIRED"}


async def test_whoever_was_in_the_way_is_no_fault_of_a_hold(
    database: Database, schedule: Schedule, noon: datetime, held: UUID
) -> None:
    await set_clock(database, noon + QUARTER)
    before = failures()

    async def impatient() -> None:
        async with database.transaction() as session:
            await session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            await holds.expire_due(session, 100, Broken())

    async with database.transaction() as session:
        await session.execute(text("SELECT FROM pools FOR UPDATE"))
        with pytest.raises(asyncpg.LockNotAvailableError, match="lock timeout"):
            await impatient()
    assert (failures(), await statuses(database)) == (before, {held: "ACTIVE"})
