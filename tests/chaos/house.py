"""A Jetway to be hurt: PostgreSQL, Valkey, the payment sandbox, servers and a worker, each a process of its own.

Unlike `make run` nobody starts again what ends: that is left to whoever ends it, and what ends by itself is a fault.
Everything ends with this process, however that ends.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import asyncpg
import httpx

from core import ids
from core.db import Database
from core.embedded import EmbeddedPostgres, EmbeddedValkey
from core.embedded.launch import mark, tail
from core.settings import asyncpg_url
from demo.supervisor import Lifeline, Program
from tests.chaos.histories import Clock
from tests.factories.schedules import write_schedule
from tests.fakes.servers import free_port

SPEED = 60
"""How fast the server's clock goes: its minutes are seconds, and a hold of five of them ends within a run."""

DAYS_AHEAD = 30
"""When the flights leave: later than any run lasts, at that speed."""

START_SECONDS = 120.0
"""Patience with a start on a busy machine."""

READY = "ready"
ANOTHER_FLIGHT = """
    WITH slot AS (
        INSERT INTO slots (product_id, layout_id, starts_at, ends_at, zone)
        SELECT product_id, layout_id, starts_at, ends_at, zone FROM slots ORDER BY id LIMIT 1
        RETURNING id
    ), pool AS (
        INSERT INTO pools (slot_id, code, authorised, capacity)
        SELECT slot.id, code, authorised, capacity FROM slot, pools WHERE slot_id = (SELECT min(id) FROM slots)
    ), flight AS (
        INSERT INTO flights (slot_id, airline_code, number, origin_code, destination_code, local_date, departs_at,
                             arrives_at, registration)
        SELECT slot.id, airline_code, 1000 + slot.id, origin_code, destination_code, local_date, departs_at, arrives_at,
               registration
        FROM slot, flights WHERE slot_id = (SELECT min(id) FROM slots)
    )
    SELECT id FROM slot
"""
KEY, SECRET = "sk_test_jetway", "whsec_jetway"


class Process(Program):
    """A program of which the system's number is known."""

    @property
    def pid(self) -> int:
        """Its pid, once it was started."""
        if self._process is None:
            raise RuntimeError(f"{self.module} was not started")
        return self._process.pid


