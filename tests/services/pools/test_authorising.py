"""What a pool may sell is set by staff, within what it has and what it has sold; told as a fact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Invalid, NotFound
from models import Pool
from services import pools
from services.pools import NotAuthorised
from services.transitions import Cause
from tests.factories.holds import everything, hold, want
from tests.factories.places import counts, set_pool
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock

REVENUE = Cause(actor="user:7", reason="a quiet week")


async def authorise(database: Database, slot_id: int, authorised: int, code: str = "ECONOMY") -> Pool:
    async with database.transaction() as session:
        return await pools.authorise(session, slot_id, code, authorised, REVENUE)


async def limit(database: Database, slot_id: int, booking_class: str, most: int, code: str = "ECONOMY") -> Pool:
    async with database.transaction() as session:
        return await pools.limit_class(session, slot_id, code, booking_class, most, REVENUE)


async def told(database: Database) -> list[tuple[str, str, dict[str, object]]]:
    """Kind, stream and payload of the facts about inventory."""
    async with database.reading() as session:
        rows = await session.execute(
            text("SELECT kind, stream, payload FROM facts WHERE kind LIKE 'inventory.%' ORDER BY id")
        )
        return [tuple(row) for row in rows]


async def test_less_and_again_all(database: Database, schedule: Schedule) -> None:
    await hold(database, want(schedule.first, "2A", quantities={"ECONOMY": 2}))
    for authorised in (3, 8):
        assert (await authorise(database, schedule.first, authorised)).authorised == authorised
    why = {"slot": schedule.first, "pool": "ECONOMY", "actor": "user:7", "reason": "a quiet week"}
    stream = f"slot:{schedule.first}"
    assert await told(database) == [
        ("inventory.authorised", stream, {**why, "authorised": 3, "from": 8}),
        ("inventory.authorised", stream, {**why, "authorised": 8, "from": 3}),
    ]


async def test_the_same_again_is_nothing_new(database: Database, schedule: Schedule) -> None:
    before = await everything(database)
    await authorise(database, schedule.first, 8)
    await limit(database, schedule.first, "M", 8)
    assert await everything(database) == before


@pytest.mark.parametrize(("overbooking", "authorised"), [(0, 9), (2, 11), (2, 2), (0, -1)])
async def test_never_less_than_is_sold_nor_more_than_may_be(
    database: Database, schedule: Schedule, overbooking: int, authorised: int
) -> None:
    await set_pool(database, schedule.first, "ECONOMY", overbooking=overbooking)
    await hold(database, want(schedule.first, quantities={"ECONOMY": 3}))
    before = await everything(database)
    with pytest.raises(NotAuthorised):
        await authorise(database, schedule.first, authorised)
    assert await everything(database) == before


async def test_a_cabin_that_may_be_overbooked_is(database: Database, schedule: Schedule) -> None:
    await set_pool(database, schedule.first, "ECONOMY", overbooking=2)
    pool = await authorise(database, schedule.first, 10)
    assert (pool.authorised, pool.class_limits) == (10, [10, 8])
    await hold(database, want(schedule.first, quantities={"ECONOMY": 9}))
    assert await counts(database, schedule.first) == (9, 0, 0)


async def test_a_top_class_with_a_limit_of_its_own_keeps_it(database: Database, schedule: Schedule) -> None:
    await limit(database, schedule.first, "Y", 7)
    assert (await authorise(database, schedule.first, 5)).class_limits == [7, 8]


async def test_what_has_expired_does_not_stand_in_the_way(database: Database, schedule: Schedule) -> None:
    noon = datetime.now(UTC)
    await set_clock(database, noon)
    await hold(database, want(schedule.first, quantities={"ECONOMY": 5}))
    await set_clock(database, noon + timedelta(minutes=15))
    await authorise(database, schedule.first, 0)
    assert await counts(database, schedule.first) == (0, 0, 0)


async def test_a_class_is_limited_and_told(database: Database, schedule: Schedule) -> None:
    assert (await limit(database, schedule.first, "M", 0)).class_limits == [8, 0]
    ((kind, stream, payload),) = await told(database)
    assert (kind, stream) == ("inventory.class_limited", f"slot:{schedule.first}")
    assert (payload["class"], payload["limit"], payload["from"]) == ("M", 0, 8)


async def test_what_cannot_be_meant(database: Database, schedule: Schedule) -> None:
    before = await everything(database)
    with pytest.raises(NotFound):
        await authorise(database, schedule.first, 3, "BUSINESS")
    with pytest.raises(NotFound):
        await authorise(database, 7, 3)
    with pytest.raises(NotFound):
        await limit(database, schedule.first, "Q", 3)
    for most in (-1, 9):
        with pytest.raises(Invalid) as refusal:
            await limit(database, schedule.first, "M", most)
        assert refusal.value.field == "limit"
    assert await everything(database) == before
