"""How fast the schedule gets into PostgreSQL, beside the fastest way in that there is."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from bench.laptop import folder
from bench.report import ROOT, figure, table
from core.embedded import EmbeddedPostgres

TEMPLATE = "migrated"
LOADED = "loaded"
HEAD = ("what", "flights", "runs", "median, s", "flights a second", "share of the limit")
YEAR_SECONDS = 30.0
"""The year is loaded again as long as its loads took less than this together."""

SCHEDULES = {"the demo's weeks, as `make run` loads them": [], "the year": ["--year"]}


def measure(runs: int) -> str:
    """Each schedule into a fresh database, and COPY of the same flights into one table without an index."""
    rows: list[list[str]] = []
    with folder() as place, EmbeddedPostgres(place / "postgres") as postgres:
        asyncio.run(recreate(postgres, TEMPLATE, "template0"))
        subprocess.run(
            [sys.executable, "-m", "alembic", "upgrade", "head"], cwd=ROOT, env=settings(postgres, TEMPLATE), check=True
        )
        for name, arguments in SCHEDULES.items():
            took = loads(postgres, arguments, runs, place / "loader.log")
            flights, copied = asyncio.run(copies(postgres, len(took)))
            limit = statistics.median(copied)
            rows.append(row(name, flights, took, limit))
            rows.append(row("limit: plain COPY of these flights, one table, no index", flights, copied, limit))
    return (
        f"{table(HEAD, rows)}\n\n"
        "A load is the whole of `python -m demo.loader`: it starts Python, reads the package's CSV files, turns local "
        "times into instants, and writes products, slots, flights, pools and fares with their indexes. The limit only "
        "copies rows that are ready in memory."
    )


def settings(postgres: EmbeddedPostgres, database: str) -> dict[str, str]:
    """The environment of a program that works on `database`."""
    return {**os.environ, "DATABASE_URL": postgres.url(database)}


async def recreate(postgres: EmbeddedPostgres, database: str, template: str) -> None:
    """Make `database` anew from `template`."""
    connection = await asyncpg.connect(postgres.url())
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {database}")
        await connection.execute(f"CREATE DATABASE {database} TEMPLATE {template}")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def loads(postgres: EmbeddedPostgres, arguments: Sequence[str], runs: int, log: Path) -> list[float]:
    """Seconds of each load; the last one's database stays."""
    took: list[float] = []
    while not took or (len(took) < runs and sum(took) < YEAR_SECONDS):
        asyncio.run(recreate(postgres, LOADED, TEMPLATE))
        with log.open("ab") as output:
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "demo.loader", *arguments],
                cwd=ROOT,
                env=settings(postgres, LOADED),
                stdout=output,
                stderr=output,
                check=True,
            )
        took.append(time.perf_counter() - began)
    return took


async def copies(postgres: EmbeddedPostgres, runs: int) -> tuple[int, list[float]]:
    """How many flights were loaded, and the seconds of each plain COPY of them."""
    connection = await asyncpg.connect(postgres.url(LOADED))
    try:
        rows: Sequence[Any] = [tuple(flight) for flight in await connection.fetch("SELECT * FROM flights")]
        took = []
        for _ in range(runs):
            await connection.execute("DROP TABLE IF EXISTS bare; CREATE TABLE bare (LIKE flights); CHECKPOINT")
            began = time.perf_counter()
            await connection.copy_records_to_table("bare", records=rows)
            took.append(time.perf_counter() - began)
        return len(rows), took
    finally:
        await connection.close()


def row(name: str, flights: int, took: Sequence[float], limit: float) -> list[str]:
    """A row of the table."""
    median = statistics.median(took)
    return [name, f"{flights:,}", str(len(took)), figure(median), figure(flights / median), f"{limit / median:.0%}"]
