"""The whole way, over HTTP, beside peers over the same database: reading, what is kept, holds."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import orjson

from bench import fleet, wrk
from bench.client import DOCUMENTS, Connection, checked
from bench.fleet import BARE, JETWAY, MERCURIUS, PLAIN, UNCACHED, YOGA, Server
from bench.laptop import Laptop, folder, running
from bench.report import figure, table
from bench.shop import FLIGHT, search
from core import clock
from core.ids import global_id

ROUNDS = 3
WARMING = 3.0
"""Seconds that do not count, before those that do."""

CLIENTS, HOLDERS = 32, 64
FEW = 4
"""Clients of plain Strawberry, whose answers take so long that more of them would still be waiting in the end."""

DAYS_AHEAD, OFFERS = 8, 50
HOLDS_A_SECOND = 3_000
HOLDING = (JETWAY, MERCURIUS, BARE)
A_HOLD = orjson.dumps(
    {
        "data": {
            "holdSeats": {
                "__typename": "Hold",
                "id": "SG9sZDowMWExZmViNS0xNTkxLTcyNTItODI0Ny01ZjZjZTUzODcwYzk",
                "token": "34c48b1f.AaH-tRWRclKCR19s5ThwyQ.dMMEboZubGAWWnCFOStondlh40VEEIjK49xsfaWiX44",
                "expiresAt": "2026-11-21T15:39:02+00:00",
                "flights": [{"flight": {"id": "RmxpZ2h0OjE0OTkz"}, "seats": ["34A", "34B"]}],
            }
        },
        "extensions": {"cost": {"requested": 33, "limit": 20000}},
    }
)
"""What the bare application answers whoever holds seats: as many bytes as a hold has, and nothing done for it."""

MOST_HOLDS = 8_000
"""A second and server: so many pairs of seats are ready."""

HEAD = ("what", "who", "a second", "p50, ms", "p99, ms", "server, ms each", "Jetway to it", "by core time", "goal")

LARGEST = """
    SELECT flights.slot_id FROM flights JOIN slots ON slots.id = flights.slot_id JOIN layout_units USING (layout_id)
    WHERE local_date = $1 GROUP BY 1 ORDER BY abs(count(*) - 240), 1 LIMIT 1
"""

TAKEN = """
    INSERT INTO claims (slot_id, unit, status, hold_id, version, changed_at)
    SELECT slots.id, unit, 'BOOKED', gen_random_uuid(), nextval('claim_versions'), jetway_now()
    FROM slots JOIN layout_units USING (layout_id)
    WHERE slots.id = $1 AND (row_number + ascii(column_letter)) % 3 = 0
"""
"""A third of a flight's seats, in every row: what is the same for all flights of a layout is only a part of its map."""

PAIRS = """
    SELECT slot_id, units[1] AS left_one, units[2] AS right_one FROM (
        SELECT flights.slot_id, row_number, array_agg(unit ORDER BY column_letter) AS units
        FROM flights JOIN slots ON slots.id = flights.slot_id JOIN layout_units USING (layout_id)
        WHERE local_date BETWEEN $1 AND $2 AND section = 'ECONOMY' AND slots.status = 'OPEN' AND slots.id <> $4
        GROUP BY 1, 2 HAVING count(*) > 1
    ) AS found ORDER BY md5(slot_id || ':' || row_number) LIMIT $3
"""

TYPENAME = "{ __typename }"


@dataclass(frozen=True)
class Sample:
    """What one server did in one run."""

    rate: wrk.Rate
    each: float
    """Milliseconds of its core for each answer."""


@dataclass(frozen=True)
class Row:
    """One comparison: who does it, the first of whom is ours, and how many times as much as each of the others."""

    what: str
    servers: Sequence[str]
    goals: Mapping[str, float]
    path: Mapping[str, str]
    script: Callable[[int], Path]
    clients: int = CLIENTS
    least: float | None = None
    """Answers a second that are the goal whoever is beside."""


def measure(seconds: float) -> str:
    """Start everything, measure by turns, and tell it in Markdown."""
    wrk.program()
    with folder() as place, running(place / "home") as laptop:
        bodies = asyncio.run(prepared(laptop, place, seconds))
        with fleet.fleet(laptop, place, place / "answers") as servers:
            rows = list(comparisons(place, bodies))
            told = [line for row in rows for line in compared(row, servers, seconds)]
    return table(HEAD, told)


