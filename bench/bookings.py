"""Whole bookings, one after the other: held, booked and paid over HTTP, with the gateway's sandbox at the other end.

The server has a core of its own; PostgreSQL, Valkey, the sandbox, the worker and the load share the other.
"""

from __future__ import annotations

import asyncio
import datetime
import random
import sqlite3
import sys
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import asyncpg
import orjson
import psutil
import uvloop

from bench import copies
from bench.client import Connection, Unexpected, checked, request
from bench.laptop import PATIENCE, Laptop, folder, program, running
from bench.report import figure, percentile, table
from bench.shop import BUSIEST, DAYS, FIRST_DAY, Pair, booking, can_be_refunded, holding, key, pairs, search, slot_of
from bench.stages import owned_booking
from bench.wrk import LOAD_CORE, SERVER_CORE
from core import clock
from core.db import Database
from core.settings import asyncpg_url
from services import invariants

CLIENTS = 64
PARTY = 2
GOAL = 100
OPERATIONS = (("HoldSeats", "Hold"), ("CreateBooking", "Booking"), ("PayBooking", "Payment"))
WARM_SECONDS = 1.0
KILL_SECONDS = 20.0
"""How long the load lasts in whose middle the server is killed."""

AGAIN_SECONDS = 0.02
"""How long a client waits before it sends a request again that nobody answered."""

LEFT_TO_DO = """
    SELECT (SELECT count(*) FROM facts WHERE position IS NULL)
         + (SELECT count(*) FROM pgqueuer WHERE entrypoint <> 'reconcile' AND status IN ('queued', 'picked'))
"""
PROGRAMS = {
    "app": "the server",
    "worker": "the worker",
    "postgres": "PostgreSQL",
    "sandbox": "the sandbox",
    "valkey-server": "Valkey",
    "client": "the clients",
}


@dataclass(frozen=True)
class Trip:
    """Two seats of a flight, and an offer for two."""

    offer: str
    pair: Pair


@dataclass
class Told:
    """What clients saw. `done` are the moments at which bookings were paid."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    done: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Run:
    """A load: what clients saw, how long it took, and the seconds of a core that each program used for it."""

    told: Told
    wall: float
    cpu: Mapping[str, float]

    @property
    def bookings(self) -> int:
        """How many were paid."""
        return len(self.told.done)

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.bookings / self.wall

    def each(self, name: str) -> float:
        """Milliseconds of a core that a program spends on one booking."""
        return self.cpu.get(name, 0.0) * 1000 / self.bookings


class Client:
    """Somebody who books, and asks again with the same key where nobody answers."""

    def __init__(self, port: int, told: Told) -> None:
        self._port = port
        self._told = told
        self._connection: Connection | None = None

    async def book(self, trip: Trip) -> None:
        """One trip from the hold to the money."""
        held = await self._ask("HoldSeats", "Hold", holding(trip.pair))
        made = await self._ask("CreateBooking", "Booking", booking(trip.offer, trip.pair, held))
        method = {"paymentMethod": "pm_card_visa", "idempotencyKey": key()}
        paid = await self._ask("PayBooking", "Payment", {"input": {**owned_booking(made), **method}})
        if paid["status"] != "CAPTURED" or paid["booking"]["status"] != "CONFIRMED":
            raise Unexpected(str(paid)[:800])
        self._told.done.append(time.perf_counter())

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()

    async def _ask(self, operation: str, kind: str, variables: Mapping[str, Any]) -> Any:
        asked, began = request(operation, variables), time.perf_counter()
        while time.perf_counter() - began < PATIENCE:
            try:
                if self._connection is None:
                    self._connection = await Connection.open(self._port)
                answer = await self._connection.send(asked)
            except OSError:
                self._connection = None
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if undecided(answer):
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self._told.took[operation].append(time.perf_counter() - began)
            return checked(answer, kind)
        raise TimeoutError(f"{operation} was not answered")


def undecided(answer: bytes) -> bool:
    """Whether the server says that nothing is known yet, and the same request is to be sent again."""
    content = orjson.loads(answer)
    if "errors" in content:
        return any(error["extensions"].get("outcome") == "UNKNOWN" for error in content["errors"])
    return any(one and one["__typename"] == "Unavailable" for one in content["data"].values())


def measure(seconds: float, *, kill: bool = False) -> str:
    """Start Jetway, book for so many seconds, and tell it in Markdown; `kill`: again, with the server killed."""
    with folder() as place, running(place / "home") as laptop:
        return uvloop.run(measured(laptop, seconds, kill=kill))


async def measured(laptop: Laptop, seconds: float, *, kill: bool) -> str:
    """Every part, in its order: the bare transactions come last, because what they write breaks invariants."""
    pin(laptop)
    database = await asyncpg.connect(laptop.database_url)
    try:
        say("looking for trips")
        trips = await stock(laptop, database)
        await load(laptop, trips, WARM_SECONDS)
        say(f"{len(trips):,} trips; booking them for {figure(seconds)} s")
        run = await load(laptop, trips, seconds, lambda: drained(laptop, database))
        say(f"{run.bookings:,} bookings, {figure(run.rate)} a second; asking every invariant")
        told = [summary(run), operations_table(run), await invariants_table(laptop)]
        if kill:
            say("booking again, and killing the server")
            told += [await killed(laptop, trips, min(seconds, KILL_SECONDS), database), await invariants_table(laptop)]
        say("writing the same rows again")
        with suspended(laptop):
            bare = await copies.measure(laptop, database)
    finally:
        await database.close()
    return "\n\n".join([*told, cpu_table(run, bare)])


def say(what: str) -> None:
    """Tell whoever waits how far it is."""
    print(f"bookings: {what}", file=sys.stderr, flush=True)


def pin(laptop: Laptop) -> None:
    """The server on one core and everything else on the other, where the system has a way to say so."""
    if not hasattr(psutil.Process, "cpu_affinity"):
        return
    for process in (psutil.Process(), *psutil.Process(laptop.process.pid).children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            process.cpu_affinity([LOAD_CORE])
    psutil.Process(laptop.process.pid).cpu_affinity([LOAD_CORE])
    server = program_of(laptop, "app")
    if server is not None:
        server.cpu_affinity([SERVER_CORE])


def program_of(laptop: Laptop, name: str) -> psutil.Process | None:
    """One of Jetway's programs; None while it does not run."""
    for child in psutil.Process(laptop.process.pid).children():
        with suppress(psutil.NoSuchProcess):
            if (command := child.cmdline()) and program(command) == name:
                return child
    return None


