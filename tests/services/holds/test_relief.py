"""A crowd that finds a pool full of what has expired has it relieved for all at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.db import Database
from services.holds import SoldOut, expiry
from services.holds.locks import PoolKey
from services.holds.relief import Relief
from tests.factories.holds import GUEST, hold, key, placing, pools, want
from tests.factories.places import set_pool
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock
from tests.fakes.waiting import eventually

POOL, OTHER = (1, "ECONOMY"), (1, "FIRST")


class Sweep:
    """Takes the place of the work, and lasts until it is let go."""

    def __init__(self) -> None:
        self.runs: list[list[PoolKey]] = []
        self.fault: Exception | None = None
        self.go_on = asyncio.Event()

    async def __call__(self, _: object, wanted: list[PoolKey]) -> int:
        self.runs.append(list(wanted))
        await self.go_on.wait()
        if self.fault is not None:
            raise self.fault
        return 0


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch) -> Sweep:
    made = Sweep()
    monkeypatch.setattr(expiry, "expire_due_in", made)
    return made


@pytest.fixture
async def relief(database: Database, sweep: Sweep) -> AsyncIterator[Relief]:
    made = Relief(database)
    yield made
    sweep.go_on.set()
    await made.aclose()


async def begun(sweep: Sweep, count: int) -> None:
    """Return once so many runs have begun."""

    async def enough() -> bool:
        return len(sweep.runs) >= count

    await eventually(enough)


async def test_who_comes_meanwhile_shares_the_next_run(relief: Relief, sweep: Sweep) -> None:
    first = asyncio.create_task(relief.of([POOL]))
    await begun(sweep, 1)
    others = [asyncio.create_task(relief.of([POOL])) for _ in range(20)]
    elsewhere = asyncio.create_task(relief.of([OTHER, POOL]))
    await begun(sweep, 2)
    others[0].cancel()
    sweep.go_on.set()
    ends = await asyncio.gather(first, elsewhere, *others, return_exceptions=True)
    assert [type(end) for end in ends if end is not None] == [asyncio.CancelledError]
    assert sweep.runs == [[POOL], [POOL, OTHER], [POOL]]


async def test_a_run_that_fails_fails_for_those_who_shared_it(relief: Relief, sweep: Sweep) -> None:
    sweep.fault = RuntimeError("a fault")
    first = asyncio.create_task(relief.of([POOL]))
    await begun(sweep, 1)
    second = asyncio.create_task(relief.of([POOL]))
    await asyncio.sleep(0)
    sweep.go_on.set()
    with pytest.raises(RuntimeError):
        await first
    with pytest.raises(RuntimeError):
        await second
    sweep.fault = None
    await relief.of([POOL])
    assert sweep.runs == [[POOL]] * 3


async def test_of_a_crowd_as_many_win_as_there_is_room(database: Database, schedule: Schedule) -> None:
    await set_pool(database, schedule.first, "ECONOMY", authorised=4)
    old = await hold(database, want(schedule.first, quantities={"ECONOMY": 4}), minutes=5)
    await set_clock(database, old.expires_at)
    one = want(schedule.first, quantities={"ECONOMY": 1})
    async with placing(database) as placer:
        asked = [placer.place(GUEST, [one], 15, key()) for _ in range(40)]
        ends = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(end, SoldOut) for end in ends) == 36
    assert await pools(database, schedule.first) == {"ECONOMY": (4, 0), "FIRST": (0, 0)}
