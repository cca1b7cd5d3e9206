"""Requests as `take_holds` is called with them, and whole batches of them in one call."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import asyncpg

from services.holds.calls import TAKE, Answer, Asking, Item, Request, taken, taking
from tests.factories.holds import key


def request(
    slot_id: int,
    *units: str,
    quantities: Mapping[str, int] | None = None,
    classes: Mapping[str, str] | None = None,
    with_key: str | None = None,
    print_: bytes = b"",
    owner_id: UUID | None = None,
) -> Request:
    """A guest's request for seats and places of one flight of the small schedule, whose row 1 is in FIRST."""
    more = quantities or {}
    items = []
    for pool in ("ECONOMY", "FIRST"):
        chosen = tuple(unit for unit in units if (unit[0] == "1") == (pool == "FIRST"))
        if count := len(chosen) + more.get(pool, 0):
            items.append(Item(slot_id, pool, count, chosen, (classes or {}).get(pool)))
    asking = Asking(owner_id, "guest", "holdSeats", with_key or key(), print_, 15)
    return Request(asking, [(slot_id, None)], tuple(items))


async def take(connection: asyncpg.Connection, *requests: Request) -> list[Answer]:
    """One batch."""
    return taken(await connection.fetch(TAKE, *taking(requests)))


def outcomes(answers: list[Answer]) -> list[str]:
    """What became of each."""
    return [answer.outcome for answer in answers]
