"""Many who watch one flight: what it costs to tell them, how long it takes, and what it costs that they are there.

Beside a program in C that only writes the bytes, and other people's servers over made-up seats. A change of a seat is a
fact that is committed; the relay tells it as ever.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import cast

import asyncpg
import httpx
import orjson
import psutil

from bench import fleet
from bench.client import DOCUMENTS
from bench.client import watching as watching_alone
from bench.fleet import PEERS, Server, server_of, started
from bench.laptop import Laptop, folder, free_port, running
from bench.report import figure, percentile, table
from bench.shop import FLIGHT
from bench.watchers import NoCompiler, Watchers, compiled, watching
from bench.wrk import LOAD_CORE, SERVER_CORE
from core.ids import global_id
from scripts import node
from services import live

FEW, MANY, STALLED = 5_000, 10_000, 1_000
ROUNDS, PEER_ROUNDS, LONE = 20, 3, 100
CHURN_SECONDS = 3.0
SEATS = 10
PAUSE = 0.04
"""Seconds between two changes: longer than a tick, so that each is told by itself."""

JETWAY, LIMIT, NODE, MERCURIUS, PLAIN = (
    "Jetway",
    "C, write() alone",
    "graphql-ws on ws",
    "mercurius",
    "plain Strawberry",
)
GOALS = {LIMIT: 0.6, MERCURIUS: 7.0, PLAIN: 20.0}

FLIGHTS = """
    SELECT flights.slot_id FROM flights JOIN slots ON slots.id = flights.slot_id
    WHERE slots.status = 'OPEN' AND slots.starts_at > now() + interval '3 days' ORDER BY 1 LIMIT 2
"""
FACT = "INSERT INTO facts (kind, stream, payload) VALUES ('seat.locked', $1, $2::jsonb)"
SIMPLE = (
    "subscription($flightId: ID!) { seatMapEvents(flightId: $flightId) { cursor seats { number status version } } }"
)

Tell = Callable[[int], Awaitable[int]]
"""Has so many seats change at once; when that was, on the monotonic clock in nanoseconds."""


@dataclass(frozen=True)
class Cost:
    """What one server spent on telling 5,000: microseconds of a core for each of them, and the bytes."""

    each: float
    size: float


class Flight:
    """A flight whose seats change, by facts alone."""

    def __init__(self, database: asyncpg.Connection, slot_id: int) -> None:
        self._database = database
        self._version = 10**9
        self.slot_id = slot_id

    async def tell(self, seats: int) -> int:
        """Have so many seats change; when it was committed."""
        self._version += 1
        changed = [{"number": f"{row}A", "status": "LOCKED", "version": self._version} for row in range(10, 10 + seats)]
        payload = json.dumps({"slot": self.slot_id, "hold": None, "seats": changed})
        await self._database.execute(FACT, f"slot:{self.slot_id}", payload)
        return time.monotonic_ns()

    async def miss(self, facts: int) -> str:
        """Have one seat change so many times; the cursor of whoever knew everything before."""
        before = await self._database.fetchval(live.HEAD)
        for _ in range(facts):
            await self.tell(1)
        await self._until(before + facts)
        return live.cursor(before)

    async def _until(self, position: int) -> None:
        """Return once the relay has come as far as that."""
        while await self._database.fetchval(live.HEAD) < position:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.01)


def measure() -> str:
    """Start everything, measure one after the other, and tell it in Markdown; why not, where there is no compiler."""
    with folder() as place:
        try:
            program = compiled("watch", place)
        except NoCompiler as missing:
            print(f"*** NOT MEASURED: {missing} ***", file=sys.stderr, flush=True)
            return f"Not measured: {missing}."
        with running(place / "home") as laptop:
            ours = pinned(laptop)
            rows = asyncio.run(watched(laptop, ours, program, place))
            costs = {JETWAY: rows.cost, **dict(peers(program, place))}
    return f"{costs_told(costs)}\n\n{rows.told()}"


def pinned(laptop: Laptop) -> psutil.Process:
    """Our server, alone on its core."""
    ours = server_of(laptop)
    for process in (psutil.Process(), *psutil.Process(laptop.process.pid).children(recursive=True)):
        process.cpu_affinity([LOAD_CORE])
    ours.cpu_affinity([SERVER_CORE])
    return ours


def said(place: Path, document: str, flight_id: str) -> Path:
    """The subscribe message of every client, but for its id."""
    payload = {"query": document, "variables": {"flightId": flight_id}}
    (place / "subscribe").write_bytes(orjson.dumps({"type": "subscribe", "payload": payload}))
    return place / "subscribe"


def seconds(process: psutil.Process) -> float:
    """What it has used of a core."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def spent(server: psutil.Process, watchers: Watchers, tell: Tell, rounds: int) -> Cost:
    """What it costs to tell them of one seat at a time."""
    before, size = seconds(server), 0
    for _ in range(rounds):
        await asyncio.sleep(PAUSE)
        _, told = await watchers.hear(lambda: tell(1))
        size += told.size
    events = rounds * watchers.count
    return Cost((seconds(server) - before) / events * 1e6, size / events)


