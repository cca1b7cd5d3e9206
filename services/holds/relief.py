"""Relief for a pool that seems full: what has expired there is written down, for all who wait for it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from core.db import Database
from services.holds import expiry
from services.holds.locks import PoolKey

Pools = tuple[PoolKey, ...]


class Relief:
    """Relieves pools, the same ones once at a time in this process. Owns its transactions; belongs to one event loop.

    Of a crowd that finds a pool full, the first has it relieved; all others share the next run, which finds nothing.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._under_way: dict[Pools, asyncio.Task[None]] = {}
        self._next: dict[Pools, asyncio.Task[None]] = {}

    async def of(self, pools: Iterable[PoolKey]) -> None:
        """Expire what is due in those pools, in a run that begins after this was asked. Raises what the run raises."""
        wanted = tuple(sorted(pools))
        run = self._next.get(wanted)
        if run is None:
            run = self._next[wanted] = asyncio.create_task(self._run(wanted))
        # Who goes away takes the run from nobody else.
        await asyncio.shield(run)

    async def aclose(self) -> None:
        """Wait for what is under way."""
        while runs := {*self._under_way.values(), *self._next.values()}:
            await asyncio.wait(runs)

    async def _run(self, pools: Pools) -> None:
        if (before := self._under_way.get(pools)) is not None:
            await asyncio.wait([before])
        self._under_way[pools] = self._next.pop(pools)
        try:
            async with self._db.transaction() as session:
                await expiry.expire_due_in(session, pools)
        finally:
            del self._under_way[pools]