async def stock(laptop: Laptop, database: asyncpg.Connection) -> deque[Trip]:
    """Trips on the busiest routes, in no order: as many of each flight as its booking class still takes."""
    days = [clock.now().date() + datetime.timedelta(days=FIRST_DAY + day) for day in range(DAYS)]
    trips: list[Trip] = []
    with closing(await Connection.open(laptop.port)) as connection:
        for origin, destination in await database.fetch(BUSIEST, days[0], days[-1]):
            offers: dict[int, tuple[str, int]] = {}
            for day in days:
                found = await connection.ask("SearchFlights", input=search(origin, destination, day), first=100)
                for offer in (edge["node"] for edge in found["edges"]):
                    if can_be_refunded(offer):
                        offers[slot_of(offer)] = offer["id"], offer["seatsLeft"] // PARTY
            trips += within(offers, await pairs(database, origin, destination, days))
    random.Random(11).shuffle(trips)
    return deque(trips)


def within(offers: Mapping[int, tuple[str, int]], found: Iterable[Pair]) -> list[Trip]:
    """A trip for each pair of seats, as far as the offers go."""
    left = {slot_id: count for slot_id, (_, count) in offers.items()}
    trips = []
    for pair in found:
        if left.get(pair.slot_id, 0) > 0:
            left[pair.slot_id] -= 1
            trips.append(Trip(offers[pair.slot_id][0], pair))
    return trips


async def nothing_more() -> None:
    """There is nothing to wait for."""


async def load(
    laptop: Laptop, trips: deque[Trip], seconds: float, finished: Callable[[], Awaitable[None]] = nothing_more
) -> Run:
    """Let the clients book for so long. What programs do until all is `finished` counts among what they cost."""
    told, before, own = Told(), laptop.cpu(), time.process_time()
    began = time.perf_counter()
    async with clients(laptop.port, told) as all_of_them:
        await asyncio.gather(*(one_after_the_other(one, trips, began + seconds) for one in all_of_them))
    wall, mine = time.perf_counter() - began, time.process_time() - own
    await finished()
    used = {name: now - before.get(name, 0.0) for name, now in laptop.cpu().items()}
    return Run(told, wall, {**used, "client": mine})


@asynccontextmanager
async def clients(port: int, told: Told) -> AsyncIterator[Sequence[Client]]:
    """All of them."""
    made = [Client(port, told) for _ in range(CLIENTS)]
    try:
        yield made
    finally:
        for one in made:
            one.close()


async def one_after_the_other(client: Client, trips: deque[Trip], end: float) -> None:
    """Book until `end`. Raises IndexError where there is nothing left to book."""
    while time.perf_counter() < end:
        await client.book(trips.popleft())


