"""However a seat changes hands, each change has a later version than every change committed before it."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from core.db import Database
from models import Claim
from services import holds
from tests.factories.holds import CAUSE, place, versions
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked
from tests.fakes.clock import set_clock

SEATS = ("2A", "2B", "2C")
HANDS, TURNS = 12, 8


async def told(database: Database) -> dict[str, list[int]]:
    """The versions of each seat in the order of the facts, which is that of their commits: see `models.Fact`."""
    seen: dict[str, list[int]] = defaultdict(list)
    async with database.reading() as session:
        for payload in await session.scalars(text("SELECT payload FROM facts WHERE kind LIKE 'seat.%' ORDER BY id")):
            for seat in payload["seats"]:
                seen[seat["number"]].append(seat["version"])
    return seen


async def hand(database: Database, slot_id: int, seed: int) -> None:
    """Somebody who comes by two seats, TURNS times, and gives them back, sells them, or lets them expire.

    One who loses a seat to another tries again: a turn counts when it was had, however fast the others are.
    """
    chance = random.Random(seed)
    turns = 0
    while turns < TURNS:
        try:
            hold_id = await place(database, slot_id, *chance.sample(SEATS, 2))
        except holds.SeatsTaken:
            continue
        turns += 1
        async with database.transaction() as session:
            match chance.choice(("release", "expire", "sell")):
                case "release":
                    await holds.release(session, hold_id, CAUSE)
                case "sell":
                    await holds.take_over(session, hold_id, CAUSE)
                    sold = await holds.items(session, hold_id)
                    await holds.give_back(
                        session,
                        hold_id,
                        [holds.SlotUnits(slot_id=item.slot_id, units=tuple(item.units)) for item in sold],
                    )
                case "expire":
                    past = "expires_at = jetway_now() - interval '1 second'"
                    for table, column in (("claims", "hold_id"), ("holds", "id")):
                        statement = f"UPDATE {table} SET {past} WHERE {column} = :id"  # noqa: S608 - ours
                        await session.execute(text(statement), {"id": hold_id})
        async with database.transaction() as session:
            await holds.expire_due(session, 3)


async def watch(database: Database, slot_id: int, done: asyncio.Event) -> list[dict[str, int]]:
    """What somebody sees who looks again and again."""
    seen = [await versions(database, slot_id)]
    while not done.is_set():
        seen.append(await versions(database, slot_id))
    return seen


async def test_many_hands_on_three_seats(crowd: Database, schedule: Schedule) -> None:
    done = asyncio.Event()
    watcher = asyncio.create_task(watch(crowd, schedule.first, done))
    await asyncio.gather(*(hand(crowd, schedule.first, seed) for seed in range(HANDS)))
    done.set()
    seats = await told(crowd)
    assert set(seats) == set(SEATS)
    assert sum(map(len, seats.values())) >= HANDS * TURNS * 2
    for unit, numbers in seats.items():
        assert numbers == sorted(set(numbers)), unit
    looks = await watcher
    for unit in SEATS:
        seen = [look.get(unit, 0) for look in looks]
        assert seen == sorted(seen), unit


async def test_the_version_is_drawn_after_the_wait(database: Database, schedule: Schedule) -> None:
    noon = datetime.now(UTC)
    await set_clock(database, noon)
    hold_id = await place(database, schedule.first, "2A")
    await set_clock(database, noon + timedelta(minutes=15))
    async with database.transaction() as session:
        await holds.lock(session, hold_id)
        next_buyer = asyncio.create_task(place(database, schedule.first, "2A"))
        await until_blocked(database)
        assert await holds.expire_due(session, 1) == 1
    await next_buyer
    numbers = (await told(database))["2A"]
    assert len(numbers) == 3
    assert numbers == sorted(numbers)


async def test_control_a_version_drawn_before_the_wait_goes_back(database: Database, schedule: Schedule) -> None:
    upsert = text(
        """
        INSERT INTO claims (slot_id, unit, status, version, changed_at)
        VALUES (:slot, '2A', 'BLOCKED', nextval('claim_versions'), jetway_now())
        ON CONFLICT (slot_id, unit) DO UPDATE SET version = excluded.version RETURNING version
        """
    )

    async def naive() -> int:
        async with database.transaction() as session:
            return int((await session.execute(upsert, {"slot": schedule.first})).scalar_one())

    hold_id = await place(database, schedule.first, "2A")
    async with database.transaction() as session:
        await holds.lock(session, hold_id)
        late = asyncio.create_task(naive())
        await until_blocked(database)
        await holds.release(session, hold_id, CAUSE)
        released = (await session.get_one(Claim, (schedule.first, "2A"))).version
    assert await late < released