@dataclass
class House:
    """The processes. The last server runs without gates: whatever it is asked, the database answers."""

    folder: Path
    servers: int = 2
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of PostgreSQL."""
    ended: list[str] = field(default_factory=list)
    """What ended without having been told to."""

    def __post_init__(self) -> None:
        # PostgreSQL and Valkey end with the thread that started them, so all starts are made in one that stays.
        self.hands = ThreadPoolExecutor(1, thread_name_prefix="hands")
        self.postgres = EmbeddedPostgres(self.folder / "postgres", settings=self.settings)
        self.valkey = EmbeddedValkey(self.folder / "valkey")
        self.ports = [free_port() for _ in range(self.servers)]
        self.sandbox_port = free_port()
        self.programs: dict[str, Process] = {}
        self.down: set[str] = set()

    @property
    def urls(self) -> list[str]:
        """Where the servers answer."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    @property
    def sandbox_url(self) -> str:
        """Where the payment sandbox answers."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @cached_property
    def variables(self) -> dict[str, str]:
        """What every process is told."""
        return {
            "HOST": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL": self.postgres.url(),
            "REDIS_URL": self.valkey.url,
            "JETWAY_SECRETS": base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode(),
            "STRIPE_API_KEY": KEY,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": self.sandbox_url,
            "SANDBOX_PORT": str(self.sandbox_port),
            "SANDBOX_DATA": str(self.folder / "sandbox.db"),
            "SANDBOX_WEBHOOK_URL": f"{self.urls[0]}/webhooks/stripe",
            "SANDBOX_KEY": KEY,
            "SANDBOX_WEBHOOK_SECRET": SECRET,
        }

    async def with_hands(self, work: Callable[[], object]) -> None:
        """Do something that blocks, in the thread that starts and stops things."""
        await asyncio.get_running_loop().run_in_executor(self.hands, work)

    def program(self, name: str, module: str, *arguments: str, **variables: str) -> Process:
        """`python -m module`, known by a name."""
        told = {**self.variables, **variables}
        program = Process(module, self.folder / f"{name}.log", told, self.lifeline, mark(self.folder), arguments)
        self.programs[name] = program
        return program

    @cached_property
    def lifeline(self) -> Lifeline:
        """What tells the processes that we are gone."""
        return Lifeline()

    async def open(self) -> Clock:
        """Start everything on an empty database with two flights; the clock by which this Jetway lives."""
        self.program("sandbox", "sandbox").start()
        # They take their time, and need nothing to begin with.
        for index, port in enumerate(self.ports):
            variables = {"GATES": "none"} if port == self.ports[-1] else {}
            # A kept seat map may be a moment old, and the checker asks for none that is.
            variables["RESPONSE_CACHE"] = "0"
            self.program(f"server {index}", "app", PORT=str(port), **variables).start()
        await self.with_hands(self.valkey.start)
        await self.with_hands(self.postgres.start)
        migration = self.program("migrations", "alembic", "upgrade", "head")
        migration.start()
        await self.with_hands(migration.finish)
        del self.programs["migrations"]
        async with self.database() as database:
            self.day = (await write_schedule(database, days_ahead=DAYS_AHEAD)).day
        clock = await self.plant_clock()
        self.program("worker", "worker").start()
        await self.ready()
        return clock

    async def plant_clock(self) -> Clock:
        """From now on the server's minutes are seconds."""
        planted = time.time()
        since = f"to_timestamp({planted!r})"
        connection = await asyncpg.connect(self.postgres.url())
        await connection.execute(
            "CREATE OR REPLACE FUNCTION jetway_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS"
            f" $$ SELECT {since} + (clock_timestamp() - {since}) * {SPEED} $$"
        )
        await connection.close()
        return Clock(SPEED, planted)

    async def another_flight(self) -> str:
        """The id of a new flight like the first, on which nobody has ever sat."""
        connection = await asyncpg.connect(self.postgres.url())
        try:
            slot_id: int = await connection.fetchval(ANOTHER_FLIGHT)
        finally:
            await connection.close()
        return ids.global_id("Flight", slot_id)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """Our own way to the database."""
        database = Database(asyncpg_url(self.postgres.url()), pool_size=2)
        try:
            yield database
        finally:
            await database.close()

    def kill(self, name: str) -> None:
        """`kill -9`."""
        self.down.add(name)
        self.programs[name].kill()

    async def start(self, name: str) -> None:
        """Start it again, once its last life is over."""
        program = self.programs[name]
        await self.with_hands(program.stop)
        program.start()
        self.down.discard(name)

    def look(self) -> None:
        """Note what has ended by itself."""
        for name, program in self.programs.items():
            if name not in self.down and (code := program.exit_code()) is not None:
                self.ended.append(f"{name} ended with {code}; {program.log} ends with:\n{tail(program.log)}")
                self.down.add(name)

    def unexpected(self) -> list[str]:
        """What servers logged as faults of their own: each in its last line."""
        lines = [
            (name, json.loads(line))
            for name, program in self.programs.items()
            for line in program.log.read_text(errors="replace").splitlines()
            if '"unexpected_error"' in line
        ]
        return [f"{name}, request {one['request_id']}: {one['exception'].splitlines()[-1]}" for name, one in lines]

    async def ready(self) -> None:
        """Until every server says that all it needs is there. Raises RuntimeError with what it says instead."""
        deadline = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            for url in self.urls:
                while (answer := await readiness(client, url)) != READY:
                    self.look()
                    if self.ended or time.monotonic() > deadline:
                        raise RuntimeError(f"{url} is not ready: {answer} {' '.join(self.ended)}")
                    await asyncio.sleep(0.1)

    async def close(self) -> None:
        """Stop everything, in good order."""
        for program in self.programs.values():
            program.ask_to_stop()
        for program in self.programs.values():
            await self.with_hands(program.stop)
        await self.with_hands(self.valkey.stop)
        await self.with_hands(self.postgres.stop)
        self.hands.shutdown()


async def readiness(client: httpx.AsyncClient, url: str) -> str:
    """READY, or what that server says, or that it says nothing."""
    try:
        answer = await client.get(f"{url}/readyz")
    except httpx.TransportError as error:
        return repr(error)
    return READY if answer.status_code == httpx.codes.OK else answer.text


@asynccontextmanager
async def opened(house: House) -> AsyncIterator[tuple[House, Clock]]:
    """A house, from its start to its end."""
    try:
        yield house, await house.open()
    finally:
        try:
            await house.close()
        except ProcessLookupError as error:
            sys.stderr.write(f"{error}\n")
