"""What is done to a Jetway while it sells. Each fault mends what it broke before it returns."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

import asyncpg
import redis.asyncio as redis

from tests.chaos.house import House
from tests.fakes.waiting import eventually

Fault: TypeAlias = Callable[[House, random.Random], Awaitable[None]]

OTHERS = "pid <> pg_backend_pid() AND backend_type = 'client backend'"


async def kill_a_server(house: House, dice: random.Random) -> None:
    """A server is killed with -9 and started again."""
    name = f"server {dice.randrange(house.servers)}"
    house.kill(name)
    await asyncio.sleep(dice.uniform(0, 1))
    await house.start(name)


async def freeze_a_server(house: House, dice: random.Random) -> None:
    """A server stands still, and goes on in the middle of what it was doing."""
    process = house.programs[f"server {dice.randrange(house.servers)}"]
    with frozen(process.pid):
        await asyncio.sleep(dice.uniform(0.2, 2))


async def kill_the_worker(house: House, dice: random.Random) -> None:
    """The worker is killed with -9 and started again."""
    house.kill("worker")
    await asyncio.sleep(dice.uniform(0, 1))
    await house.start("worker")


async def kill_the_gateway(house: House, dice: random.Random) -> None:
    """The payment gateway is killed with -9 and started again."""
    house.kill("sandbox")
    await asyncio.sleep(dice.uniform(0, 1))
    await house.start("sandbox")


async def flush_valkey(house: House, dice: random.Random) -> None:
    """Valkey forgets everything."""
    client = redis.Redis.from_url(house.valkey.url)
    try:
        await client.flushall()
    finally:
        await client.aclose()


async def freeze_valkey(house: House, dice: random.Random) -> None:
    """Valkey stands still, and goes on as if nothing had been."""
    with frozen(house.valkey.pid):
        await asyncio.sleep(dice.uniform(0.2, 3))


async def kill_valkey(house: House, dice: random.Random) -> None:
    """Valkey is killed with -9 and started again."""
    await house.with_hands(house.valkey.kill)
    await asyncio.sleep(dice.uniform(0, 1))
    await house.with_hands(house.valkey.start)


async def restart_postgres(house: House, dice: random.Random) -> None:
    """PostgreSQL is stopped in good order, without waiting for anybody, and started again."""
    await house.with_hands(house.postgres.stop)
    await asyncio.sleep(dice.uniform(0, 1))
    await house.with_hands(house.postgres.start)


async def kill_postgres(house: House, dice: random.Random) -> None:
    """PostgreSQL is killed with -9, as by a power cut, and started again."""
    await house.with_hands(house.postgres.kill)
    await asyncio.sleep(dice.uniform(0, 1))
    await house.with_hands(house.postgres.start)


async def kill_a_backend(house: House, dice: random.Random) -> None:
    """One process of PostgreSQL's is killed with -9: it ends all others, and recovers."""
    pids = await ask(house, f"SELECT pid FROM pg_stat_activity WHERE {OTHERS} ORDER BY pid")  # noqa: S608
    if not pids:
        return
    victim = dice.choice(pids)
    with suppress(ProcessLookupError):  # its connection was closed meanwhile
        os.kill(victim, signal.SIGKILL)

    async def is_gone() -> bool:
        return not await ask(house, f"SELECT pid FROM pg_stat_activity WHERE pid = {victim}")  # noqa: S608

    await eventually(is_gone)


async def cut_connections(house: House, dice: random.Random) -> None:
    """Every connection to PostgreSQL is cut."""
    await ask(house, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OTHERS}")  # noqa: S608


FAULTS: tuple[Fault, ...] = (
    kill_a_server,
    freeze_a_server,
    kill_the_worker,
    kill_the_gateway,
    flush_valkey,
    freeze_valkey,
    kill_valkey,
    restart_postgres,
    kill_postgres,
    kill_a_backend,
    cut_connections,
)


AWAY = (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.OperatorInterventionError, OSError)


class frozen:  # noqa: N801 - reads as a statement: `with frozen(pid):`
    """SIGSTOP, and SIGCONT however the block ends."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def __enter__(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGCONT)


async def ask(house: House, question: str) -> list[int]:
    """The first column of an answer of PostgreSQL's, as soon as it gives one."""
    while True:
        try:
            connection = await asyncpg.connect(house.postgres.url(), timeout=5)
        except AWAY:
            await asyncio.sleep(0.05)
            continue
        try:
            return [row[0] for row in await connection.fetch(question)]
        except AWAY:
            await asyncio.sleep(0.05)
        finally:
            connection.terminate()
