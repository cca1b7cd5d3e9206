"""Several processes behind one port: who ends is started again, and all of them end together."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from core.crew import beside_others
from tests.fakes.servers import free_port
from tests.fakes.waiting import eventually

ROOT = Path(__file__).parents[2]
CREW = "import sys; from core.crew import Crew; Crew(['sleep', '600'], 2).run('127.0.0.1', int(sys.argv[1]))"


@asynccontextmanager
async def started(port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Two that sleep, once they do."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", CREW, str(port), cwd=ROOT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def members(process: asyncio.subprocess.Process) -> set[int]:
    """Those that run."""
    children = psutil.Process(process.pid).children()
    return {child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE and child.name() == "sleep"}


async def test_one_that_ends_is_started_again_and_all_end_together() -> None:
    async with started(free_port()) as process:

        async def are_two() -> bool:
            return len(members(process)) == 2

        await eventually(are_two)
        first = members(process)
        ended, stays = sorted(first)
        psutil.Process(ended).kill()

        async def is_replaced() -> bool:
            now = members(process)
            return len(now) == 2 and stays in now and ended not in now

        await eventually(is_replaced)
        last = members(process)
        process.terminate()
        assert await process.wait() == 0
    assert not any(psutil.pid_exists(member) for member in last)


async def test_a_port_that_somebody_else_has_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        async with started(other.getsockname()[1]) as process:
            assert await process.wait() != 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_several_of_us_have_one_port(host: str) -> None:
    port = free_port()
    with beside_others(host, port) as one, beside_others(host, port) as other:
        assert one.getsockname()[1] == other.getsockname()[1] == port