@dataclass
class Rows:
    """What was measured of Jetway."""

    lines: list[Sequence[str]]
    cost: Cost = Cost(0.0, 0.0)

    def told(self) -> str:
        """As a table."""
        return table(("what", "measured", "goal"), self.lines)

    def add(self, what: str, measured: str, goal: str = "") -> None:
        """One more line."""
        self.lines.append((what, measured, goal))


async def watched(laptop: Laptop, server: psutil.Process, program: Path, place: Path) -> Rows:
    """Everything that is measured of Jetway."""
    async with AsyncExitStack() as stack:
        database = await asyncpg.connect(laptop.database_url)
        stack.push_async_callback(database.close)
        one, other = [Flight(database, row["slot_id"]) for row in await database.fetch(FLIGHTS)]
        message = said(place, DOCUMENTS["SeatMapEvents"], global_id(FLIGHT, one.slot_id))
        rows = Rows([])
        await ten_thousand(rows, laptop, server, program, message, one)
        async with watching(program, laptop.port, message, FEW) as watchers:
            rows.cost = await spent(server, watchers, one.tell, ROUNDS)
        await unread(rows, laptop, server, program, message, one)
        async with watching(program, laptop.port, message, 1) as watchers:
            took = [await first_after(watchers, one) for _ in range(LONE)]
        rows.add("commit to the only client, idle", f"p50 {figure(median(took))} ms", "15 ms")
        for facts in (1, 10, 1_000):
            took = [await resumed(laptop, other, facts) for _ in range(5)]
            rows.add(f"back after {facts:,} missed changes", f"{figure(median(took))} ms")
    return rows


async def first_after(watchers: Watchers, flight: Flight) -> float:
    """Milliseconds from a commit to the first who hears of it."""
    await asyncio.sleep(PAUSE)
    at, told = await watchers.hear(lambda: flight.tell(1))
    return (told.first - at) / 1e6


async def ten_thousand(
    rows: Rows, laptop: Laptop, server: psutil.Process, program: Path, message: Path, flight: Flight
) -> None:
    """How long until the last of 10,000 hears, what one of them takes, and ten seats at once."""
    before = server.memory_info().rss
    async with watching(program, laptop.port, message, MANY) as watchers:
        await asyncio.sleep(1.0)
        rows.add(
            "memory of a socket with a subscription",
            f"{(server.memory_info().rss - before) / MANY / 1e3:.1f} kB",
            "25 kB",
        )
        took = []
        for _ in range(ROUNDS):
            await asyncio.sleep(PAUSE)
            at, told = await watchers.hear(lambda: flight.tell(1))
            took.append((told.last - at) / 1e6)
        told_last = f"p50 {figure(median(took))} ms, p99 {figure(percentile(took, 0.99))} ms"
        rows.add(f"commit to the last of {MANY:,}", told_last, "120 ms")
        used = seconds(server)
        for _ in range(ROUNDS):
            await asyncio.sleep(PAUSE)
            await watchers.hear(lambda: flight.tell(SEATS))
        a_second = ROUNDS * SEATS * MANY / (seconds(server) - used)
        rows.add(f"{SEATS} seats in one tick, changes told by a core", f"{figure(a_second / 1e6)} M a second", "0.8 M")


