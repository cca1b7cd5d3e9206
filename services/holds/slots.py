"""Which layout each slot has, as this process knows it. `take_holds` verifies it, so it may be out of date."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from core.db import Database
from services.holds.lines import Connection, Line, Pending
from services.seats import Plan, Plans

MOST = 50_000
"""How many slots are remembered: as many as a busy process sells from in a while, in a few megabytes."""

READ_AT_ONCE = 256
LOCK_TIMEOUT = "5s"

Asked: TypeAlias = Pending[tuple[int, ...], dict[int, Plan | None]]

UNREAD: Any = object()
LAYOUTS = "SELECT id, layout_id FROM slots WHERE id = ANY ($1::bigint[])"


class Layouts:
    """The layout of each slot, remembered; what is not is read for many at once."""

    def __init__(self, db: Database, plans: Plans, *, most: int = MOST) -> None:
        self._db = db
        self._source = plans
        self._known: OrderedDict[int, Plan | None] = OrderedDict()
        self._most = most
        connection = Connection(lambda: db.connect(lock_timeout=LOCK_TIMEOUT))
        self._line = Line(self._read, [connection], READ_AT_ONCE)

    def known(self, slot_ids: Sequence[int]) -> dict[int, Plan | None] | None:
        """The layouts of those slots, None for a slot without one; or None where something of it has to be read."""
        found = {}
        for slot_id in slot_ids:
            plan = self._known.get(slot_id, UNREAD)
            if plan is UNREAD:
                return None
            self._known.move_to_end(slot_id)
            found[slot_id] = plan
        return found

    async def of(self, slot_ids: Sequence[int]) -> dict[int, Plan | None]:
        """The layouts of those slots, read together with others. What is no slot is left out. Raises Unavailable."""
        return await self._line.ask(tuple(slot_ids))

    def forget(self, slot_ids: Iterable[int]) -> None:
        """Read those again when they are asked for again."""
        for slot_id in slot_ids:
            self._known.pop(slot_id, None)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._line.aclose()

    async def _read(self, connection: Connection, batch: list[Asked]) -> None:
        wanted = {slot_id for pending in batch for slot_id in pending.question}
        rows = dict(await connection.fetch(LAYOUTS, list(wanted)))
        plans = {layout_id: await self._plan(layout_id) for layout_id in set(rows.values())}
        found = {slot_id: plans[layout_id] for slot_id, layout_id in rows.items()}
        self._known.update(found)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        for pending in batch:
            pending.answer({slot_id: found[slot_id] for slot_id in pending.question if slot_id in found})

    async def _plan(self, layout_id: int | None) -> Plan | None:
        if layout_id is None:
            return None
        async with self._db.reading(primary=True) as session:
            return await self._source.get(session, layout_id)
