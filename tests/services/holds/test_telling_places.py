"""Whoever watches a slot, or asks later what happened, hears of places without a seat as of seats."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core.db import Database
from services import holds
from tests.factories.holds import CAUSE, GUEST, hold, key, want
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock

MINUTE = timedelta(minutes=1)


async def told(database: Database) -> list[tuple[str, str, Any]]:
    """Kind, stream and payload of every fact but those about seats, in their order."""
    async with database.reading() as session:
        rows = await session.execute(
            text("SELECT kind, stream, payload FROM facts WHERE kind NOT LIKE 'seat.%' ORDER BY id")
        )
        return [(row.kind, row.stream, row.payload) for row in rows]


def about(slot_id: int, hold_id: object, **places: int) -> dict[str, Any]:
    """What a fact about places says."""
    return {
        "slot": slot_id,
        "hold": str(hold_id),
        "places": [{"pool": pool, "count": count} for pool, count in places.items()],
    }


async def test_placed(database: Database, schedule: Schedule) -> None:
    first, second = schedule.first, schedule.second
    held = await hold(
        database, want(second, quantities={"ECONOMY": 2}), want(first, "2A", quantities={"FIRST": 1, "ECONOMY": 3})
    )
    other = await hold(database, want(first, "2B"))
    assert await told(database) == [
        ("places.held", f"slot:{first}", about(first, held.id, ECONOMY=3, FIRST=1)),
        ("places.held", f"slot:{second}", about(second, held.id, ECONOMY=2)),
    ]
    assert other.items[0].quantity == 1


async def test_extended_once_for_one_key(database: Database, schedule: Schedule) -> None:
    held = await hold(database, want(schedule.first, quantities={"ECONOMY": 2}), minutes=5)
    same = key()
    await set_clock(database, held.created_at + 2 * MINUTE)
    for _ in range(2):
        async with database.transaction() as session:
            await holds.extend(session, held.id, GUEST, same)
    _, *later = await told(database)
    deadline = (held.expires_at + 2 * MINUTE).isoformat()
    payload = {"hold": str(held.id), "extensions": 1, "expires_at": deadline}
    assert later == [("hold.extended", f"hold:{held.id}", payload)]


@pytest.mark.parametrize("end", ["released", "expired"])
async def test_given_back(database: Database, schedule: Schedule, end: str) -> None:
    held = await hold(database, want(schedule.first, "2A", quantities={"ECONOMY": 2}))
    async with database.transaction() as session:
        if end == "released":
            await holds.release(session, held.id, CAUSE)
        else:
            await set_clock(database, held.expires_at)
            assert await holds.expire_due(session, 10) == 1
    placed, returned, ended = await told(database)
    assert placed[0] == "places.held"
    assert returned == ("places.released", f"slot:{schedule.first}", about(schedule.first, held.id, ECONOMY=2))
    assert ended[:2] == (f"hold.{end}", f"hold:{held.id}")


async def test_sold_and_returned(database: Database, schedule: Schedule) -> None:
    held = await hold(database, want(schedule.first, "2A", quantities={"ECONOMY": 2}))
    async with database.transaction() as session:
        await holds.take_over(session, held.id, CAUSE)
    async with database.transaction() as session:
        await holds.give_back(session, held.id, [], {(schedule.first, "ECONOMY"): 1})
    _, sold, _, returned = await told(database)
    assert sold == ("places.booked", f"slot:{schedule.first}", about(schedule.first, held.id, ECONOMY=2))
    assert returned == ("places.released", f"slot:{schedule.first}", about(schedule.first, held.id, ECONOMY=1))
