"""The circuit breaker: three failures in a row, a second's pause, one probe at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import REGISTRY

from services.holds.gates.breaker import Breaker
from tests.fakes.ticking import Ticking

FOREVER = 3600.0


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def breaker(clock: Ticking) -> Breaker:
    return Breaker("of the test", (OSError,), patience=FOREVER, clock=clock)


def told(name: str) -> float:
    return REGISTRY.get_sample_value(name, {"breaker": "of the test"}) or 0


class Neighbour:
    """Answers "yes", fails while it is `away`, and counts how often it is asked."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0

    async def question(self) -> str:
        self.asked += 1
        if self.away:
            raise ConnectionRefusedError
        return "yes"


async def fail(breaker: Breaker, times: int) -> None:
    async def question() -> str:
        raise ConnectionRefusedError

    for _ in range(times):
        assert await breaker.ask(question, otherwise="no") == "no"


async def test_as_long_as_it_answers_it_is_asked(breaker: Breaker) -> None:
    neighbour = Neighbour()
    await fail(breaker, 2)
    assert await breaker.ask(neighbour.question, otherwise="no") == "yes"
    await fail(breaker, 2)
    assert await breaker.ask(neighbour.question, otherwise="no") == "yes"
    assert not breaker.is_open


async def test_after_three_failures_it_is_left_alone_for_a_second(breaker: Breaker, clock: Ticking) -> None:
    neighbour, failed = Neighbour(), told("jetway_breaker_failures_total")
    await fail(breaker, 3)
    assert breaker.is_open
    assert (told("jetway_breaker_open"), told("jetway_breaker_failures_total") - failed) == (1, 3)
    clock.tick(0.75)
    assert await breaker.ask(neighbour.question, otherwise="no") == "no"
    assert neighbour.asked == 0
    clock.tick(0.25)
    assert await breaker.ask(neighbour.question, otherwise="no") == "yes"
    assert told("jetway_breaker_open") == 0
    assert not breaker.is_open


async def test_a_probe_that_fails_begins_another_pause(breaker: Breaker, clock: Ticking) -> None:
    neighbour = Neighbour()
    neighbour.away = True
    await fail(breaker, 3)
    for _ in range(3):
        clock.tick(1)
        for _ in range(5):
            assert await breaker.ask(neighbour.question, otherwise="no") == "no"
    assert neighbour.asked == 3


@pytest.mark.parametrize("end", ["answered", "cancelled"])
async def test_there_is_one_probe_at_a_time(breaker: Breaker, clock: Ticking, end: str) -> None:
    neighbour, answered = Neighbour(), asyncio.Event()

    async def slow() -> str:
        await answered.wait()
        return "at last"

    await fail(breaker, 3)
    clock.tick(1)
    probe = asyncio.create_task(breaker.ask(slow, otherwise="no"))
    await asyncio.sleep(0)
    assert await breaker.ask(neighbour.question, otherwise="no") == "no"
    if end == "answered":
        answered.set()
        assert await probe == "at last"
    else:
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
    assert await breaker.ask(neighbour.question, otherwise="no") == "yes"


async def test_too_slow_is_a_failure(clock: Ticking) -> None:
    breaker = Breaker("of the test", (OSError,), patience=0.001, clock=clock)
    for _ in range(3):
        assert await breaker.ask(asyncio.Event().wait, otherwise=False) is False
    assert breaker.is_open


async def test_other_exceptions_are_the_callers(breaker: Breaker) -> None:
    async def wrong() -> str:
        raise KeyError

    question: Callable[[], Awaitable[str]] = wrong
    for _ in range(3):
        with pytest.raises(KeyError):
            await breaker.ask(question, otherwise="no")
    assert not breaker.is_open