async def unread(
    rows: Rows, laptop: Laptop, server: psutil.Process, program: Path, message: Path, flight: Flight
) -> None:
    """What those do to the others who read nothing, and those who come and go."""
    async with watching(program, laptop.port, message, STALLED * 2, STALLED) as watchers:
        before = server.memory_info().rss
        took = []
        for _ in range(ROUNDS):
            await asyncio.sleep(PAUSE)
            at, told = await watchers.hear(lambda: flight.tell(SEATS))
            took.append((told.last - at) / 1e6)
        grown = (server.memory_info().rss - before) / 1e6
        rows.add(
            f"{STALLED:,} who read, beside {STALLED:,} who do not: commit to the last", f"p50 {figure(median(took))} ms"
        )
        rows.add("what the process grew by meanwhile", f"{grown:.1f} MB")
    async with watching(program, laptop.port, message, STALLED) as watchers:
        rows.add("sockets opened and closed", f"{figure(await watchers.churn(CHURN_SECONDS))} a second", "1,000")
        at, told = await watchers.hear(lambda: flight.tell(1))
        rows.add("and then, commit to the last of 1,000", f"{figure((told.last - at) / 1e6)} ms")


async def resumed(laptop: Laptop, flight: Flight, facts: int) -> float:
    """Milliseconds from coming back to what was missed."""
    cursor = await flight.miss(facts)
    began = time.perf_counter()
    flight_id = global_id(FLIGHT, flight.slot_id)
    async with watching_alone(laptop.port, "SeatMapEvents", flightId=flight_id, after=cursor) as watcher:
        await watcher.next()
        return (time.perf_counter() - began) * 1e3


def peers(program: Path, place: Path) -> Iterator[tuple[str, Cost]]:
    """What others spend on the same, one after the other."""
    message = said(place, SIMPLE, "1")
    yield LIMIT, asyncio.run(limit(program, place, message))
    with ExitStack() as stack:
        for name, server in others(stack, place):

            async def cost(server: Server = server) -> Cost:
                async with watching(program, server.port, message, FEW) as watchers:
                    return await spent(server.process, watchers, telling(server), PEER_ROUNDS)

            yield name, asyncio.run(cost())


def others(stack: ExitStack, place: Path) -> Iterator[tuple[str, Server]]:
    """The servers that can be had here; loudly, where some cannot."""
    plain = [sys.executable, str(PEERS / "live_plain.py"), "{port}"]
    yield PLAIN, stack.enter_context(started(PLAIN, plain, {}, place))
    try:
        installed = fleet.scripts()
    except node.Absent as absent:
        print(f"*** NOT COMPARED with {NODE} and {MERCURIUS}: {absent} ***", file=sys.stderr, flush=True)
        return
    for name, script in ((NODE, "live_ws.mjs"), (MERCURIUS, "live_mercurius.mjs")):
        command = [node.node(), str(installed / script)]
        yield name, stack.enter_context(started(name, command, {"NODE_ENV": "production"}, place))


def telling(server: Server) -> Tell:
    """How a peer is made to tell."""

    async def tell(seats: int) -> int:
        at = time.monotonic_ns()
        async with httpx.AsyncClient(timeout=60) as client:
            (await client.post(server.url(f"/tell?seats={seats}"))).raise_for_status()
        return at

    return tell


async def limit(program: Path, place: Path, message: Path) -> Cost:
    """What a write() for each of them costs, with as many bytes as an event of ours."""
    async with AsyncExitStack() as stack:
        server, port, tell = await stack.enter_async_context(writer(compiled("write", place)))
        watchers = await stack.enter_async_context(watching(program, port, message, FEW))
        return await spent(server, watchers, tell, ROUNDS)


@asynccontextmanager
async def writer(program: Path) -> AsyncIterator[tuple[psutil.Process, int, Tell]]:
    """The program that only writes."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(str(program), str(port), str(FEW), stdin=asyncio.subprocess.PIPE)
    server = psutil.Process(process.pid)
    server.cpu_affinity([SERVER_CORE])

    async def tell(seats: int) -> int:
        at = time.monotonic_ns()
        orders = cast("asyncio.StreamWriter", process.stdin)
        orders.write(b"tell %d\n" % (seats * BYTES))
        await orders.drain()
        return at

    try:
        await asyncio.sleep(0.2)
        yield server, port, tell
    finally:
        process.kill()
        await process.wait()


BYTES = 208
"""Of one event of ours about one seat."""


def costs_told(costs: dict[str, Cost]) -> str:
    """The costs beside each other."""
    ours = costs[JETWAY]
    rows = []
    for name, cost in costs.items():
        to_it = "" if name == JETWAY else f"{cost.each / ours.each:.2f} ×"
        goal = f"{GOALS[name]:g} ×" if name in GOALS else ""
        rows.append((name, figure(cost.each), f"{cost.size:.0f}", to_it, goal))
    return table(("one seat at a time to 5,000", "µs of a core each", "bytes", "of theirs to ours", "goal"), rows)
