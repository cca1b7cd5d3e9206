"""Many buyers of sets that overlap: no deadlock, each all or nothing, and what is claimed is what is held."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from core.db import Database
from models import Claim, HoldItem, SeatStatus
from services import holds
from services.holds import SeatsTaken, Want
from tests.factories.holds import CAUSE, hold, place, pools, want
from tests.factories.schedules import Schedule

BUYERS = 60
SEATS = tuple(f"{row}{column}" for row in (1, 2, 3) for column in "ABCD")


def wishes(chance: random.Random, schedule: Schedule) -> list[Want]:
    """One to four seats of one flight or of both, in no order."""
    flights = chance.sample([schedule.first, schedule.second], chance.randint(1, 2))
    return [want(flight, *chance.sample(SEATS, chance.randint(1, 4))) for flight in flights]


async def buy(database: Database, wants: Sequence[Want], *, changes_mind: bool) -> UUID | None:
    """Hold those seats, and perhaps give them back; the hold that is kept."""
    try:
        hold_id = (await hold(database, *wants)).id
    except SeatsTaken:
        return None
    if changes_mind:
        async with database.transaction() as session:
            await holds.release(session, hold_id, CAUSE)
        return None
    return hold_id


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_claimed_is_what_is_held(crowd: Database, schedule: Schedule, seed: int) -> None:
    chance = random.Random(seed)
    wanted = [(wishes(chance, schedule), chance.random() < 0.4) for _ in range(BUYERS)]
    kept = await asyncio.gather(*(buy(crowd, wants, changes_mind=mind) for wants, mind in wanted))
    expected = {
        (some.slot_id, unit): hold_id
        for (wants, _), hold_id in zip(wanted, kept, strict=True)
        if hold_id is not None
        for some in wants
        for unit in some.units
    }
    async with crowd.reading() as session:
        locked = (await session.scalars(select(Claim).where(Claim.status == SeatStatus.LOCKED))).all()
        items = (await session.scalars(select(HoldItem).where(HoldItem.hold_id.in_(set(kept))))).all()
    assert {(claim.slot_id, claim.unit): claim.hold_id for claim in locked} == expected
    assert {(item.slot_id, unit): item.hold_id for item in items for unit in item.units} == expected
    counted = Counter((slot, "FIRST" if unit.startswith("1") else "ECONOMY") for slot, unit in expected)
    for slot in (schedule.first, schedule.second):
        assert await pools(crowd, slot) == {code: (counted[slot, code], 0) for code in ("FIRST", "ECONOMY")}


async def test_control_locking_in_the_order_of_the_wish_deadlocks(crowd: Database, schedule: Schedule) -> None:
    for unit in ("2A", "2B"):
        await place(crowd, schedule.first, unit)
    together = asyncio.Barrier(2)

    async def naive(first: str, second: str) -> None:
        async with crowd.transaction() as session:
            for unit in (first, second):
                await session.execute(update(Claim).where(Claim.unit == unit).values(changed_at=text("jetway_now()")))
                if unit == first:
                    await together.wait()

    outcomes = await asyncio.gather(naive("2A", "2B"), naive("2B", "2A"), return_exceptions=True)
    (victim,) = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(victim, DBAPIError)
    assert "deadlock detected" in str(victim)
