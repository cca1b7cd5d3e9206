"""Which seats each slot has, as this process knows it. `take_holds` verifies the layout, so it may be out of date."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Self, TypeAlias

from core.db import Database
from core.lines import Connection, Line, Pending
from services.seats import Plan, Plans

MOST = 50_000
"""How many slots are remembered: as many as a busy process sells from in a while, in a few megabytes."""

READ_AT_ONCE = 256
LOCK_TIMEOUT = "5s"

IN_ITEMS = attrgetter("section", "row_number", "column")


@dataclass(frozen=True, eq=False, slots=True)
class Seating:
    """What placing a hold needs to know of a layout; the same object for all slots that use it.

    `places` numbers the units in the order in which a hold shows them, by pool and then as they are read; `pools` tells
    which pool counts each.
    """

    layout_id: int | None
    places: Mapping[str, int]
    pools: Mapping[str, str]

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """That of a layout."""
        seats = sorted(plan.seats.values(), key=IN_ITEMS)
        places = {seat.number: place for place, seat in enumerate(seats)}
        return cls(plan.layout_id, places, {seat.number: seat.section for seat in seats})


NO_SEATS = Seating(None, {}, {})
"""That of a slot without a layout."""

Asked: TypeAlias = Pending[tuple[int, ...], dict[int, Seating]]

LAYOUTS = "SELECT id, layout_id FROM slots WHERE id = ANY ($1::bigint[])"


class Layouts:
    """The seats of each slot, remembered; what is not is read for many at once."""

    def __init__(self, db: Database, plans: Plans, *, most: int = MOST) -> None:
        self._db = db
        self._source = plans
        self._known: OrderedDict[int, Seating] = OrderedDict()
        self._seatings: dict[int, Seating] = {}
        self._most = most
        self._connection = Connection(lambda: db.connect(lock_timeout=LOCK_TIMEOUT))
        self._line: Line[Connection, Asked] = Line(self._read, [self._connection], READ_AT_ONCE)

    def known(self, slot_ids: Sequence[int]) -> dict[int, Seating] | None:
        """The seats of those slots; or None where something of it has to be read."""
        found = {}
        for slot_id in slot_ids:
            seating = self._known.get(slot_id)
            if seating is None:
                return None
            self._known.move_to_end(slot_id)
            found[slot_id] = seating
        return found

    async def of(self, slot_ids: Sequence[int]) -> dict[int, Seating]:
        """The seats of those slots, read together with others. What is no slot is left out. Raises Unavailable."""
        asked: Asked = Pending(tuple(slot_ids))
        self._line.put(asked)
        return await asked.answered

    def forget(self, slot_ids: Iterable[int]) -> None:
        """Read those again when they are asked for again."""
        for slot_id in slot_ids:
            self._known.pop(slot_id, None)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._connection.aclose()

    async def _read(self, connection: Connection, batch: list[Asked]) -> None:
        wanted = {slot_id for pending in batch for slot_id in pending.question}
        rows = dict(await connection.fetch(LAYOUTS, list(wanted)))
        seatings = {layout_id: await self._seating(layout_id) for layout_id in set(rows.values())}
        found = {slot_id: seatings[layout_id] for slot_id, layout_id in rows.items()}
        self._known.update(found)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        for pending in batch:
            pending.answer({slot_id: found[slot_id] for slot_id in pending.question if slot_id in found})

    async def _seating(self, layout_id: int | None) -> Seating:
        """That of a layout, which never changes once a slot uses it."""
        if layout_id is None:
            return NO_SEATS
        if layout_id not in self._seatings:
            async with self._db.reading(primary=True) as session:
                self._seatings[layout_id] = Seating.of(await self._source.get(session, layout_id))
        return self._seatings[layout_id]
