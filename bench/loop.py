"""The closed loop: so many clients, each of which asks again as soon as it was answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench.laptop import Laptop

Once = Callable[[], Awaitable[float | None]]
"""Does one operation and returns how many seconds of it count; None where there is nothing left to do it with."""

WARM = 1
"""How many operations of each client pass before they are counted among the times."""

LEAST = 25
"""Times to be had before the clients stop, however long it takes: fewer have no p99 worth the name."""


@dataclass(frozen=True)
class Sample:
    """What came of a loop. `took` are seconds; `cpu` are seconds of a core by program, ours as `client`."""

    took: Sequence[float]
    operations: int
    wall: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.wall

    def each(self, program: str) -> float:
        """Milliseconds of a core that a program spends on one operation."""
        return self.cpu.get(program, 0.0) * 1000 / self.operations

    def share(self, program: str) -> float:
        """The share of a core that a program used."""
        return self.cpu.get(program, 0.0) / self.wall


async def closed(laptop: Laptop, name: str, clients: Sequence[Once], seconds: float, least: int = LEAST) -> Sample:
    """Let the clients go on for so many seconds, or until nothing is left to do; `name` says what they do.

    They take longer where they have not yet done it `least` times.
    """
    took: list[float] = []
    before, cpu = laptop.cpu(), time.process_time()
    began = time.perf_counter()

    async def client(once: Once) -> int:
        done = 0
        while time.perf_counter() - began < seconds or len(took) < least:
            if (one := await once()) is None:
                break
            done += 1
            if done > WARM:
                took.append(one)
        return done

    counts = await asyncio.gather(*(client(once) for once in clients))
    wall, own = time.perf_counter() - began, time.process_time() - cpu
    used = {name: now - before.get(name, 0.0) for name, now in laptop.cpu().items()}
    if not took:
        raise RuntimeError(f"{name}: {sum(counts)} by {len(clients)} clients are too few to say anything")
    return Sample(took, sum(counts), wall, {**used, "client": own})
