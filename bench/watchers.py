"""Thousands of clients in one process written in C, so that the server is what is measured (`bench/peers/watch.c`)."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from bench.client import Unexpected
from bench.fleet import PEERS
from bench.wrk import LOAD_CORE

PATIENCE = 120.0


class NoCompiler(Exception):
    """There is no C compiler here."""


def compiled(name: str, place: Path) -> Path:
    """A program of bench/peers. Raises NoCompiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler("there is no C compiler: install `gcc`, or your system's")
    program = place / name
    subprocess.run([compiler, "-O2", "-o", str(program), str(PEERS / f"{name}.c")], check=True)
    return program


@dataclass(frozen=True)
class Told:
    """What all of them were told of one change: times on the monotonic clock, in nanoseconds."""

    events: int
    size: int
    first: int
    median: int
    p99: int
    last: int


class Watchers:
    """So many sockets that have subscribed to one thing."""

    def __init__(self, process: subprocess.Popen[str], count: int) -> None:
        self._process = process
        self.count = count

    async def hear(self, tell: Callable[[], Awaitable[int]], events: int = 1) -> tuple[int, Told]:
        """Have something told: when it was, and what they heard. Raises Unexpected where it does not reach them all."""
        await self._ask(f"expect {events}", "EXPECTING")
        at = await tell()
        told = Told(*map(int, (await self._line("DONE")).split()[1:]))
        if told.events < events * self.count:
            raise Unexpected(f"{told.events} events came, not {events * self.count}")
        return at, told

    async def churn(self, seconds: float) -> float:
        """Open and close sockets for so long; how many a second."""
        return int((await self._ask(f"churn {seconds}", "CHURNED")).split()[1]) / seconds

    async def ready(self) -> None:
        """Return once all of them have heard their first event."""
        await self._line("READY")

    async def _ask(self, order: str, answer: str) -> str:
        orders = cast("IO[str]", self._process.stdin)
        orders.write(order + "\n")
        orders.flush()
        return await self._line(answer)

    async def _line(self, word: str) -> str:
        answers = cast("IO[str]", self._process.stdout)
        line = await asyncio.wait_for(asyncio.to_thread(answers.readline), PATIENCE)
        if not line.startswith(word):
            raise Unexpected(f"the clients said {line!r}, not {word}")
        return line


def begun(command: Sequence[str]) -> subprocess.Popen[str]:
    """The process, to which lines are said, and which answers in lines."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@asynccontextmanager
async def watching(program: Path, port: int, message: Path, sockets: int, stalled: int = 0) -> AsyncIterator[Watchers]:
    """So many of them, `stalled` of whom never read again."""
    pin = ("taskset", "-c", str(LOAD_CORE)) if shutil.which("taskset") else ()
    command = [*pin, str(program), str(port), str(sockets), str(message), str(stalled)]
    process = begun(command)
    try:
        watchers = Watchers(process, sockets - stalled)
        await watchers.ready()
        yield watchers
    finally:
        process.kill()
        process.wait()
