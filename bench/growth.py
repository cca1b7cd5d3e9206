"""What a hold costs as its slot fills, and as slots grow in number: it should stay the same."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from statistics import median

import psutil
import uvloop

from bench.report import figure, table
from bench.stand import PAIRS, Rate, Stand, placing, postgres, rate, stand
from services.holds import Want

CLIENTS = 256
ROUNDS = 3
FILLED = (0.01, 0.25, 0.5, 0.75, 0.98)
"""Shares of the seats that are taken before; the last pairs go while the highest is measured."""

FILLED_SLOTS = 5_000
FEW, MANY = 10_000, 2_000_000
HEAD = ("holds of two seats", "a second", "PostgreSQL, ms a hold", "Jetway, ms a hold", "PostgreSQL, to the first")

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


def measure(duration: float) -> str:
    """Both tables in Markdown; some minutes, most of them for making two million slots."""
    with postgres() as (url, process):
        return uvloop.run(both(url, process, duration))


async def both(url: str, process: psutil.Process, duration: float) -> str:
    """Filling, then growing."""
    async with stand(url, process, FILLED_SLOTS) as some:
        full = [(f"{share:.0%} of the seats taken", await filled(some, share, duration)) for share in FILLED]
    grown = []
    for count in (FEW, MANY):
        async with stand(url, process, count) as some:
            grown.append((f"of {count:,} slots", await spread(some, duration)))
    return "\n\n".join(told(rates) for rates in (full, grown))


async def filled(some: Stand, share: float, duration: float) -> list[Rate]:
    """Rates while that share of each slot is taken already."""
    before = round(share * len(PAIRS))
    rates = []
    for _ in range(ROUNDS):
        await some.clear()
        await some.admin.execute(FILL, [unit for pair in PAIRS[:before] for unit in pair])
        await some.admin.execute(COUNT, 2 * before)
        await some.admin.execute("VACUUM ANALYZE claims, pools")
        wants = (Want(slot_id=slot_id, units=pair) for pair in PAIRS[before:] for slot_id in shuffled(some))
        rates.append(await held(some, wants, duration))
    return rates


async def spread(some: Stand, duration: float) -> list[Rate]:
    """Rates over all slots, none of which this process knows yet."""
    rates = []
    for _ in range(ROUNDS):
        await some.clear()
        pairs = itertools.cycle(PAIRS)
        rates.append(await held(some, (Want(slot_id=one, units=next(pairs)) for one in shuffled(some)), duration))
    return rates


async def held(some: Stand, wants: Iterator[Want], duration: float) -> Rate:
    """One rate, by a Placer of its own."""
    async with some.placer() as placer:
        return await rate(some, placing(placer), wants, CLIENTS, duration)


def shuffled(some: Stand) -> list[int]:
    """The slots in no order, the same each time."""
    return random.Random(1).sample(some.slots, len(some.slots))


def told(rates: list[tuple[str, list[Rate]]]) -> str:
    """A table of medians, PostgreSQL's cost beside that of the first line."""
    first = median(one.postgres for one in rates[0][1])
    rows = []
    for what, some in rates:
        theirs, ours = median(one.postgres for one in some), median(one.python for one in some)
        speed = figure(median(one.a_second for one in some))
        rows.append([what, speed, figure(theirs * 1000), figure(ours * 1000), f"{theirs / first:.0%}"])
    return table(HEAD, rows)
