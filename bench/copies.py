"""The bare transaction: the rows that one booking left behind, written again under other keys, and nothing else.

No decision, no lock, no gateway, no GraphQL; one INSERT for each table, prepared, with native values. Seats and the
counts of pools are left out: they are changed, not written.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from bench.laptop import Laptop
from core.ids import record_locator, uuid7

CONNECTIONS = 16
TEMPLATES = 20
COPIES = 1_500

BOOKED = "SELECT id, hold_id, pnr FROM bookings WHERE status = 'CONFIRMED' ORDER BY id DESC LIMIT $1"
ROWS: Mapping[str, str] = {
    "locators": "booking_id = $1",
    "holds": "id = $2",
    "hold_items": "hold_id = $2",
    "bookings": "id = $1",
    "idempotency_keys": "result_id IN ($1, $2, (SELECT id FROM payments WHERE booking_id = $1))",
    "booking_lines": "booking_id = $1",
    "booking_segments": "booking_id = $1",
    "passengers": "booking_id = $1",
    "seat_assignments": "passenger_id IN (SELECT id FROM passengers WHERE booking_id = $1)",
    "tickets": "passenger_id IN (SELECT id FROM passengers WHERE booking_id = $1)",
    "payments": "booking_id = $1",
    "ledger": "booking_id = $1",
    "transitions": """subject_id IN (SELECT $1::text UNION SELECT $2::text
        UNION SELECT id::text FROM payments WHERE booking_id = $1
        UNION SELECT number FROM tickets JOIN passengers ON passengers.id = passenger_id WHERE booking_id = $1)""",
    "facts": """stream IN ('booking:' || $1::text, 'hold:' || $2::text)
        OR (stream LIKE 'slot:%' AND payload ->> 'hold' = $2::text)""",
}
"""Where a booking ($1) with its hold ($2) stands, in the order in which its rows can be written."""

DRAWN = {"facts": ("id", "recorded_at", "position")}
"""Columns that the database fills in."""

JOB = """
    INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, status) VALUES (0, 'bare', $1, now(), 'queued')
"""

UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NUMBERS = re.compile(r"\b\d{13}\b")
INTENTS = re.compile(r"\bpi_[0-9A-Za-z]+")

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Bare:
    """So many transactions a second; what each cost PostgreSQL and its client, in milliseconds of a core; its rows."""

    a_second: float
    postgres: float
    python: float
    rows: int


@dataclass(frozen=True)
class Written:
    """One table's rows of a booking."""

    table: str
    columns: Sequence[str]
    rows: Sequence[Row]

    @property
    def statement(self) -> str:
        """The INSERT of all of them."""
        width = len(self.columns)
        tuples = (
            "(" + ", ".join(f"${at * width + place + 1}" for place in range(width)) + ")"
            for at in range(len(self.rows))
        )
        return f"INSERT INTO {self.table} ({', '.join(self.columns)}) VALUES {', '.join(tuples)}"  # noqa: S608 - ours


async def measure(laptop: Laptop, database: asyncpg.Connection) -> Bare:
    """Write copies of the newest bookings."""
    templates = [
        await template(database, row["id"], row["hold_id"], row["pnr"])
        for row in await database.fetch(BOOKED, TEMPLATES)
    ]
    used = {row["pnr"] for row in await database.fetch("SELECT pnr FROM locators")}
    copies = deque(renewed(*templates[turn % len(templates)], unused(used)) for turn in range(COPIES))
    async with asyncpg.create_pool(laptop.database_url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        before, own, began = laptop.cpu()["postgres"], time.process_time(), time.perf_counter()
        await asyncio.gather(*(write(pool, copies) for _ in range(CONNECTIONS)))
        wall, mine = time.perf_counter() - began, time.process_time() - own
        theirs = laptop.cpu()["postgres"] - before
    rows = sum(len(one.rows) for one in templates[0][0]) + 1
    return Bare(COPIES / wall, theirs * 1000 / COPIES, mine * 1000 / COPIES, rows)


async def template(
    database: asyncpg.Connection, booking_id: UUID, hold_id: UUID, pnr: str
) -> tuple[Sequence[Written], str]:
    """Every row of a booking, and its locator."""
    found = []
    for table, which in ROWS.items():
        statement = f"SELECT * FROM {table} WHERE $1::uuid IS NOT NULL AND $2::uuid IS NOT NULL AND ({which})"  # noqa: S608
        rows = await database.fetch(statement, booking_id, hold_id)
        if not rows:
            raise RuntimeError(f"booking {pnr} has no rows in {table}")
        columns = [name for name in dict(rows[0]) if name not in DRAWN.get(table, ())]
        found.append(Written(table, columns, [tuple(row[name] for name in columns) for row in rows]))
    return found, pnr


def unused(used: set[str]) -> str:
    """A locator that nobody has, used from now on: copies are written without asking, so a collision would end them."""
    while (pnr := record_locator()) in used:
        continue
    used.add(pnr)
    return pnr


def renewed(written: Sequence[Written], pnr: str, fresh: str) -> list[Written]:
    """The same rows of another booking, with a fresh locator."""
    names: dict[str, str] = {pnr: fresh}
    return [
        Written(one.table, one.columns, [tuple(other(value, names) for value in row) for row in one.rows])
        for one in written
    ]


def other(value: Any, names: dict[str, str]) -> Any:
    """A value in which every name of a booking is another: keys, locator, ticket numbers, the gateway's id."""
    if isinstance(value, UUID):
        return UUID(named(str(value), names))
    if not isinstance(value, str):
        return value
    if value in names:
        return names[value]
    for pattern in (UUIDS, NUMBERS, INTENTS):
        value = pattern.sub(lambda found: named(found[0], names), value)
    return value


def named(name: str, names: dict[str, str]) -> str:
    """The name that stands for it in this copy."""
    if name not in names:
        fresh = str(uuid7())
        names[name] = fresh if "-" in name else f"pi_{fresh}"
        if name.isdigit():
            names[name] = f"{UUID(fresh).int % 10**13:013d}"
    return names[name]


async def write(pool: asyncpg.Pool, copies: deque[list[Written]]) -> None:
    """One connection: one copy after the other, each a transaction."""
    async with pool.acquire() as connection:
        while copies:
            written = copies.popleft()
            async with connection.transaction():
                for one in written:
                    await connection.execute(one.statement, *(value for row in one.rows for value in row))
                await connection.execute(JOB, b"{}")
