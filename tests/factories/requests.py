"""Requests as `take_holds` is called with them, and whole batches of them in one call."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import asyncpg

from services.holds.calls import TAKE, Answer, taken, taking
from services.holds.requests import Asking, Request, Want
from services.holds.slots import Seating
from tests.factories.holds import key


def request(
    slot_id: int,
    *units: str,
    quantities: Mapping[str, int] | None = None,
    classes: Mapping[str, str] | None = None,
    with_key: str | None = None,
    asked: str = "",
    owner_id: UUID | None = None,
    layout_id: int | None = None,
) -> Request:
    """A guest's request for seats and places of one flight of the small schedule, whose row 1 is in FIRST."""
    pools = {unit: "FIRST" if unit[0] == "1" else "ECONOMY" for unit in units}
    places = {unit: place for place, unit in enumerate(sorted(units, key=lambda unit: (pools[unit], unit)))}
    wanted = Want(slot_id=slot_id, units=units, quantities=quantities or {}, classes=classes or {})
    asking = Asking(owner_id, "guest", "holdSeats", with_key or key(), 15, asked)
    return Request(asking, [wanted], {slot_id: Seating(layout_id, places, pools)})


async def take(connection: asyncpg.Connection, *requests: Request) -> list[Answer]:
    """One batch."""
    return taken(await connection.fetch(TAKE, *taking(requests)))


def outcomes(answers: list[Answer]) -> list[str]:
    """What became of each."""
    return [answer.outcome for answer in answers]
