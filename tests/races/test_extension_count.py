"""A hold with one extension left is extended by several hands at once: it is extended once more, and no further."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from core.db import Database
from models import Hold
from services import holds
from services.holds.keeping import MAX_EXTENSIONS, ExtensionLimit
from tests.factories.holds import GUEST, key, place
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked
from tests.fakes.clock import set_clock

MINUTE = timedelta(minutes=1)
HANDS = 10


@pytest.fixture
async def held(database: Database, schedule: Schedule, noon: datetime) -> UUID:
    """A hold of five minutes that was extended once, at one minute past noon; it is two minutes past noon."""
    hold_id = await place(database, schedule.first, "2A", minutes=5)
    await set_clock(database, noon + MINUTE)
    await extend(database, hold_id)
    await set_clock(database, noon + 2 * MINUTE)
    return hold_id


async def extend(database: Database, hold_id: UUID, with_key: str | None = None) -> datetime:
    async with database.transaction() as session:
        return (await holds.extend(session, hold_id, GUEST, with_key or key())).expires_at


async def found(database: Database, hold_id: UUID) -> tuple[int, datetime]:
    """How often the hold was extended, and until when."""
    async with database.reading() as session:
        hold = await session.get_one(Hold, hold_id)
        return hold.extensions, hold.expires_at


async def test_who_waits_finds_none_left(database: Database, held: UUID, noon: datetime) -> None:
    """A minute later a third extension would move the deadline: it is the count that refuses it."""
    async with database.transaction() as session:
        await holds.extend(session, held, GUEST, key())
        late = asyncio.create_task(extend(database, held))
        await until_blocked(database)
        await set_clock(database, noon + 3 * MINUTE)
    with pytest.raises(ExtensionLimit, match="twice"):
        await late
    assert await found(database, held) == (2, noon + 7 * MINUTE)


async def test_of_many_hands_one_extends(crowd: Database, held: UUID, noon: datetime) -> None:
    outcomes = await asyncio.gather(*(extend(crowd, held) for _ in range(HANDS)), return_exceptions=True)
    assert [one for one in outcomes if not isinstance(one, ExtensionLimit)] == [noon + 7 * MINUTE]
    assert await found(crowd, held) == (2, noon + 7 * MINUTE)


async def test_a_click_that_is_repeated_extends_once(crowd: Database, schedule: Schedule, noon: datetime) -> None:
    hold_id, same = await place(crowd, schedule.first, "2A", minutes=5), key()
    await set_clock(crowd, noon + MINUTE)
    answers = await asyncio.gather(*(extend(crowd, hold_id, same) for _ in range(HANDS)))
    assert set(answers) == {noon + 6 * MINUTE}
    assert await found(crowd, hold_id) == (1, noon + 6 * MINUTE)


async def test_control_counting_without_a_lock_extends_three_times(crowd: Database, held: UUID, noon: datetime) -> None:
    together = asyncio.Barrier(2)

    async def naive() -> bool:
        async with crowd.transaction() as session:
            hold = await session.get_one(Hold, held)
            await together.wait()
            if hold.extensions < MAX_EXTENSIONS:
                values = {"extensions": hold.extensions + 1, "expires_at": Hold.expires_at + 5 * MINUTE}
                await session.execute(
                    update(Hold).where(Hold.id == held).values(values), execution_options={"synchronize_session": False}
                )
                return True
            return False

    assert all(await asyncio.gather(naive(), naive()))
    assert await found(crowd, held) == (2, noon + 16 * MINUTE)
