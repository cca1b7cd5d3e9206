"""Money comes when its hold is dead, and shoppers want the same seats: each is sold to one, and no cabin overfills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text, update

from core.db import Database
from models import Claim, SeatStatus
from services import holds
from services.holds import PlacesGone, SeatsTaken, SoldOut
from tests.factories.holds import CAUSE, hold, place, pools, seats, want
from tests.factories.requests import outcomes, request, take
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked
from tests.fakes.clock import set_clock

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def dead(database: Database, schedule: Schedule, noon: datetime) -> UUID:
    """A hold of two seats that was expired a minute ago."""
    hold_id = await place(database, schedule.first, "2A", "2B")
    await set_clock(database, noon + 16 * MINUTE)
    async with database.transaction() as session:
        assert await holds.expire_due(session, 1) == 1
    return hold_id


@pytest.fixture
async def rival(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Another process's connection."""
    connection = await database.connect(lock_timeout="20s")
    yield connection
    await connection.close()


async def sell_late(database: Database, hold_id: UUID) -> list[str] | None:
    """Find a dead hold's places again and sell them; the seats that were lost, None where it had been sold before."""
    async with database.transaction() as session:
        found = await holds.find_again(session, hold_id)
        if found is None:
            return None
        await holds.sell_found(session, found, CAUSE)
        return [unit for some in found.lost for unit in some.units]


async def test_sold_late_but_first_the_shopper_is_refused(database: Database, schedule: Schedule, dead: UUID) -> None:
    async with database.transaction() as session:
        found = await holds.find_again(session, dead)
        assert found is not None
        shopper = asyncio.create_task(place(database, schedule.first, "2B", "2C"))
        await until_blocked(database)
        await holds.sell_found(session, found, CAUSE)
    with pytest.raises(SeatsTaken) as refusal:
        await shopper
    assert refusal.value.taken == {schedule.first: ["2B"]}
    assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "BOOKED"}
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 2), "FIRST": (0, 0)}


async def test_taken_by_the_shopper_first_the_seat_is_lost(
    database: Database, schedule: Schedule, dead: UUID, rival: asyncpg.Connection
) -> None:
    async with rival.transaction():
        assert outcomes(await take(rival, request(schedule.first, "2B"))) == ["PLACED"]
        late = asyncio.create_task(sell_late(database, dead))
        await until_blocked(database)
    assert await late == ["2B"]
    assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "LOCKED"}
    assert await pools(database, schedule.first) == {"ECONOMY": (1, 2), "FIRST": (0, 0)}


async def test_the_last_places_go_to_whoever_counts_them_first(
    database: Database, schedule: Schedule, dead: UUID, rival: asyncpg.Connection
) -> None:
    await hold(database, want(schedule.first, quantities={"ECONOMY": 6}))
    async with rival.transaction():
        assert outcomes(await take(rival, request(schedule.first, quantities={"ECONOMY": 1}))) == ["PLACED"]
        late = asyncio.create_task(sell_late(database, dead))
        await until_blocked(database)
    with pytest.raises(PlacesGone):
        await late
    assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "AVAILABLE"}
    assert await pools(database, schedule.first) == {"ECONOMY": (7, 0), "FIRST": (0, 0)}


async def test_of_many_who_want_the_same_places_no_more_win_than_there_are(
    crowd: Database, schedule: Schedule, dead: UUID
) -> None:
    """A cabin of eight: late money wants two of its seats, and eight shoppers one each."""
    units = [f"{row}{column}" for row in (2, 3) for column in "ABCD"]
    late, *others = await asyncio.gather(
        sell_late(crowd, dead),
        *(place(crowd, schedule.first, unit) for unit in units),
        return_exceptions=True,
    )
    won = sum(isinstance(one, UUID) for one in others)
    assert all(isinstance(one, UUID | SeatsTaken | SoldOut) for one in others)
    sold = 2 if isinstance(late, list) else 0
    assert isinstance(late, list | PlacesGone)
    assert await pools(crowd, schedule.first) == {"ECONOMY": (won, sold), "FIRST": (0, 0)}
    assert won + sold <= len(units)


async def test_late_money_twice_at_once_is_one_sale(crowd: Database, schedule: Schedule, dead: UUID) -> None:
    outcomes = await asyncio.gather(*(sell_late(crowd, dead) for _ in range(6)))
    assert (outcomes.count([]), outcomes.count(None)) == (1, 5)
    assert await pools(crowd, schedule.first) == {"ECONOMY": (0, 2), "FIRST": (0, 0)}


async def test_closed_while_it_is_found_again_nothing_is_sold(
    database: Database, schedule: Schedule, dead: UUID
) -> None:
    """Whoever closes a flight locks its pools: late money that waits for them sees that it is closed."""
    async with database.transaction() as session:
        await session.execute(text("UPDATE slots SET status = 'CLOSED' WHERE id = :id"), {"id": schedule.first})
        late = asyncio.create_task(sell_late(database, dead))
        await until_blocked(database)
    with pytest.raises(holds.SalesClosed):
        await late
    assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "AVAILABLE"}
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}


async def test_control_looking_before_selling_sells_a_seat_that_another_holds(
    database: Database, schedule: Schedule, dead: UUID
) -> None:
    async with database.transaction() as session:
        both = Claim.slot_id == schedule.first, Claim.unit.in_(("2A", "2B"))
        assert set(await session.scalars(select(Claim.status).where(*both))) == {SeatStatus.AVAILABLE}
        shopper = await place(database, schedule.first, "2B")
        await session.execute(
            update(Claim).where(*both).values(status=SeatStatus.BOOKED, hold_id=dead, expires_at=None)
        )
    async with database.reading() as session:
        kept = text("SELECT units FROM hold_items WHERE hold_id = :id")
        assert await session.scalar(kept, {"id": shopper}) == ["2B"]
    assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "BOOKED"}
