"""What a hold costs as its slot fills, and as slots grow in number: it should stay the same.

What two million slots need lies in PostgreSQL's memory, as on a server that has so many. A page that is changed for the
first time since a checkpoint is written whole into PostgreSQL's log. That is once for each page, however often it is
changed, but the few seconds that are measured here begin with a checkpoint; so it is told by itself.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from statistics import median
from urllib.parse import urlsplit

import asyncpg
import psutil
import uvloop

from bench.report import figure, table
from bench.stand import PAIRS, Rate, Stand, placing, postgres, rate, stand
from services.holds import Want

CLIENTS = 256
ROUNDS = 3
WARM = 1_000
"""Holds before it counts: plans are made, and pages are read."""

FILLED = (0.01, 0.25, 0.5, 0.75, 0.99)
"""Shares of the seats that are taken before; the last pairs go while the highest is measured."""

FILLED_SLOTS = 3_000
FEW, MANY = 10_000, 2_000_000
HEAD = (
    "holds of two seats",
    "a second",
    "PostgreSQL, ms a hold",
    "Jetway, ms a hold",
    "PostgreSQL, to the first",
    "both, to the first",
)
COPY = "many"
MEMORY = "1GB"

FILL = """
    WITH made AS (
        INSERT INTO holds (id, status, minutes, created_at, expires_at, cap_at)
        VALUES (gen_random_uuid(), 'ACTIVE', 15, now(), now() + interval '15 minutes', now() + interval '30 minutes')
        RETURNING id, expires_at
    )
    INSERT INTO claims (slot_id, unit, status, hold_id, expires_at, version, changed_at)
    SELECT slots.id, unit, 'LOCKED', made.id, made.expires_at, nextval('claim_versions'), now()
    FROM made, slots, unnest($1::text[]) AS unit
"""
COUNT = "UPDATE pools SET held = $1"
Rates = dict[str, list[Rate]]


def measure(duration: float) -> str:
    """Both tables in Markdown; some minutes, of which two million slots take one to make."""
    with postgres(shared_buffers=MEMORY) as (url, process):
        return uvloop.run(both(url, process, duration))


async def both(url: str, process: psutil.Process, duration: float) -> str:
    """Filling, then growing; what is compared takes turns."""
    many = await copied(url)
    async with stand(url, process, FILLED_SLOTS) as some:
        await log_whole_pages(some, "off")
        full: Rates = {f"{share:.0%} of the seats taken": [] for share in FILLED}
        for _ in range(ROUNDS):
            for share, rates in zip(FILLED, full.values(), strict=True):
                rates.append(await filled(some, share, duration))
    async with AsyncExitStack() as stack:
        sizes = [await stack.enter_async_context(stand(*one)) for one in ((url, process, FEW), (many, process, MANY))]
        cases = [(f"of {len(one.slots):,} slots", one, "off") for one in sizes]
        cases.append((f"of {MANY:,} slots, each for the first time since a checkpoint", sizes[-1], "on"))
        grown: Rates = {what: [] for what, _, _ in cases}
        for _ in range(ROUNDS):
            for what, one, whole_pages in cases:
                await log_whole_pages(one, whole_pages)
                grown[what].append(await spread(one, duration))
    return "\n\n".join(told(rates) for rates in (full, grown))


async def copied(url: str) -> str:
    """Another empty database beside that one."""
    name = urlsplit(url).path.removeprefix("/")
    admin = await asyncpg.connect(urlsplit(url)._replace(path="/postgres").geturl())
    try:
        await admin.execute(f'CREATE DATABASE "{COPY}" TEMPLATE "{name}"')
    finally:
        await admin.close()
    return urlsplit(url)._replace(path=f"/{COPY}").geturl()


async def log_whole_pages(some: Stand, setting: str) -> None:
    """Whether a page is written into the log whole at its first change after a checkpoint: `on` or `off`."""
    await some.admin.execute(f"ALTER SYSTEM SET full_page_writes = {setting}")
    await some.admin.execute("SELECT pg_reload_conf()")


async def filled(some: Stand, share: float, duration: float) -> Rate:
    """The rate while that share of each slot is taken already."""
    before = round(share * len(PAIRS))
    await some.clear()
    await some.admin.execute(FILL, [unit for pair in PAIRS[:before] for unit in pair])
    await some.admin.execute(COUNT, 2 * before)
    await some.settle()
    wants = (Want(slot_id=slot_id, units=pair) for pair in PAIRS[before:] for slot_id in shuffled(some.slots))
    return await held(some, wants, duration)


async def spread(some: Stand, duration: float) -> Rate:
    """The rate over all slots, none of which this process knows yet."""
    await some.clear()
    pairs = itertools.cycle(PAIRS)
    return await held(some, (Want(slot_id=one, units=next(pairs)) for one in shuffled(some.slots)), duration)


async def held(some: Stand, wants: Iterator[Want], duration: float) -> Rate:
    """One rate, by a Placer of its own, each of whose connections has done this before."""
    async with some.placer() as placer:
        await rate(some, placing(placer), itertools.islice(wants, WARM), CLIENTS, duration)
        return await rate(some, placing(placer), wants, CLIENTS, duration)


def shuffled(slots: Sequence[int]) -> list[int]:
    """The slots in no order, the same each time."""
    return random.Random(1).sample(slots, len(slots))


def told(rates: Rates) -> str:
    """A table of medians, PostgreSQL's cost and the whole of it beside those of the first line."""
    first, whole = costs(next(iter(rates.values())))
    rows = []
    for what, some in rates.items():
        theirs, both = costs(some)
        speed = figure(median(one.a_second for one in some))
        shares = [f"{theirs / first:.0%}", f"{both / whole:.0%}"]
        rows.append([what, speed, figure(theirs * 1000), figure((both - theirs) * 1000), *shares])
    return table(HEAD, rows)


def costs(some: Sequence[Rate]) -> tuple[float, float]:
    """Seconds of a core for each hold: PostgreSQL's, and all of it."""
    theirs = median(one.postgres for one in some)
    return theirs, theirs + median(one.python for one in some)
