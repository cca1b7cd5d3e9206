"""A Valkey that is gone, frozen, restarted or wiped: everybody has a chance, and the gate comes back by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.embedded import EmbeddedValkey
from services.holds.gates import ValkeyGate, Won
from services.holds.gates.breaker import FAILURES, PAUSE_SECONDS, Breaker
from tests.factories.gates import attempt, chances, has_a_chance, hold
from tests.fakes.ticking import Ticking
from tests.fakes.waiting import eventually


@pytest.fixture
def mortal(folder: Path, slot: int) -> Iterator[EmbeddedValkey]:
    """A Valkey that this test may do anything to."""
    with EmbeddedValkey(folder / f"mortal-{slot}") as server:
        yield server


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
async def gate(mortal: EmbeddedValkey, clock: Ticking) -> AsyncIterator[ValkeyGate]:
    """A gate at that Valkey whose breaker goes by the test's clock. Half a second is little for nobody who answers."""
    breaker = Breaker("of the test", (RedisError, OSError), patience=0.5, clock=clock)
    gate = ValkeyGate(Redis.from_url(mortal.url, socket_timeout=None), breaker, flight_seconds=600)
    yield gate
    await gate.aclose()


async def all_pass(gate: ValkeyGate, slot: int) -> None:
    """Rivals all have a chance, those who find the breaker open included."""
    for _ in range(FAILURES + 1):
        entry = attempt(slot, "1A")
        assert await gate.enter([entry, attempt(slot, "1A")]) == [True, True]
        await gate.confirm([Won(entry, 600)])
        await gate.leave([entry])


async def is_back(gate: ValkeyGate, clock: Ticking, slot: int) -> None:
    """Return once the gate tells rivals apart again."""

    async def sees() -> bool:
        clock.tick(PAUSE_SECONDS)
        return list(await gate.enter([attempt(slot, "9A"), attempt(slot, "9A")])) == [False, False]

    await gate.enter([attempt(slot, "9A")])
    await eventually(sees)


async def test_while_it_is_gone_everybody_has_a_chance(
    gate: ValkeyGate, mortal: EmbeddedValkey, clock: Ticking, slot: int
) -> None:
    await hold(gate, attempt(slot, "1A"))
    mortal.kill()
    await all_pass(gate, slot)
    mortal.start()
    await is_back(gate, clock, slot)


async def test_while_it_is_frozen_everybody_has_a_chance(
    gate: ValkeyGate, mortal: EmbeddedValkey, clock: Ticking, slot: int
) -> None:
    await hold(gate, attempt(slot, "1A"))
    os.kill(mortal.pid, signal.SIGSTOP)
    try:
        await all_pass(gate, slot)
    finally:
        os.kill(mortal.pid, signal.SIGCONT)
    await is_back(gate, clock, slot)


async def test_no_answer_goes_to_the_wrong_question_after_a_freeze(mortal: EmbeddedValkey, slot: int) -> None:
    redis = Redis.from_url(mortal.url, socket_timeout=None)
    impatient, patient = (
        ValkeyGate(redis, Breaker("of the test", (RedisError, OSError), patience=seconds), flight_seconds=600)
        for seconds in (0.02, 600)
    )
    os.kill(mortal.pid, signal.SIGSTOP)
    try:
        assert await impatient.enter([attempt(slot, f"1{letter}") for letter in "ABC"]) == [True, True, True]
    finally:
        os.kill(mortal.pid, signal.SIGCONT)
    assert await patient.enter([attempt(slot, "2A"), attempt(slot, "2A")]) == [True, False]
    await redis.aclose()


async def test_a_restart_is_not_noticed(mortal: EmbeddedValkey, slot: int) -> None:
    gate = ValkeyGate.connect(mortal.url, patience=600, flight_seconds=600)
    await hold(gate, attempt(slot, "1A"))
    mortal.stop()
    mortal.start()
    assert await chances(gate, slot, ["1A", "1B"]) == {"1A": False, "1B": True}
    await gate.aclose()


async def test_after_it_was_wiped_everybody_has_a_chance(mortal: EmbeddedValkey, slot: int) -> None:
    gate, holder = ValkeyGate.connect(mortal.url, patience=600, flight_seconds=600), attempt(slot, "1A")
    await hold(gate, holder)
    async with Redis.from_url(mortal.url) as operator:
        await operator.flushall()
    assert await has_a_chance(gate, attempt(slot, "1A"))
    await gate.confirm([Won(holder, 600)])
    assert not await has_a_chance(gate, attempt(slot, "1A"))
    await gate.aclose()
