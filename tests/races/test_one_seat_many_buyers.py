"""Fifty buyers of the same two seats: exactly one of them gets both."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

from sqlalchemy import select, text

from core.db import Database
from models import Claim
from services.holds import SeatsTaken
from tests.factories.holds import place, pools, seats
from tests.factories.schedules import Schedule

BUYERS = 50


async def count(database: Database, table: str) -> int:
    async with database.reading() as session:
        return int((await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608 - ours


async def test_exactly_one_buyer_wins(crowd: Database, schedule: Schedule) -> None:
    orders = (("2A", "2B"), ("2B", "2A"))
    outcomes = await asyncio.gather(
        *(place(crowd, schedule.first, *orders[buyer % 2]) for buyer in range(BUYERS)), return_exceptions=True
    )
    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, UUID)]
    losers = [outcome for outcome in outcomes if isinstance(outcome, SeatsTaken)]
    assert len(losers) == BUYERS - 1
    assert {unit for loser in losers for unit in loser.taken[schedule.first]} <= {"2A", "2B"}
    async with crowd.reading() as session:
        owners = set(await session.scalars(select(Claim.hold_id)))
    assert owners == {winner}
    assert await seats(crowd, schedule.first) == {"2A": "LOCKED", "2B": "LOCKED"}
    assert await pools(crowd, schedule.first) == {"ECONOMY": (2, 0), "FIRST": (0, 0)}
    assert [await count(crowd, table) for table in ("holds", "hold_items", "idempotency_keys", "facts")] == [1, 1, 1, 1]


async def test_control_looking_before_taking_sells_one_seat_to_everybody(crowd: Database, schedule: Schedule) -> None:
    rivals = 10
    together = asyncio.Barrier(rivals)
    take = text(
        """
        INSERT INTO claims (slot_id, unit, status, hold_id, expires_at, version, changed_at)
        VALUES (:slot, '2A', 'LOCKED', :hold, jetway_now() + interval '15 minutes', 1, jetway_now())
        ON CONFLICT (slot_id, unit) DO UPDATE SET hold_id = excluded.hold_id
        """
    )

    async def naive() -> bool:
        async with crowd.transaction() as session:
            free = await session.get(Claim, (schedule.first, "2A")) is None
            await together.wait()
            if free:
                await session.execute(take, {"slot": schedule.first, "hold": uuid4()})
            return free

    assert sum(await asyncio.gather(*(naive() for _ in range(rivals)))) == rivals
