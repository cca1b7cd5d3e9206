"""Faults planted in the one function that takes seats, so that there is something to be caught.

The real function stays as it is, under another name; a false one stands in its place. It is made from the real one's
own signature, of which only the names of the two arrays of wanted units are known here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.fakes.waiting import eventually

TAKES = "take_holds"
HONEST = "honest_take_holds"

HONEST_TAKE = "RETURN QUERY SELECT * FROM {honest};"
"""Nothing is wrong: for comparison."""

IGNORES_CLAIMS = """
    UPDATE claims SET expires_at = jetway_now() - interval '1 second'
    FROM unnest(p_unit_slots, p_units) AS wanted (slot_id, unit)
    WHERE claims.slot_id = wanted.slot_id AND claims.unit = wanted.unit AND claims.status = 'LOCKED';
    RETURN QUERY SELECT * FROM {honest};
"""
"""Whoever asks gets the seat, as if the claim of whoever holds it were over."""

WRITES_NOTHING = """
    DECLARE
        v_told {honest_name}_told[];
    BEGIN
        SELECT array_agg(ROW(told.*)::{honest_name}_told) INTO v_told FROM {honest} AS told;
        RAISE EXCEPTION 'as if it had never been' USING ERRCODE = 'JW666';
    EXCEPTION WHEN SQLSTATE 'JW666' THEN
        RETURN QUERY SELECT * FROM unnest(v_told);
    END;
"""
"""Whoever asks is told that they have the seat; nothing of it is written."""

OTHERS = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname <> ''"


async def cut_all(connection: asyncpg.Connection) -> None:
    """End every other connection: what was prepared there would go on calling the function that it knew."""
    old = {row["pid"] for row in await connection.fetch(OTHERS)}
    await connection.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", list(old))

    async def gone() -> bool:
        return old.isdisjoint(row["pid"] for row in await connection.fetch(OTHERS))

    await eventually(gone)


@asynccontextmanager
async def planted(url: str, fault: str) -> AsyncIterator[None]:
    """The fault is in the database at `url` as long as the block lasts."""
    connection = await asyncpg.connect(url)
    try:
        takes, returns, names = await connection.fetchrow(
            "SELECT pg_get_function_arguments(oid), pg_get_function_result(oid), proargnames[1:pronargs] FROM pg_proc"
            " WHERE proname = $1",
            TAKES,
        )
        honest = f"{HONEST}({', '.join(names)})"
        columns = returns.removeprefix("TABLE").strip()
        async with connection.transaction():
            await connection.execute(f"ALTER FUNCTION {TAKES} RENAME TO {HONEST}")
            await connection.execute(f"CREATE TYPE {HONEST}_told AS {columns}")
            body = fault.format(honest=honest, honest_name=HONEST)
            await connection.execute(
                f"CREATE FUNCTION {TAKES}({takes}) RETURNS {returns} LANGUAGE plpgsql AS"
                f" $$\n#variable_conflict use_column\nBEGIN {body} END $$"
            )
        await cut_all(connection)
        yield
        async with connection.transaction():
            await connection.execute(f"DROP FUNCTION {TAKES}")
            await connection.execute(f"DROP TYPE {HONEST}_told")
            await connection.execute(f"ALTER FUNCTION {HONEST} RENAME TO {TAKES}")
        await cut_all(connection)
    finally:
        await connection.close()
