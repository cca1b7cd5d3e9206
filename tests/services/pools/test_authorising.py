"""What a pool may sell, in all and in a class, is set by staff: within what it has and has sold; told as a fact."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Invalid, NotFound
from models import Pool
from services import pools
from services.holds import UnknownPool
from services.pools import NotAuthorised, UnknownClass
from services.transitions import Cause
from tests.factories.holds import everything, hold, want
from tests.factories.places import counts
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock

REVENUE = Cause(actor="user:7", reason="a quiet week")


async def authorise(database: Database, slot_id: int, authorised: int, code: str = "ECONOMY") -> Pool:
    async with database.transaction() as session:
        return await pools.authorise(session, slot_id, code, authorised, REVENUE)


async def limit(database: Database, slot_id: int, booking_class: str, most: int, code: str = "ECONOMY") -> Pool:
    async with database.transaction() as session:
        return await pools.limit_class(session, slot_id, code, booking_class, most, REVENUE)


async def limit_m(database: Database, slot_id: int, most: int, code: str = "ECONOMY") -> Pool:
    return await limit(database, slot_id, "M", most, code)


async def overbook(database: Database, slot_id: int, overbooking: int, code: str = "ECONOMY") -> Pool:
    async with database.transaction() as session:
        return await pools.set_overbooking(session, slot_id, code, overbooking, REVENUE)


Change = Callable[..., Awaitable[Pool]]


async def left(database: Database, slot_id: int) -> int:
    """How many of economy may still be sold."""
    async with database.reading() as session:
        return pools.left(next(pool for pool in await pools.of_slot(session, slot_id) if pool.code == "ECONOMY"))


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


@pytest.mark.parametrize(("overbooking", "authorised"), [(0, 9), (2, 11), (2, 2)])
async def test_never_less_than_is_sold_nor_more_than_may_be(
    database: Database, schedule: Schedule, overbooking: int, authorised: int
) -> None:
    await overbook(database, schedule.first, overbooking)
    await hold(database, want(schedule.first, quantities={"ECONOMY": 3}))
    before = await everything(database)
    with pytest.raises(NotAuthorised) as refusal:
        await authorise(database, schedule.first, authorised)
    assert (refusal.value.least, refusal.value.most) == (3, 8 + overbooking)
    assert await everything(database) == before


async def test_a_cabin_that_may_be_overbooked_is(database: Database, schedule: Schedule) -> None:
    await overbook(database, schedule.first, 2)
    assert await left(database, schedule.first) == 8
    pool = await authorise(database, schedule.first, 10)
    assert (pool.authorised, pool.class_limits) == (10, [10, 8])
    await hold(database, want(schedule.first, quantities={"ECONOMY": 9}))
    assert await counts(database, schedule.first) == (9, 0, 0)


async def test_overbooking_is_told_once(database: Database, schedule: Schedule) -> None:
    for _ in range(2):
        assert (await overbook(database, schedule.first, 2)).overbooking == 2
    ((kind, stream, payload),) = await told(database)
    assert (kind, stream) == ("inventory.overbooking_set", f"slot:{schedule.first}")
    assert (payload["pool"], payload["overbooking"], payload["from"]) == ("ECONOMY", 2, 0)
    assert (payload["actor"], payload["reason"]) == ("user:7", "a quiet week")


@pytest.mark.parametrize("overbooking", [1, 9])
async def test_overbooking_is_never_less_than_is_authorised_nor_more_than_the_cabin(
    database: Database, schedule: Schedule, overbooking: int
) -> None:
    await overbook(database, schedule.first, 3)
    await authorise(database, schedule.first, 10)
    before = await everything(database)
    with pytest.raises(NotAuthorised) as refusal:
        await overbook(database, schedule.first, overbooking)
    assert (refusal.value.least, refusal.value.most) == (2, 8)
    assert await everything(database) == before
    assert (await overbook(database, schedule.first, 2)).overbooking == 2


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


async def test_no_class_is_limited_to_more_than_there_is(database: Database, schedule: Schedule) -> None:
    before = await everything(database)
    with pytest.raises(NotAuthorised) as refusal:
        await limit(database, schedule.first, "M", 9)
    assert (refusal.value.least, refusal.value.most) == (0, 8)
    assert await everything(database) == before


@pytest.mark.parametrize("change", [authorise, overbook, limit_m])
async def test_what_cannot_be_meant(database: Database, schedule: Schedule, change: Change) -> None:
    before = await everything(database)
    with pytest.raises(UnknownPool) as unknown:
        await change(database, schedule.first, 3, "BUSINESS")
    with pytest.raises(NotFound):
        await change(database, 7, 3)
    with pytest.raises(Invalid) as negative:
        await change(database, schedule.first, -1)
    assert (unknown.value.field, negative.value.code) == ("cabin", "INVALID_INPUT")
    assert await everything(database) == before


async def test_a_class_that_the_cabin_has_not(database: Database, schedule: Schedule) -> None:
    before = await everything(database)
    with pytest.raises(UnknownClass) as refusal:
        await limit(database, schedule.first, "Q", 3)
    assert refusal.value.field == "bookingClass"
    assert await everything(database) == before
