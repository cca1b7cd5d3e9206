"""The gate of one process: what it knows counts for a second, what is under way for as long as it is."""

from __future__ import annotations

import asyncio

import pytest

from services.holds.gates import LocalGate, Won
from tests.factories.gates import attempt, attempt_at, chances, has_a_chance, hold
from tests.fakes.ticking import Ticking

SLOT = 1


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def gate(clock: Ticking) -> LocalGate:
    return LocalGate(clock=clock)


async def test_of_rivals_in_a_batch_the_first_has_a_chance(gate: LocalGate) -> None:
    batch = [attempt(SLOT, "1A", "1B"), attempt(SLOT, "1B", "1C"), attempt(SLOT, "1C"), attempt(SLOT + 1, "1A")]
    assert await gate.enter(batch) == [True, False, True, True]


async def test_who_is_diverted_stands_in_nobodys_way(gate: LocalGate) -> None:
    await hold(gate, attempt(SLOT, "1A"))
    assert not await has_a_chance(gate, attempt(SLOT, "1B", "1A"))
    assert await chances(gate, SLOT, ["1A", "1B"]) == {"1A": False, "1B": True}


async def test_who_loses_takes_its_own_back_and_no_more(gate: LocalGate) -> None:
    one, other, loser = attempt(SLOT, "1A"), attempt(SLOT, "1B"), attempt(SLOT, "1A", "1B")
    assert await gate.enter([one, other, loser]) == [True, True, False]
    await gate.leave([loser])
    assert await chances(gate, SLOT, ["1A", "1B"]) == {"1A": False, "1B": False}
    await gate.leave([one])
    assert await chances(gate, SLOT, ["1A", "1B"]) == {"1A": True, "1B": False}


async def test_what_is_taken_counts_for_a_second(gate: LocalGate, clock: Ticking) -> None:
    await hold(gate, attempt(SLOT, "1A"))
    await gate.taken([(SLOT, "1B")])
    clock.tick(0.75)
    assert await chances(gate, SLOT, ["1A", "1B"]) == {"1A": False, "1B": False}
    await gate.taken([(SLOT, "1B")])
    clock.tick(0.25)
    assert await chances(gate, SLOT, ["1A", "1B"]) == {"1A": True, "1B": False}
    clock.tick(0.75)
    assert await chances(gate, SLOT, ["1A", "1B"]) == {"1A": True, "1B": True}


async def test_nothing_counts_past_its_deadline(gate: LocalGate, clock: Ticking) -> None:
    await hold(gate, attempt(SLOT, "1A"), seconds=0.5)
    clock.tick(0.5)
    assert await chances(gate, SLOT, ["1A"]) == {"1A": True}


async def test_a_winner_that_never_entered_is_known_all_the_same(gate: LocalGate) -> None:
    await gate.confirm([Won(attempt(SLOT, "1A"), 600)])
    assert await chances(gate, SLOT, ["1A"]) == {"1A": False}


async def test_after_an_error_nothing_is_known_but_what_is_under_way(gate: LocalGate) -> None:
    await hold(gate, attempt(SLOT, "1A"))
    await gate.enter([attempt(SLOT, "1B")])
    await gate.forget()
    assert await chances(gate, SLOT, ["1A", "1B"]) == {"1A": True, "1B": False}


async def test_an_attempt_that_nobody_ends_is_over_after_two_seconds(gate: LocalGate, clock: Ticking) -> None:
    lost = attempt(SLOT, "1A")
    await gate.enter([lost])
    clock.tick(1.75)
    assert await chances(gate, SLOT, ["1A"]) == {"1A": False}
    clock.tick(0.25)
    next_one = attempt(SLOT, "1A")
    assert await gate.enter([next_one]) == [True]
    await gate.leave([lost])
    assert await chances(gate, SLOT, ["1A"]) == {"1A": False}


async def test_no_more_is_remembered_than_has_room(clock: Ticking) -> None:
    gate = LocalGate(units=2, clock=clock)
    await gate.taken([(SLOT, "1A"), (SLOT, "1B")])
    await gate.taken([(SLOT, "1A"), (SLOT, "1C")])
    assert await chances(gate, SLOT, ["1A", "1B", "1C"]) == {"1A": False, "1B": True, "1C": False}


async def test_quantities_alone_pass(gate: LocalGate) -> None:
    assert await gate.enter([attempt_at(), attempt_at()]) == [True, True]


async def test_whoever_lost_against_attempts_under_way_waits_for_their_end(gate: LocalGate) -> None:
    one, other, rival = attempt(SLOT, "1A"), attempt(SLOT, "1B"), attempt(SLOT, "1A", "1B")
    await gate.enter([one, other, rival])
    waiting = asyncio.create_task(gate.settled([rival]))
    await gate.leave([one])
    await asyncio.sleep(0)
    assert not waiting.done()
    await gate.confirm([Won(other, 600)])
    await waiting
    assert await chances(gate, SLOT, ["1A", "1B"]) == {"1A": True, "1B": False}


async def test_nobody_waits_for_what_is_known_or_its_own(gate: LocalGate) -> None:
    await hold(gate, attempt(SLOT, "1A"))
    own = attempt(SLOT, "1B")
    await gate.enter([own])
    await gate.settled([own, attempt(SLOT, "1A", "1C")])


async def test_nobody_waits_for_an_attempt_that_nobody_ends(gate: LocalGate, clock: Ticking) -> None:
    await gate.enter([attempt(SLOT, "1A")])
    clock.tick(2)
    await gate.settled([attempt(SLOT, "1A")])
    assert await chances(gate, SLOT, ["1A"]) == {"1A": True}
