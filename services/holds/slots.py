"""Which layout each slot has, as this process knows it. `take_holds` verifies it, so it may be out of date."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable

from core.db import Database
from services.holds.lines import Connection, Line, Pending
from services.seats import Plan, Plans

MOST = 50_000
"""How many slots are remembered: as many as a busy process sells from in a while, in a few megabytes."""

READ_AT_ONCE = 256
LOCK_TIMEOUT = "5s"

LAYOUTS = "SELECT id, layout_id FROM slots WHERE id = ANY ($1::bigint[])"


class Layouts:
    """The layout of each slot, remembered; what is not is read for many at once."""

    def __init__(self, db: Database, plans: Plans, *, most: int = MOST) -> None:
        self._db = db
        self._source = plans
        self._plans: dict[int, Plan] = {}
        self._known: OrderedDict[int, int | None] = OrderedDict()
        self._most = most
        self._one_at_a_time = asyncio.Lock()
        """A thousand who come for one new layout read it once, not a thousand times."""
        connection = Connection(lambda: db.connect(lock_timeout=LOCK_TIMEOUT))
        self._line = Line(self._read, [connection], READ_AT_ONCE)

    async def of(self, slot_ids: Collection[int]) -> dict[int, Plan | None]:
        """The layouts of those slots; None for a slot without one. What is no slot is left out. Raises Unavailable."""
        found = {slot_id: self._known[slot_id] for slot_id in slot_ids if slot_id in self._known}
        for slot_id in found:
            self._known.move_to_end(slot_id)
        missing = tuple(slot_id for slot_id in slot_ids if slot_id not in found)
        if missing:
            found |= await self._line.ask(missing)
        return {
            slot_id: None if layout_id is None else await self._plan(layout_id) for slot_id, layout_id in found.items()
        }

    def forget(self, slot_ids: Iterable[int]) -> None:
        """Read those again when they are asked for again."""
        for slot_id in slot_ids:
            self._known.pop(slot_id, None)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._line.aclose()

    async def _plan(self, layout_id: int | None) -> Plan | None:
        if layout_id is None:
            return None
        if layout_id not in self._plans:
            async with self._one_at_a_time:
                await self._read_plan(layout_id)
        return self._plans[layout_id]

    async def _read_plan(self, layout_id: int) -> None:
        if layout_id not in self._plans:
            async with self._db.reading(primary=True) as session:
                self._plans[layout_id] = await self._source.get(session, layout_id)

    async def _read(self, connection: Connection, batch: list[Pending[tuple[int, ...], dict[int, int | None]]]) -> None:
        wanted = {slot_id for pending in batch for slot_id in pending.question}
        rows = dict(await connection.fetch(LAYOUTS, list(wanted)))
        self._known.update(rows)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        for pending in batch:
            pending.answer({slot_id: rows[slot_id] for slot_id in pending.question if slot_id in rows})
