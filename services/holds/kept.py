"""Holds and what they keep, for whoever only looks: one plain statement each, nothing locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from core.detached import Detached
from core.rows import Reader
from models import Hold, HoldItem

HOLDS = Detached(Hold)
ITEMS = Detached(HoldItem)
KEPT = f"SELECT {ITEMS.columns} FROM hold_items WHERE hold_id = ANY ($1::uuid[]) ORDER BY slot_id, pool"  # noqa: S608


async def by_id(reader: Reader, hold_id: UUID) -> Hold | None:
    """A hold as it is written down; None where there is none."""
    return await HOLDS.find(reader, hold_id)


async def kept_by(reader: Reader, hold_ids: Iterable[UUID]) -> dict[UUID, list[HoldItem]]:
    """What each of some holds keeps, by slot and pool; those that keep nothing are left out."""
    found: dict[UUID, list[HoldItem]] = defaultdict(list)
    for columns in await reader.fetch(KEPT, list(hold_ids)):
        item = ITEMS.row(columns)
        found[item.hold_id].append(item)
    return found
