"""A loop outlives whatever its step raises."""

from __future__ import annotations

import asyncio

import pytest

from core import loops


async def test_a_step_that_fails_is_taken_again_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE", 0.001)
    stop, outcomes = asyncio.Event(), [ValueError("once"), OSError("twice"), None, None]
    before = loops.FAILURES.labels("test")._value.get()

    async def step() -> float:
        outcome = outcomes.pop(0)
        if not outcomes:
            stop.set()
        if outcome is not None:
            raise outcome
        return 0

    await loops.forever("test", step, stop)
    assert outcomes == []
    assert loops.FAILURES.labels("test")._value.get() - before == 2


async def test_a_pause_ends_when_the_loop_is_to_stop() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(stop.set)
    async with asyncio.timeout(20):
        await loops.pause(3600, stop)
    assert stop.is_set()
