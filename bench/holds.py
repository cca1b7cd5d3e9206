"""Holds at the services layer beside PostgreSQL's own benchmark, and over HTTP, each against its goal."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil
import uvloop

from bench import rivals
from bench.laptop import Laptop, folder, program, running
from bench.loop import closed
from bench.operations import look_around
from bench.report import figure, percentile, table
from bench.stages import Stages, connected, over_http
from bench.stand import PAIRS, POOL, Rate, Stand, placing, postgres, rate, run_pgbench, stand
from services.holds import Want

SLOTS = 5_000
ROUNDS = 3
CLIENTS = 256
TIMES_PGBENCH = 2.0
HOT_A_SECOND = 5_000
HTTP_CLIENTS = 64
HEAD = ("holds of", "a second", "PostgreSQL, ms a hold", "Jetway, ms a hold", "pgbench, a second", "times", "goal")

CALL = """
SELECT outcome FROM take_holds(
    ARRAY[gen_random_uuid()], ARRAY[NULL]::uuid[], ARRAY['guest'], ARRAY['holdSeats'], ARRAY[gen_random_uuid()::text],
    ARRAY[''::bytea], ARRAY[15], ARRAY[1], ARRAY[:slot]::bigint[], ARRAY[NULL]::bigint[], {units},
    ARRAY[1], ARRAY[:slot]::bigint[], ARRAY['ECONOMY'], ARRAY[{quantity}], ARRAY[1], ARRAY[{last}], ARRAY[NULL]::text[])
"""
SPREAD = r"""
\set slot random({first}, {last})
\set row random(1, 33)
\set pair random(0, 2)
""" + CALL.format(
    units="""ARRAY[1, 1], ARRAY[:slot, :slot]::bigint[],
    ARRAY[:row || chr(65 + 2 * :pair::int), :row || chr(66 + 2 * :pair::int)]""",
    quantity=2,
    last=2,
)
HOT = r"\set slot {first}" + CALL.format(units="ARRAY[]::int[], ARRAY[]::bigint[], ARRAY[]::text[]", quantity=1, last=0)


def measure(duration: float) -> str:
    """Everything, in Markdown; about a minute at three seconds."""
    with postgres() as (url, process), folder() as place:
        told = uvloop.run(services(url, process, place, duration))
    with folder() as place, running(place / "home") as laptop:
        return "\n\n".join([*told, uvloop.run(over_graphql(laptop, duration))])


async def services(url: str, process: psutil.Process, place: Path, duration: float) -> list[str]:
    """What needs no server."""
    async with stand(url, process, SLOTS) as many:
        spread = await compared(many, place, SPREAD, two_seats(many), duration)
    async with stand(url, process, rivals.SLOTS) as some:
        crowd = await rivals.measure(some)
    async with stand(url, process, 1, authorised=1_000_000) as one:
        wants = itertools.repeat(Want(slot_id=one.slots[0], quantities={POOL: 1}))
        hot = await compared(one, place, HOT, wants, duration)
    rows = [
        row(f"two seats, over {SLOTS:,} slots", *spread, f"{TIMES_PGBENCH:g} × pgbench"),
        row("one place of one pool", *hot, f"{HOT_A_SECOND:,} a second"),
    ]
    return [table(HEAD, rows), crowd]


async def compared(
    one: Stand, place: Path, script: str, wants: Iterator[Want], duration: float
) -> tuple[list[Rate], list[float]]:
    """Our rates and pgbench's, by turns, each on an empty inventory."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        await one.clear()
        named = script.replace("{first}", str(one.slots[0])).replace("{last}", str(one.slots[-1]))
        theirs.append(await asyncio.to_thread(run_pgbench, one.url, named, place, duration))
        await one.clear()
        async with one.placer() as placer:
            ours.append(await rate(one, placing(placer), wants, CLIENTS, duration))
    return ours, theirs


def two_seats(many: Stand) -> Iterator[Want]:
    """Two free seats side by side of one slot after the other, in no order, again and again."""
    slots = random.Random(1).sample(many.slots, len(many.slots))
    while True:
        for pair in PAIRS:
            for slot_id in slots:
                yield Want(slot_id=slot_id, units=pair)


def row(what: str, ours: list[Rate], theirs: list[float], goal: str) -> list[str]:
    """A line of the table: medians."""
    mine, pgbench = median(one.a_second for one in ours), median(theirs)
    return [
        what,
        figure(mine),
        figure(median(one.postgres for one in ours) * 1000),
        figure(median(one.python for one in ours) * 1000),
        figure(pgbench),
        f"{figure(mine / pgbench)} ×",
        goal,
    ]


async def over_graphql(laptop: Laptop, duration: float) -> str:
    """HoldSeats by 64 clients, the server on one core."""
    for child in psutil.Process(laptop.process.pid).children():
        if program(child.cmdline()) == "app":
            child.cpu_affinity([0])
    shop = await look_around(laptop)
    stages = Stages(laptop, shop, duration)
    async with connected(laptop, HTTP_CLIENTS) as (connections, _):
        clients = [over_http(connection, stages.holds(), "Hold") for connection in connections]
        sample = await closed(laptop, "HoldSeats", clients, duration)
    p50, p99 = (figure(percentile(sample.took, share) * 1000) for share in (0.5, 0.99))
    head = ("over HTTP, 64 clients, the server on one core", "a second", "p50, ms", "p99, ms", "server, ms a hold")
    return table(head, [["HoldSeats", figure(sample.rate), p50, p99, figure(sample.each("app"))]])
