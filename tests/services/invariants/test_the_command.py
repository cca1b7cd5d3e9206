"""`make invariants`, as an operator runs it: what was counted, what is broken, and an exit code for scripts."""

from __future__ import annotations

from sqlalchemy import text

from core.db import Database
from services import invariants
from tests.factories.holds import place
from tests.factories.places import set_pool
from tests.factories.schedules import Schedule
from tests.fakes.commands import run

COMMAND = "scripts.invariants"
POOLS = "Pools count what their holds keep and have sold"
CLAIMS = "A live claim belongs to a live hold, which keeps that very unit"


async def test_each_invariant_is_printed_with_what_it_counted(
    database_url: str, database: Database, schedule: Schedule
) -> None:
    await place(database, schedule.first, "1A", "2A", "2B")
    ran = await run(COMMAND, database_url=database_url)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert [line.rpartition(" (")[0] for line in lines] == [f"holds   {one.name}" for one in invariants.INVARIANTS]
    assert {f"holds   {CLAIMS} (3)", f"holds   {POOLS} (4)"} <= set(lines)


async def test_what_is_broken_is_named_and_ends_it_with_1(
    database_url: str, database: Database, schedule: Schedule
) -> None:
    hold_id = await place(database, schedule.first, "1A", "2A")
    await set_pool(database, schedule.first, "ECONOMY", held=5)
    async with database.transaction() as session:
        await session.execute(text("UPDATE holds SET status = 'RELEASED'"))
    ran = await run(COMMAND, database_url=database_url)
    assert (ran.code, ran.err) == (1, "")
    lines = ran.out.splitlines()
    broken = [line.removeprefix("BROKEN  ") for line in lines if line.startswith("BROKEN")]
    assert broken == [f"{CLAIMS} (2)", f"{POOLS} (4)", "Every status is where its history ends (0)"]
    where = lines.index(f"BROKEN  {POOLS} (4)")
    assert sorted(lines[where + 1 : where + 3]) == [
        f"          slot {schedule.first} ECONOMY: 5 held, 0 kept, 0 sold, 0 owned",
        f"          slot {schedule.first} FIRST: 1 held, 0 kept, 0 sold, 0 owned",
    ]
    assert f"          hold {hold_id} is RELEASED, its history ends at nothing" in lines


async def test_a_database_that_is_away_is_no_good_news(database_url: str) -> None:
    ran = await run(COMMAND, database_url="postgresql://jetway@127.0.0.1:9/jetway")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "The database does not answer.\n"
