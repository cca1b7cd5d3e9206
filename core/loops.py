"""Loops that never die silently: a step that fails is logged, counted, and tried again after a growing pause."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from prometheus_client import Counter

from core.log import logger

Step = Callable[[], Awaitable[float]]
"""One turn of a loop. Returns how many seconds to wait before the next."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
CALM = 30.0
"""Seconds after which a failure counts as the first again."""

FAILURES = Counter("jetway_loop_failures_total", "Turns of a background loop that failed; alert on any.", ["loop"])

log = logger("loops")


async def forever(name: str, step: Step, stop: asyncio.Event) -> None:
    """Take `step` again and again until `stop`. A failure never ends the loop: it waits 0.1 to 5 s and goes on."""
    failed = 0
    while not stop.is_set():
        started = time.monotonic()
        try:
            seconds = await step()
            failed = 0
        except Exception as error:
            FAILURES.labels(name).inc()
            failed = 1 if time.monotonic() - started > CALM else failed + 1
            seconds = min(FIRST_PAUSE * 2 ** (failed - 1), LONGEST_PAUSE)
            log.error("loop.failed", loop=name, failed=failed, again_in=seconds, exc_info=error)
        await pause(seconds, stop)


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Wait for so many seconds, or until `stop`."""
    if seconds > 0:
        waiting = asyncio.ensure_future(stop.wait())
        await asyncio.wait((waiting,), timeout=seconds)
        waiting.cancel()
    else:
        await asyncio.sleep(0)
