"""Each operation of the contract against a whole Jetway: at one client, and at 16."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import asyncpg
import uvloop

from bench import live
from bench.client import Connection
from bench.laptop import Laptop, folder, running
from bench.loop import Sample
from bench.report import figure, percentile, table
from bench.shop import Shop, stock
from bench.stages import BARE, TYPENAME, Stages

CLIENTS = (1, 16)
HEAD = (
    "operation",
    "samples",
    "p50, ms",
    "p99, ms",
    "a second",
    "p50 to the limit's",
    "server, ms",
    "PostgreSQL, ms",
    "client, of a core",
)
LIVE_HEAD = ("stream", "samples", "p50, ms", "p99, ms", "p50 to the limit's")


def measure(seconds: float) -> str:
    """Start Jetway on a folder of its own, measure everything, and tell it in Markdown."""
    with folder() as place, running(place / "home") as laptop:
        return uvloop.run(rounds(laptop, seconds))


async def rounds(laptop: Laptop, seconds: float) -> str:
    """Every round, with its tables."""
    shop = await look_around(laptop)
    told: list[str] = []
    for clients in CLIENTS:
        samples = await Stages(laptop, shop, seconds).measure(clients)
        streams = await live.measure(laptop, shop, clients, seconds)
        who = "One client" if clients == 1 else f"{clients} clients at once"
        told += [f"**{who}**", operations_table(samples), streams_table(streams), compared(samples)]
    return "\n\n".join(told)


async def look_around(laptop: Laptop) -> Shop:
    """What there is to buy."""
    database = await asyncpg.connect(laptop.database_url)
    try:
        with closing(await Connection.open(laptop.port)) as connection:
            return await stock(connection, database)
    finally:
        await database.close()


def operations_table(samples: Mapping[str, Sample]) -> str:
    """Times as clients see them, beside those of the cheapest query, and what each operation costs of a core."""
    limit = percentile(samples[TYPENAME].took, 0.5)
    rows = [
        [
            *times(name, sample),
            figure(sample.rate),
            f"{figure(percentile(sample.took, 0.5) / limit)} ×",
            figure(sample.each("app")),
            figure(sample.each("postgres")),
            f"{sample.share('client'):.0%}",
        ]
        for name, sample in samples.items()
    ]
    return table(HEAD, rows)


def streams_table(samples: Mapping[str, Sample]) -> str:
    """How late watchers are, beside a message that goes through Valkey and nothing else."""
    limit = percentile(samples[live.PUBLISH].took, 0.5)
    rows = []
    for name, one in samples.items():
        ratio = percentile(one.took, 0.5) / limit
        rows.append([*times(name, one), f"{figure(ratio)} ×" if ratio > 0 else "sooner"])
    return table(LIVE_HEAD, rows)


def times(name: str, sample: Sample) -> list[str]:
    """The columns that both tables begin with."""
    p50, p99 = (figure(percentile(sample.took, share) * 1000) for share in (0.5, 0.99))
    return [name, f"{len(sample.took):,}", p50, p99]


def compared(samples: Mapping[str, Sample]) -> str:
    """HoldSeats beside the SQL function that it ends in."""
    whole, bare = samples["HoldSeats"], samples[BARE]
    times = percentile(whole.took, 0.5) / percentile(bare.took, 0.5)
    return (
        f"`HoldSeats` takes {figure(times)} times as long as `take_holds()` alone through asyncpg on the same database,"
        f" and the function alone holds {figure(bare.rate / whole.rate)} times as often."
    )
