"""Buyers of overlapping pairs in two processes, while somebody wipes and poisons what gates know: all as if there were
no gates.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from core.db import Database
from core.embedded import EmbeddedValkey
from models import Claim
from services.holds import Placed, Placer, SeatsTaken
from services.holds.gates import Gates, LocalGate, ValkeyGate
from tests.factories.holds import GUEST, key, placing, pools, seats, want
from tests.factories.schedules import Schedule

BUYERS = 120
ALL = tuple(f"{row}{letter}" for row in (1, 2, 3) for letter in "ABCD")


@pytest.fixture
def valkey(folder: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey that nobody else looks into."""
    with EmbeddedValkey(folder / "valkey-of-the-gates") as server:
        yield server


async def buy(placer: Placer, slot_id: int, units: tuple[str, ...]) -> Placed | SeatsTaken:
    try:
        return await placer.place(GUEST, [want(slot_id, *units)], 15, key())
    except SeatsTaken as refusal:
        return refusal


async def meddle(valkey: EmbeddedValkey, gates: list[LocalGate], slot_id: int, stop: asyncio.Event) -> None:
    """Wipe and poison by turns until `stop` is set."""
    dice = random.Random(3)
    async with Redis.from_url(valkey.url) as redis:
        while not stop.is_set():
            unit = dice.choice(ALL)
            await redis.set(f"jetway:unit:{{{slot_id}}}:{unit}", "a stranger", ex=3600)
            for gate in gates:
                await gate.taken([(slot_id, dice.choice(ALL))])
            if dice.random() < 0.3:
                await redis.flushall()
                for gate in gates:
                    await gate.forget()


async def test_gates_that_are_wrong_change_nothing(
    valkey: EmbeddedValkey, database: Database, schedule: Schedule
) -> None:
    local = [LocalGate(), LocalGate()]
    dice = random.Random(5)
    wishes = [tuple(dice.sample(ALL, 2)) for _ in range(BUYERS)]
    async with (
        placing(database, gates=Gates([local[0], ValkeyGate.connect(valkey.url)])) as one,
        placing(database, gates=Gates([local[1], ValkeyGate.connect(valkey.url)])) as other,
    ):
        stop = asyncio.Event()
        meddler = asyncio.create_task(meddle(valkey, local, schedule.first, stop))
        outcomes = await asyncio.gather(
            *(buy((one, other)[turn % 2], schedule.first, units) for turn, units in enumerate(wishes))
        )
        stop.set()
        await meddler

    sold = {
        unit: outcome.id
        for units, outcome in zip(wishes, outcomes, strict=True)
        if isinstance(outcome, Placed)
        for unit in units
    }
    assert len(sold) == 2 * sum(isinstance(outcome, Placed) for outcome in outcomes)
    async with database.reading() as session:
        claims = (await session.execute(select(Claim.unit, Claim.hold_id))).all()
    assert {claim.unit: claim.hold_id for claim in claims} == sold
    assert await seats(database, schedule.first) == dict.fromkeys(sold, "LOCKED")
    assert sum(held for held, _ in (await pools(database, schedule.first)).values()) == len(sold)
    for units, outcome in zip(wishes, outcomes, strict=True):
        if isinstance(outcome, SeatsTaken):
            assert set(outcome.taken[schedule.first]) <= set(units) & set(sold)