async def drained(laptop: Laptop, database: asyncpg.Connection) -> None:
    """Return once every webhook is delivered, every fact told and every job done."""
    deadline = time.monotonic() + PATIENCE
    while undelivered(laptop) + await database.fetchval(LEFT_TO_DO):
        if time.monotonic() > deadline:
            raise TimeoutError("what bookings leave to do is not done")
        await asyncio.sleep(0.1)


def undelivered(laptop: Laptop) -> int:
    """How many webhooks the sandbox has still to deliver."""
    with closing(sqlite3.connect(f"file:{laptop.home / 'sandbox.db'}?mode=ro", uri=True)) as books:
        (count,) = books.execute("SELECT count(*) FROM deliveries WHERE state = 'pending'").fetchone()
    return int(count)


async def killed(laptop: Laptop, trips: deque[Trip], seconds: float, database: asyncpg.Connection) -> str:
    """Kill the server in the middle of a load, and tell how long nothing was confirmed."""
    at = 0.0

    async def strike() -> None:
        nonlocal at
        await asyncio.sleep(seconds / 2)
        server = program_of(laptop, "app")
        if server is None:
            raise RuntimeError("there is no server to kill")
        at = time.perf_counter()
        server.kill()
        await asyncio.to_thread(wait_for_another, laptop, server.pid)
        pin(laptop)

    strikes = asyncio.create_task(strike())
    run = await load(laptop, trips, seconds, lambda: drained(laptop, database))
    await strikes
    done = [at, *sorted(moment for moment in run.told.done if moment > at)]
    silence = max(later - earlier for earlier, later in pairwise(done))
    head = ("kill -9 of the server under that load", "")
    rows = [
        ["the longest time without a booking confirmed after it, s", figure(silence)],
        ["bookings paid, none of them given up", f"{run.bookings:,}"],
    ]
    return table(head, rows)


def wait_for_another(laptop: Laptop, pid: int) -> None:
    """Return once a server runs that is not that process."""
    while (again := program_of(laptop, "app")) is None or again.pid == pid:
        time.sleep(AGAIN_SECONDS)


@contextmanager
def suspended(laptop: Laptop) -> Iterator[None]:
    """Jetway's worker does nothing meanwhile."""
    worker = program_of(laptop, "worker")
    stopped = [] if worker is None else [worker, *worker.children(recursive=True)]
    for one in stopped:
        one.suspend()
    try:
        yield
    finally:
        for one in stopped:
            one.resume()


def summary(run: Run) -> str:
    """The figure itself."""
    head = (f"whole bookings for two, {CLIENTS} clients", "bookings", "seconds", "a second", "goal")
    row = ["held, booked and paid", f"{run.bookings:,}", figure(run.wall), figure(run.rate), f"≥ {GOAL} a second"]
    return table(head, [row])


def operations_table(run: Run) -> str:
    """Times as clients see them."""
    rows = []
    for name, _ in OPERATIONS:
        took = run.told.took[name]
        rows.append([name, f"{len(took):,}", *(figure(percentile(took, share) * 1000) for share in (0.5, 0.99))])
    return table(("operation", "answers", "p50, ms", "p99, ms"), rows)


def cpu_table(run: Run, bare: copies.Bare) -> str:
    """What one booking costs each program, beside a transaction that writes the same rows."""
    total = sum(run.each(name) for name in PROGRAMS)
    rows = [[words, figure(run.each(name)), f"{run.each(name) / total:.0%}", ""] for name, words in PROGRAMS.items()]
    both = [["all", figure(total), "100%", ""]]
    alone = [
        f"bare: one transaction, the same {bare.rows} rows, {copies.CONNECTIONS} connections, one core",
        figure(bare.postgres + bare.python),
        "",
        f"{figure(bare.a_second)} a second",
    ]
    ratio = [
        "the server to the bare transaction's client and PostgreSQL",
        f"{figure(run.each('app') / (bare.postgres + bare.python))} ×",
        "",
        "",
    ]
    head = ("one booking costs", "ms of a core", "share", "")
    return table(head, [*rows, *both, alone, ratio])


async def invariants_table(laptop: Laptop) -> str:
    """What must always hold, as it was found."""
    database = Database(asyncpg_url(laptop.database_url), pool_size=1)
    try:
        findings = await invariants.check(database)
    finally:
        await database.close()
    rows = [[one.name, f"{one.counted:,}", "; ".join(one.broken) or "holds"] for one in findings]
    return table(("afterwards", "counted", ""), rows)