async def prepared(laptop: Laptop, place: Path, seconds: float) -> Mapping[str, bytes]:
    """The requests by name; in `place` what the bare application answers, and the pairs of seats to be held."""
    day = clock.now().date() + datetime.timedelta(days=DAYS_AHEAD)
    database = await asyncpg.connect(laptop.database_url)
    try:
        slot_id = await database.fetchval(LARGEST, day)
        most = round(MOST_HOLDS * seconds * ROUNDS * len(HOLDING))
        await database.execute(TAKEN, slot_id)
        pairs = await database.fetch(PAIRS, day, day + datetime.timedelta(days=10), most, slot_id)
    finally:
        await database.close()
    (place / "pairs").write_text("".join(f"{global_id(FLIGHT, slot)} {left} {right}\n" for slot, left, right in pairs))
    bodies = {
        "seats": asked("SeatMap", {"flightId": global_id(FLIGHT, slot_id)}),
        "search": asked("SearchFlights", {"input": search("JFK", "LAX", day), "first": OFFERS}),
        "typename": orjson.dumps({"query": TYPENAME}),
    }
    (place / "answers").mkdir()
    with closing(await Connection.open(laptop.port)) as connection:
        for name, body in bodies.items():
            head = "POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
            answer = await connection.send(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            checked(answer)
            (place / "answers" / f"{name}.body").write_bytes(answer)
    (place / "answers" / "graphql.body").write_bytes(A_HOLD)
    return bodies


def asked(operation: str, variables: Mapping[str, Any]) -> bytes:
    """The body of a request for one of the contract's operations."""
    return orjson.dumps({"query": DOCUMENTS[operation], "variables": variables})


def comparisons(place: Path, bodies: Mapping[str, bytes]) -> Iterator[Row]:
    """What is measured, against what, with which goals."""
    scripts = {name: wrk.same(place, name, body) for name, body in bodies.items()}
    for name, what in (("seats", "seat map, 240 seats, a third of them taken"), ("search", f"search, {OFFERS} offers")):
        script = lambda _, name=name: scripts[name]  # noqa: E731 - a script that stays the same
        goals = {MERCURIUS: 1.2, PLAIN: 15.0}
        yield Row(f"{what}, read each time", (UNCACHED, MERCURIUS, PLAIN), goals, {}, script)
        yield Row(f"{what}, kept", (JETWAY, BARE, YOGA), {BARE: 0.85, YOGA: 8.0}, {BARE: f"/{name}"}, script)
    yield Row(TYPENAME, (JETWAY, PLAIN), {PLAIN: 2.0}, {}, lambda _: scripts["typename"])
    document = json.dumps(DOCUMENTS["HoldSeats"])
    total = sum(1 for _ in (place / "pairs").open())
    share = total // (len(HOLDING) * ROUNDS)
    yield Row(
        "HoldSeats, two seats, 64 clients",
        HOLDING,
        {MERCURIUS: 1.1},
        {},
        lambda turn: wrk.holds(place, place / "pairs", document, turn * share, turn),
        clients=HOLDERS,
        least=HOLDS_A_SECOND,
    )


def compared(row: Row, servers: Mapping[str, Server], seconds: float) -> Iterator[list[str]]:
    """The lines of one comparison: each server in turn, again and again; medians."""
    there = [name for name in row.servers if name in servers]
    samples: dict[str, list[Sample]] = {name: [] for name in there}
    for name in there:  # caches, plans, prepared statements and JITs have seen it before anything counts
        if row.least is None:
            sample(servers[name], row, 0, WARMING)
    for turn in range(ROUNDS * len(there)):
        name = there[turn % len(there)]
        samples[name].append(sample(servers[name], row, turn, seconds))
    for name in there:
        yield line(row, name, samples[name], samples[there[0]])


def sample(server: Server, row: Row, turn: int, seconds: float) -> Sample:
    """One run."""
    before = server.cpu()
    clients = FEW if server.name == PLAIN else row.clients
    rate = wrk.run(server.url(row.path.get(server.name, "/graphql")), row.script(turn), seconds, clients)
    return Sample(rate, (server.cpu() - before) * 1000 / (rate.a_second * max(1, round(seconds))))


def line(row: Row, name: str, samples: Sequence[Sample], ours: Sequence[Sample]) -> list[str]:
    """One line of the table."""
    a_second, each = (median(part) for part in zip(*((one.rate.a_second, one.each) for one in samples), strict=True))
    is_ours = name == row.servers[0]
    goal = f"≥ {row.least:,.0f} a second" if is_ours and row.least else ""
    return [
        row.what if is_ours else "",
        name,
        figure(a_second),
        figure(median(one.rate.p50 for one in samples)),
        figure(median(one.rate.p99 for one in samples)),
        figure(each),
        "" if is_ours else f"{figure(median(one.rate.a_second for one in ours) / a_second)} ×",
        "" if is_ours else f"{figure(each / median(one.each for one in ours))} ×",
        goal if is_ours else f"≥ {row.goals[name]:g} ×" if name in row.goals else "",
    ]
