"""Many processes at the shared gate, all wanting sets that overlap: each unit is let through once, in whole sets."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from services.holds.gates import Entry, Gates, LocalGate, ValkeyGate
from tests.factories.gates import attempt

PROCESSES = 8
BATCH = 16
UNITS = [f"{row}{letter}" for row in range(1, 5) for letter in "ABCDEF"]
LONG = 600.0


@pytest.fixture
def slot() -> int:
    """A slot that no other test has."""
    return random.SystemRandom().randrange(1 << 60)


@pytest.fixture
async def processes(redis_url: str) -> AsyncIterator[list[Gates]]:
    """The gates of several processes, which wait as long as it takes."""
    gates = [
        Gates([LocalGate(), ValkeyGate.connect(redis_url, patience=LONG, flight_seconds=LONG)])
        for _ in range(PROCESSES)
    ]
    yield gates
    for one in gates:
        await one.aclose()


def batches(slot: int) -> list[list[Entry]]:
    """For each process a batch of attempts at two or three units, in no order."""
    dice = random.Random(7)
    return [[attempt(slot, *dice.sample(UNITS, dice.choice((2, 3)))) for _ in range(BATCH)] for _ in range(PROCESSES)]


async def test_each_unit_is_let_through_once_and_whole_sets_only(
    processes: list[Gates], redis_url: str, slot: int
) -> None:
    wanted = batches(slot)
    answers = await asyncio.gather(*(gates.enter(batch) for gates, batch in zip(processes, wanted, strict=True)))
    through = [
        entry
        for batch, chances in zip(wanted, answers, strict=True)
        for entry, chance in zip(batch, chances, strict=True)
        if chance
    ]
    units = Counter(unit for entry in through for unit in entry.units)
    assert through
    assert set(units.values()) == {1}
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        keys = [name async for name in redis.scan_iter(f"jetway:unit:{{{slot}}}:*", count=1000)]
    assert sorted(keys) == sorted(f"jetway:unit:{{{slot}}}:{unit}" for _, unit in units)


async def test_what_everybody_gives_back_is_there_for_the_next(processes: list[Gates], slot: int) -> None:
    wanted = batches(slot)

    async def come_and_go(gates: Gates, batch: list[Entry]) -> None:
        for entry in batch:
            await gates.enter([entry])
            await gates.leave([entry])

    await asyncio.gather(*(come_and_go(*pair) for pair in zip(processes, wanted, strict=True)))
    assert await processes[0].enter([attempt(slot, unit) for unit in UNITS]) == [True] * len(UNITS)


async def test_control_looking_before_taking_lets_everybody_through(redis_url: str, slot: int) -> None:
    together = asyncio.Barrier(PROCESSES)

    async def naive(redis: Redis, entry: Entry) -> bool:
        names = [f"jetway:unit:{{{slot}}}:{unit}" for _, unit in entry.units]
        free = not await redis.exists(*names)
        await together.wait()
        for name in names:
            await redis.set(name, str(entry.hold_id), px=60_000)
        return free

    async with Redis.from_url(redis_url) as redis:
        answers = await asyncio.gather(*(naive(redis, attempt(slot, "1A", "1B")) for _ in range(PROCESSES)))
    assert answers == [True] * PROCESSES
