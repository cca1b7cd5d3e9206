"""Server processes behind one port, Valkey and the worker are killed under load, in front of an audience.

After each death something is changed, and every viewer hears of it. In the end each sees what somebody sees who comes
then, and has one snapshot: whatever else it heard were changes, from whichever process it had come to.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.chaos.audience import UNKNOWN, Viewer, audience
from tests.chaos.buyers import Buyer
from tests.chaos.faults import kill_the_worker, kill_valkey
from tests.chaos.histories import Unit
from tests.chaos.house import House, Process
from tests.chaos.run import Stage, disagreements, settle, staged
from tests.fakes.waiting import eventually

SEED = 20261121
PROCESSES = 3
VIEWERS = 24
FIDGETS = 3


class Crowded(House):
    """Its server is several processes behind its one port."""

    def program(self, name: str, module: str, *arguments: str, **variables: str) -> Process:
        """The same program, with its crew."""
        crew = {"SERVER_PROCESSES": str(PROCESSES)} if module == "app" else {}
        return super().program(name, module, *arguments, **variables, **crew)


async def kill_a_process(house: House, dice: random.Random) -> None:
    """The server process that has most connections is killed with -9; its crew replaces it."""
    members: list[psutil.Process] = psutil.Process(house.programs["server 0"].pid).children()
    max(members, key=lambda member: len(member.net_connections("tcp"))).kill()


FAULTS = (kill_a_process, kill_valkey, kill_the_worker)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One loop for the house and the test."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def stage(runner: asyncio.Runner, folder: Path) -> Iterator[Stage]:
    """A house with one port, to be hurt."""
    place = folder / "any-process"
    place.mkdir(mode=0o755)
    opening = staged(place, SEED, 1, Crowded, fsync="off")
    yield runner.run(opening.__aenter__())
    runner.run(opening.__aexit__(None, None, None))


def test_every_viewer_hears_everything_whichever_process_serves_it(runner: asyncio.Runner, stage: Stage) -> None:
    viewers = runner.run(watched(stage))
    for viewer in viewers:
        assert viewer.wrong == []
        assert viewer.heard["SeatMapSnapshot"] == 1 + viewer.heard["resets"]
        assert viewer.events > len(FAULTS)
    assert sum(viewer.heard["ends"] for viewer in viewers) > 0
    assert [*stage.house.ended, *stage.house.unexpected()] == []


async def watched(stage: Stage) -> Sequence[Viewer]:
    """Let everything happen to the house; its viewers, who agree with what is."""
    house, dice, over = stage.house, random.Random(SEED), asyncio.Event()
    flight = next(iter(stage.market.seats))
    mark, *others = stage.market.seats[flight]["ECONOMY"]
    async with AsyncExitStack() as stack:
        crowd = stage.buyers(FIDGETS + 1, over)
        for buyer in crowd:
            buyer.careless = False
            stack.push_async_callback(buyer.close)
        viewers = await stack.enter_async_context(audience(house.urls, [flight], VIEWERS, SEED))
        fidgeting = [asyncio.create_task(fidget(buyer, [(flight, seat) for seat in others])) for buyer in crowd[1:]]
        await eventually(lambda: all_came(viewers))
        for fault in FAULTS:
            await fault(house, dice)
            await marked(crowd[0], viewers, (flight, mark))
        over.set()
        await asyncio.gather(*fidgeting)
        for buyer in crowd:
            await buyer.settle_unknown()
        async with house.database() as database:
            assert not any((await settle(database)).values())
        assert await disagreements(viewers) == []
        house.look()
        return viewers


async def all_came(viewers: Sequence[Viewer]) -> bool:
    """Whether each has its first snapshot: whoever is killed then has somebody to cut off."""
    return all(viewer.seats for viewer in viewers)


async def fidget(buyer: Buyer, units: Sequence[Unit]) -> None:
    """Take a seat and give it back, until it is over."""
    while not buyer.over.is_set():
        unit = [buyer.dice.choice(units)]
        held = await buyer.hold(unit)
        if held is not None:
            await buyer.release(held[0], unit, held[1])


async def marked(buyer: Buyer, viewers: Sequence[Viewer], unit: Unit) -> None:
    """A seat is taken and given back, and every viewer hears of it."""

    def versions() -> list[int]:
        return [viewer.seats.get(unit[1], UNKNOWN)[1] for viewer in viewers]

    before = versions()
    held: list[tuple[str, Any]] = []

    async def is_held() -> bool:
        held.extend(filter(None, [await buyer.hold([unit])]))
        return bool(held)

    await eventually(is_held)
    ((hold_key, hold),) = held
    await buyer.release(hold_key, [unit], hold)

    async def all_know() -> bool:
        return all(now > then for now, then in zip(versions(), before, strict=True))

    await eventually(all_know)
