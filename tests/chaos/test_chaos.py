"""Buyers buy while every fault is done once; and the checker is shown faults that were planted, to see it find them.

A short run, in the order that its seed gives. It lasts as long as it needs on the machine that it runs on.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.buyers import Buyer
from tests.chaos.faults import FAULTS
from tests.chaos.histories import History, Unit
from tests.chaos.run import Stage, rampage, staged
from tests.chaos.sabotage import HONEST_TAKE, IGNORES_CLAIMS, WRITES_NOTHING, planted
from tests.fakes.waiting import eventually

SEED = 20261121
BUYERS = 6
ENOUGH = (
    "hold: ok",
    "extend: ok",
    "release: ok",
    "book: ok",
    "pay: ok",
    "cancel: ok",
    "hold: SEATS_TAKEN",
    "came again",
)
"""What must have happened before the run ends; it goes on until it has."""


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One loop for the whole module: the house lives longer than a test."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def stage(runner: asyncio.Runner, folder: Path) -> Iterator[Stage]:
    """A house of our own, to be hurt, and its market."""
    chaos = folder / "chaos"
    chaos.mkdir(mode=0o755)
    # A killed process loses nothing that it has written: only a power cut could tell the difference.
    opening = staged(chaos, SEED, servers=2, fsync="off")
    yield runner.run(opening.__aenter__())
    runner.run(opening.__aexit__(None, None, None))


def test_everything_holds_after_every_fault(runner: asyncio.Runner, stage: Stage) -> None:
    plan = random.Random(SEED).sample(FAULTS, len(FAULTS))
    report = runner.run(rampage(stage, BUYERS, plan, lambda seen: all(seen[one] for one in ENOUGH), pause=0.5))
    assert not (found := report.faults_found()), "\n".join(found)
    assert report.faults == Counter(fault.__name__ for fault in FAULTS)
    assert len(report.verdicts) == 24
    assert sum(report.losses.values()) > 0
    assert report.heard["SeatsChanged"] > 0


@pytest.mark.parametrize(
    ("fault", "seen"),
    [(HONEST_TAKE, []), (IGNORES_CLAIMS, ["takes", "takes"]), (WRITES_NOTHING, ["takes", "sees AVAILABLE"])],
    ids=["no fault", "ignores a live claim", "answers without writing"],
)
def test_a_planted_fault_is_named(
    runner: asyncio.Runner, stage: Stage, tmp_path: Path, fault: str, seen: list[str]
) -> None:
    history = History(stage.history.clock, tmp_path / "history.jsonl")
    try:
        unit = runner.run(two_want_one_seat(stage, history, fault))
    finally:
        history.close()
    verdict = history.verdicts()[unit]
    assert [str(op.act.what) for op in verdict.illegal] == seen


async def two_want_one_seat(stage: Stage, history: History, fault: str) -> Unit:
    """Two buyers hold one seat, one after the other, and a third looks, while the fault is there; which seat."""
    flight = await stage.house.another_flight()
    unit, market = (
        (flight, "2A"),
        replace(stage.market, urls=stage.market.urls[-1:], seats={flight: {"ECONOMY": ["2A"]}}),
    )
    async with AsyncExitStack() as stack:
        first, second, third = (
            Buyer(f"buyer {n}", market, history, random.Random(n), asyncio.Event(), careless=False) for n in range(3)
        )
        for buyer in (first, second, third):
            stack.push_async_callback(buyer.close)
        await stack.enter_async_context(planted(stage.house.postgres.url(), fault))
        await seen_by(third, flight)
        await first.hold([unit], minutes=15)
        await seen_by(third, flight)
        await second.hold([unit])
    return unit


async def seen_by(buyer: Buyer, flight: str) -> dict[str, str]:
    """The seats of the flight, looked at until an answer comes: connections were cut just now."""
    seats: dict[str, str] = {}

    async def answered() -> bool:
        seats.update(await buyer.look(flight))
        return bool(seats)

    await eventually(answered)
    return seats
