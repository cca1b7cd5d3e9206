"""Who leads: one of many, by an advisory lock of its own connection, and only for as long as that connection is busy.

A leader that dies loses its connection, and with it the lock. One that stands still (a stopped process, a frozen
container, a host that was cut off) would keep both: so a leader asks PostgreSQL something every few milliseconds, and a
candidate who finds its backend waiting for half a second ends that backend. Whatever the old leader had begun is undone
with it, so two never place facts; what it still sends to others when it wakes up they have heard already.

Both moments are PostgreSQL's, so no clocks are compared.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg

from core.log import logger
from core.loops import pause

CANDIDACY = 0.2
"""Seconds between two attempts to lead. Not one that blocks: a waiting statement would keep VACUUM from cleaning up."""

STILL = timedelta(seconds=0.5)
"""For how long a leader may ask nothing. A worker that is busy for longer only loses the lead."""

TAKE = "SELECT pg_try_advisory_lock($1)"

DEPOSE = """
SELECT pg_terminate_backend(pid)
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint << 32 | objid::bigint = $1
  AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND wait_event_type = 'Client' AND state_change < clock_timestamp() - $2::interval
"""
"""Ends the backend that holds the lock, where it has waited for its client for too long: for a statement, or for its
answer to be taken. Needs no rights but those of the role that both connect as."""

log = logger("relay")


async def take_lead(connection: asyncpg.Connection, lock: int) -> bool:
    """Whether this connection is now the one that leads."""
    return bool(await connection.fetchval(TAKE, lock))


async def depose(connection: asyncpg.Connection, lock: int) -> bool:
    """End a leader that stands still; whether there was one."""
    return bool(await connection.fetch(DEPOSE, lock, STILL))


async def lead(connection: asyncpg.Connection, lock: int, stop: asyncio.Event) -> bool:
    """Wait until this connection leads; False where `stop` came first."""
    while not stop.is_set():
        if await take_lead(connection, lock):
            return True
        if await depose(connection, lock):
            log.warning("relay.deposed", lock=lock)
            await asyncio.sleep(0.01)  # its backend needs a moment to end
        else:
            await pause(CANDIDACY, stop)
    return False
