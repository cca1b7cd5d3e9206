"""Databases that tests have used and that are as good as new: a copy of the template costs much more than tidying one.

A database goes back on the shelf only where nothing tells it from a fresh copy of the template: its connections are
ended, its rows deleted, its sequences and statistics set back, and its definitions are still those of the template, as
a digest over the catalogue says. Where anything is left (a test changed a table, or wrote very much) it is dropped.

Tidying happens after thousands of tests, by a connection that knows nothing yet: what it looks at, PostgreSQL has to
read in first. So it asks which transactions wrote the catalogue before it asks what they wrote, and only looks at
tables that were written to, as PostgreSQL's statistics say. These are complete once the connections have ended.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import asyncpg

from tests.fakes.waiting import eventually

MOST_ROWS = 3_000
"""Rows written to one table that are worth deleting; beyond that what they leave would slow the next test."""

NUMBERS = itertools.count(1)
"""Copies have names that no other shelf of this process has given."""

DIGEST = """
    SELECT md5(string_agg(one, chr(10) ORDER BY one)) FROM (
        SELECT concat_ws(' ', 'function', oid::regprocedure, prosrc, prosqlbody, provolatile, prosecdef, proconfig)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname, tgenabled, tgtype, tgfoid::regproc)
        FROM pg_trigger
        UNION ALL SELECT concat_ws(' ', 'relation', relname, relkind, relpersistence, reloptions, relacl)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', 'column', attrelid::regclass, attnum, attname, atttypid, attnotnull, attoptions)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', 'default', adrelid::regclass, adnum, pg_get_expr(adbin, adrelid))
        FROM pg_attrdef
        UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, convalidated, conkey, conbin)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', 'index', indexrelid::regclass, indisvalid, indisunique, indkey, indpred)
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', 'schema', nspname) FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)'
        UNION ALL SELECT concat_ws(' ', 'setting', setrole, setconfig)
        FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
        WHERE datname = current_database()
    ) AS everything (one)
"""
WRITERS = """
    SELECT sum(hashint8(CAST(CAST(one AS text) AS bigint))) FROM (
        SELECT xmin FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname <> 'jetway_now'
        UNION ALL SELECT xmin FROM pg_trigger
        UNION ALL SELECT xmin FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT xmin FROM pg_attribute
        UNION ALL SELECT xmin FROM pg_attrdef
        UNION ALL SELECT xmin FROM pg_constraint
        UNION ALL SELECT xmin FROM pg_index
        UNION ALL SELECT xmin FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)'
        UNION ALL SELECT pg_db_role_setting.xmin FROM pg_db_role_setting
        JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()
    ) AS everything (one)
"""
"""Who wrote what `DIGEST` reads, but for the clock. The same writers have written the same; it takes a fifth of it."""

WRITTEN = """
    SELECT relname, written FROM pg_class, LATERAL (SELECT
        pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid) + pg_stat_get_tuples_deleted(oid)
    ) AS counted (written)
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND written > 0
"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"
SEQUENCES = "SELECT sequencename, coalesce(last_value, start_value), last_value IS NOT NULL FROM pg_sequences"
CLOCK = "SELECT pg_get_functiondef('jetway_now'::regproc)"
END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Likeness:
    """What a fresh copy of the template is like. Of the tables that are `furnished` with rows, these, as JSON."""

    furnished: Mapping[str, str]
    sequences: tuple[tuple[str, int, bool], ...]
    clock: str
    digest: str

    @cached_property
    def setting_back(self) -> str:
        """Sets every sequence back."""
        calls = (f"setval('\"{name}\"', {value}, {is_called})" for name, value, is_called in self.sequences)
        return f"SELECT {', '.join(calls)}"


class Shelf:
    """The databases of one test process; `address` makes the address of one from its name."""

    def __init__(self, template: str) -> None:
        self._address = urlsplit(template)
        self._name = self._address.path.lstrip("/")
        self._free: list[str] = []
        self._likeness: Likeness | None = None
        self._writers: int | None = None

    def address(self, name: str) -> str:
        """The address of a database."""
        return self._address._replace(path=f"/{name}").geturl()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """The address of a database like the template, for as long as it is needed."""
        name = self._free.pop() if self._free else await self.copied()
        yield self.address(name)
        if await self._is_tidied(name):
            self._free.append(name)
        else:
            await self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    async def copied(self) -> str:
        """The name of a new copy of the template, which never comes onto the shelf."""
        if self._likeness is None:
            template = await asyncpg.connect(self.address(self._name))
            self._likeness = await likeness(template)
            self._writers = await template.fetchval(WRITERS)
            await template.close()
        name = f"{self._name}_{next(NUMBERS)}"
        await self._administer(f"CREATE DATABASE {name} TEMPLATE {self._name}")
        return name

    async def _administer(self, statement: str) -> None:
        admin = await asyncpg.connect(self.address("postgres"))
        try:
            await admin.execute(statement)
        finally:
            await admin.close()

    async def _is_tidied(self, name: str) -> bool:
        """Make a database that was used like new; False where it cannot be."""
        like = self._likeness
        if like is None:
            raise RuntimeError("no copy was ever made")
        connection = await asyncpg.connect(self.address(name))
        try:
            await end_others(connection)
            await connection.execute(like.clock)
            unchanged = await connection.fetchval(WRITERS) == self._writers
            if not unchanged and await connection.fetchval(DIGEST) != like.digest:
                return False
            return await tidied(connection, like)
        finally:
            await connection.close()


async def end_others(connection: asyncpg.Connection) -> None:
    """Return once a connection is its database's only one; raises TimeoutError where others do not end."""

    async def is_alone() -> bool:
        return not await connection.fetch(END_OTHERS)

    await eventually(is_alone)


async def likeness(connection: asyncpg.Connection) -> Likeness:
    """What the database of a connection is like."""
    tables = tuple(name for (name,) in await connection.fetch(TABLES))
    rows = {name: await rows_of(connection, name) for name in tables}
    return Likeness(
        furnished={name: some for name, some in rows.items() if some},
        sequences=tuple((name, value, called) for name, value, called in await connection.fetch(SEQUENCES)),
        clock=await connection.fetchval(CLOCK),
        digest=await connection.fetchval(DIGEST),
    )


async def rows_of(connection: asyncpg.Connection, table: str) -> str:
    """Every row of a small table, as JSON; empty where there is none."""
    found = await connection.fetchval(f'SELECT jsonb_agg(one ORDER BY one::text)::text FROM "{table}" AS one')  # noqa: S608
    return found or ""


async def tidied(connection: asyncpg.Connection, like: Likeness) -> bool:
    """Make the rows of a database what they were; False where that is not worth it."""
    written = dict(await connection.fetch(WRITTEN))
    if any(count > MOST_ROWS for count in written.values()):
        return False
    async with connection.transaction():
        # What refuses to be changed, such as the ledger, may be deleted all the same.
        deleting = [f'DELETE FROM "{name}"' for name in written]  # noqa: S608
        await connection.execute("; ".join(["SET LOCAL session_replication_role = replica", *deleting]))
        await connection.execute(like.setting_back)
        for name in written.keys() & like.furnished.keys():
            await connection.execute(
                f'INSERT INTO "{name}" OVERRIDING SYSTEM VALUE'  # noqa: S608
                f' SELECT * FROM jsonb_populate_recordset(NULL::"{name}", $1::jsonb)',
                like.furnished[name],
            )
    await connection.execute("SELECT pg_stat_force_next_flush()")
    await connection.execute("SELECT pg_stat_reset()")
    return True
