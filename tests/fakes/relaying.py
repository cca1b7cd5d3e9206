"""Relays that run: in this process, or in one of its own, to be killed or to be stopped.

`python -m tests.fakes.relaying DATABASE REDIS [BROKER...]` ends with its standard input, so with whoever started it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from core import log as logs
from core import loops
from services.relay import Relay, ToValkey
from services.relay.kafka import ToKafka

ROOT = Path(__file__).parents[2]
READY = b"ready\n"
"""The first line of a process."""


class Candidates:
    """Processes that want to lead; `leads` is told by whoever began to last."""

    def __init__(self, database_url: str, redis_url: str, *brokers: str) -> None:
        self._arguments = (database_url, redis_url, *brokers)
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._said: dict[int, list[str]] = defaultdict(list)
        self._readers: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()
        self._leader = 0

    async def add(self) -> None:
        """Start one more; returns once it is about to ask for the lead."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fakes.relaying", *self._arguments),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        if process.stdout is None or await process.stdout.readline() != READY:
            raise RuntimeError("it did not start")
        self._processes[process.pid] = process
        self._readers.add(asyncio.create_task(self._read(process)))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise RuntimeError("it was started with a pipe")
        async for line in process.stdout:
            self._said[process.pid].append(line.decode(errors="replace"))
            if b"relay.leads" in line:
                async with self._news:
                    self._leader = process.pid
                    self._news.notify_all()

    async def another_than(self, pid: int) -> int:
        """The pid of the process that leads, once it is another than that one."""
        async with self._news, asyncio.timeout(20):
            await self._news.wait_for(lambda: self._leader not in (0, pid))
            return self._leader

    async def end(self, pid: int) -> None:
        """End one with `kill -9`, where it was not ended before."""
        if pid in self._processes:
            await self.kill(pid)

    async def kill(self, pid: int) -> None:
        """End one with `kill -9`. Raises RuntimeError, with what it said, where it has ended by itself."""
        process = self._processes.pop(pid)
        if process.returncode is not None:
            raise RuntimeError("".join([f"it ended with {process.returncode}:\n", *self._said[pid][-40:]]))
        process.kill()
        await process.wait()

    async def close(self) -> None:
        """End all of them, those that stand still too."""
        for pid in list(self._processes):
            await self.kill(pid)
        await asyncio.gather(*self._readers)


@asynccontextmanager
async def candidates(database_url: str, redis_url: str, count: int, *brokers: str) -> AsyncIterator[Candidates]:
    """So many processes, until the block ends."""
    started = Candidates(database_url, redis_url, *brokers)
    try:
        await asyncio.gather(*(started.add() for _ in range(count)))
        yield started
    finally:
        await started.close()


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    """Relays that begin again whenever they fail, as in the worker."""
    stop = asyncio.Event()

    def step(relay: Relay) -> Callable[[], Awaitable[float]]:
        async def run() -> float:
            await relay.run(stop)
            return 0

        return run

    async with asyncio.TaskGroup() as group:
        for relay in relays:
            group.create_task(loops.forever("relay", step(relay), stop))
        try:
            yield
        finally:
            stop.set()


def end_with_input() -> None:
    """Return never: the process is ended when nobody can write to it any more."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGKILL)


async def main(database_url: str, redis_url: str, *brokers: str) -> None:
    """Want to lead, for ever."""
    stop = asyncio.Event()
    async with Redis.from_url(redis_url, socket_timeout=2) as redis:
        kafka = [ToKafka(brokers, timeout=2)] if brokers else []
        relay = Relay(database_url, ToValkey(redis), *kafka)

        async def lead() -> float:
            await relay.run(stop)
            return 0

        await loops.forever("relay", lead, stop)


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    logs.configure("INFO")
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    asyncio.run(main(*sys.argv[1:]))
