"""A database of our own for measuring holds: made-up slots of one layout, and what PostgreSQL spends on them."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import psutil

from bench.laptop import folder, seconds
from bench.report import ROOT
from core.db import Database
from core.embedded import EmbeddedPostgres
from core.embedded.launch import clean_environment
from core.settings import asyncpg_url
from services.holds import Owner, Placed, Placer, Want
from services.holds.gates import Gates, LocalGate
from services.seats import Plans

GUEST = Owner(user_id=None)
ROWS = 33
PAIRS = tuple((f"{row}{left}", f"{row}{right}") for row in range(1, ROWS + 1) for left, right in ("AB", "CD", "EF"))
"""The seats of each slot, two by two: 198 in one cabin."""

POOL = "ECONOMY"
AUTHORISED = 2 * len(PAIRS)

LAYOUT = f"""
    WITH made AS (INSERT INTO layouts (code, sections) VALUES ('bench', '[]') RETURNING id)
    INSERT INTO layout_units (layout_id, unit, section, row_number, column_letter, position, exit_row, extra_legroom,
                              accessible)
    SELECT made.id, r || chr(64 + c), '{POOL}', r, chr(64 + c), 'AISLE', false, false, false
    FROM made, generate_series(1, {ROWS}) AS r, generate_series(1, 6) AS c
"""  # noqa: S608 - our own words
PRODUCT = "INSERT INTO products (kind, code, name) VALUES ('FLIGHT', 'XX1', 'Bench')"
SLOTS = """
    INSERT INTO slots (product_id, layout_id, starts_at, ends_at, zone)
    SELECT products.id, layouts.id, now() + interval '30 days', now() + interval '31 days', 'UTC'
    FROM products, layouts, generate_series(1, $1)
"""
POOLS = f"INSERT INTO pools (slot_id, code, capacity, authorised) SELECT id, '{POOL}', $1, $1 FROM slots"  # noqa: S608
EMPTY = """
    SET session_replication_role = replica;  -- there is a ledger in the cascade, which is else never emptied
    TRUNCATE claims, holds, hold_items, idempotency_keys, facts CASCADE;
    RESET session_replication_role
"""
SETTLE = "VACUUM ANALYZE slots, pools, claims, holds, hold_items, idempotency_keys, facts"


@dataclass(frozen=True)
class Stand:
    """A running PostgreSQL with every migration, and its slots."""

    url: str
    process: psutil.Process
    database: Database
    admin: asyncpg.Connection
    slots: Sequence[int]

    def cpu(self) -> float:
        """Seconds of a core that PostgreSQL has used so far."""
        return seconds(self.process) + sum(seconds(child) for child in self.process.children())

    async def clear(self) -> None:
        """Nothing is held, and nothing of the past is in the way."""
        await self.admin.execute(EMPTY)
        await self.admin.execute("UPDATE pools SET held = 0, sold = 0 WHERE held <> 0 OR sold <> 0")
        await self.settle()

    async def settle(self) -> None:
        """What was written is on the disk, and known to the planner."""
        await self.admin.execute(SETTLE)
        await self.admin.execute("CHECKPOINT")

    @asynccontextmanager
    async def placer(self) -> AsyncIterator[Placer]:
        """A process's Placer with its local gate."""
        placer = Placer(self.database, Plans(), Gates([LocalGate()]))
        try:
            yield placer
        finally:
            await placer.aclose()


@contextmanager
def postgres(**settings: str) -> Iterator[tuple[str, psutil.Process]]:
    """A PostgreSQL of our own with every migration, for as long as it is measured."""
    with folder() as place, EmbeddedPostgres(place / "postgres", settings=settings) as server:
        environment = {**clean_environment(), "DATABASE_URL": server.url()}
        command = [sys.executable, "-m", "alembic", "-c", str(ROOT / "alembic.ini"), "upgrade", "head"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        pid = int((place / "postgres" / "postmaster.pid").read_text().partition("\n")[0])
        yield server.url(), psutil.Process(pid)


@asynccontextmanager
async def stand(url: str, process: psutil.Process, slots: int, authorised: int = AUTHORISED) -> AsyncIterator[Stand]:
    """So many slots in that database, and nothing else."""
    admin = await asyncpg.connect(url, command_timeout=600)
    database = Database(asyncpg_url(url))
    try:
        await admin.execute(EMPTY)
        await admin.execute("TRUNCATE pools, slots, products, layouts, layout_units CASCADE")
        await admin.execute(LAYOUT)
        await admin.execute(PRODUCT)
        await admin.execute(SLOTS, slots)
        async with admin.transaction():
            await admin.execute("SET LOCAL session_replication_role = replica")  # each pool's slot was just made
            await admin.execute(POOLS, authorised)
        await admin.execute(SETTLE)
        ids = [row["id"] for row in await admin.fetch("SELECT id FROM slots ORDER BY id")]
        yield Stand(url, process, database, admin, ids)
    finally:
        await database.close()
        await admin.close()


@dataclass(frozen=True)
class Rate:
    """How many holds a second, and what each cost: seconds of a core, of PostgreSQL's and of ours."""

    a_second: float
    postgres: float
    python: float


async def rate(
    stand: Stand, place: Callable[[Want], Awaitable[Placed]], wants: Iterator[Want], clients: int, duration: float
) -> Rate:
    """Let so many clients hold what `wants` says, one after the other, for so long; raises where one is refused."""
    end = time.perf_counter() + duration

    async def client() -> int:
        done = 0
        while time.perf_counter() < end and (one := next(wants, None)) is not None:
            await place(one)
            done += 1
        return done

    began, theirs, ours = time.perf_counter(), stand.cpu(), time.process_time()
    done = sum(await asyncio.gather(*(client() for _ in range(clients))))
    wall = time.perf_counter() - began
    return Rate(done / wall, (stand.cpu() - theirs) / done, (time.process_time() - ours) / done)


def placing(placer: Placer) -> Callable[[Want], Awaitable[Placed]]:
    """How a guest holds one thing."""
    return lambda want: placer.place(GUEST, [want], 15, str(uuid4()))


def pgbench() -> str:
    """The program: from the path, or from Debian's folders of PostgreSQL, the newest. Raises where there is none."""
    if found := shutil.which("pgbench"):
        return found
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    if not folders:
        raise RuntimeError("pgbench is not installed; it comes with PostgreSQL.")
    return str(folders[-1])


def run_pgbench(url: str, script: str, place: Path, duration: float, connections: int = 32) -> float:
    """Transactions a second of a script, each a transaction of its own, by so many connections."""
    file = place / "script.sql"
    file.write_text(script)
    command = [pgbench(), "-n", "-M", "prepared", "-c", str(connections), "-j", "2", "-T", str(max(1, round(duration)))]
    done = subprocess.run([*command, "-f", str(file), url], capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps = "))
    return float(line.split()[2])
