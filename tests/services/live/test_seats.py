"""Seats, live: a snapshot, then deltas, and whoever comes back gets what he missed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from core.db import Database
from core.errors import Invalid, NotFound
from core.keys import encode
from engine.sharing import Live
from models import SeatStatus
from services import holds, live
from services.seats import Plans, SeatState
from services.transitions import Cause
from subscriptions.hub import Hub
from subscriptions.seats import SeatFeed, SeatMapEvent, SeatMapSnapshot, SeatsChanged
from tests.factories.holds import place
from tests.factories.schedules import Schedule
from tests.services.live.conftest import Tell

SHOPPER = Cause(actor="guest", reason="test")


async def release(database: Database, hold_id: UUID) -> None:
    async with database.transaction() as session:
        await holds.release(session, hold_id, SHOPPER)


def seat_map_events(
    database: Database, plans: Plans, hub: Hub, slot_id: int, after: str | None
) -> AsyncGenerator[SeatMapEvent, None]:
    """What somebody is told who watches alone."""
    return aiter(Live(SeatFeed(database, plans, hub, slot_id), after))


def brief(seats: list[SeatState]) -> list[tuple[str, str]]:
    return sorted((seat.number, str(seat.status)) for seat in seats)


async def test_a_snapshot_then_each_change(
    database: Database, schedule: Schedule, plans: Plans, hub: Hub, tell: Tell
) -> None:
    await place(database, schedule.first, "2A")
    async with aclosing(seat_map_events(database, plans, hub, schedule.first, None)) as events:
        snapshot = await anext(events)
        assert isinstance(snapshot, SeatMapSnapshot)
        assert not snapshot.reset
        assert len(snapshot.seats) == 12
        assert [seat.number for seat in snapshot.seats if seat.status is SeatStatus.LOCKED] == ["2A"]
        hold_id = await place(database, schedule.first, "3C", "3D")
        await place(database, schedule.second, "1A")
        await tell()
        locked = await anext(events)
        await release(database, hold_id)
        await tell()
        freed = await anext(events)
    assert isinstance(locked, SeatsChanged)
    assert brief(locked.seats) == [("3C", "LOCKED"), ("3D", "LOCKED")]
    assert brief(freed.seats) == [("3C", "AVAILABLE"), ("3D", "AVAILABLE")]
    newer = {seat.number: seat.version for seat in freed.seats}
    assert all(newer[seat.number] > seat.version > 0 for seat in locked.seats)


async def test_a_lock_whose_deadline_has_passed_is_free_in_the_snapshot(
    database: Database, schedule: Schedule, plans: Plans, hub: Hub, tell: Tell
) -> None:
    await place(database, schedule.first, "2A")
    async with database.transaction() as session:
        await session.execute(text("UPDATE claims SET expires_at = jetway_now() - interval '1 second'"))
    async with aclosing(seat_map_events(database, plans, hub, schedule.first, None)) as events:
        snapshot = await anext(events)
        await tell()
        await place(database, schedule.first, "2A")
        await tell()
        changed = await anext(events)
    assert {seat.status for seat in snapshot.seats} == {SeatStatus.AVAILABLE}
    assert brief(changed.seats) == [("2A", "LOCKED")]


async def test_a_cursor_brings_what_was_missed(
    database: Database, schedule: Schedule, plans: Plans, hub: Hub, tell: Tell
) -> None:
    async with aclosing(seat_map_events(database, plans, hub, schedule.first, None)) as events:
        cursor = (await anext(events)).cursor
    await release(database, await place(database, schedule.first, "2A"))
    await place(database, schedule.first, "2B")
    await place(database, schedule.second, "2C")
    await tell()
    async with aclosing(seat_map_events(database, plans, hub, schedule.first, cursor)) as events:
        missed = await anext(events)
        await place(database, schedule.first, "2D")
        await tell()
        changed = await anext(events)
    assert isinstance(missed, SeatsChanged)
    assert brief(missed.seats) == [("2A", "AVAILABLE"), ("2B", "LOCKED")]
    assert brief(changed.seats) == [("2D", "LOCKED")]


async def test_a_wiped_valkey_takes_nothing_from_who_comes_back(
    database: Database, schedule: Schedule, plans: Plans, hub: Hub, tell: Tell, redis: Redis
) -> None:
    async with aclosing(seat_map_events(database, plans, hub, schedule.first, None)) as events:
        cursor = (await anext(events)).cursor
    await place(database, schedule.first, "2A")
    await tell()
    await redis.flushall()
    async with aclosing(seat_map_events(database, plans, hub, schedule.first, cursor)) as events:
        missed = await anext(events)
    assert isinstance(missed, SeatsChanged)
    assert brief(missed.seats) == [("2A", "LOCKED")]


async def test_a_renewed_connection_is_made_up_for(
    database: Database, schedule: Schedule, plans: Plans, hub: Hub, tell: Tell, redis: Redis
) -> None:
    async with aclosing(seat_map_events(database, plans, hub, schedule.first, None)) as events:
        await anext(events)
        await redis.client_kill_filter(_type="pubsub")
        await place(database, schedule.first, "2A")
        await tell()
        missed = await anext(events)
    assert brief(missed.seats) == [("2A", "LOCKED")]


@pytest.mark.parametrize("why", ["pruned", "ahead of the head", "too many"])
async def test_a_snapshot_with_reset_where_what_was_missed_is_not_known(
    database: Database,
    schedule: Schedule,
    plans: Plans,
    hub: Hub,
    tell: Tell,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "MOST_MISSED", 2)
    for unit in ("2A", "2B", "2C"):
        await place(database, schedule.first, unit)
    await tell()
    after = {"pruned": 1, "ahead of the head": 99, "too many": 0}[why]
    if why == "pruned":
        async with database.transaction() as session:
            await session.execute(text("UPDATE relay_heads SET pruned_to = 2"))
    async with aclosing(seat_map_events(database, plans, hub, schedule.first, live.cursor(after))) as events:
        snapshot = await anext(events)
    assert isinstance(snapshot, SeatMapSnapshot)
    assert snapshot.reset
    assert [seat.number for seat in snapshot.seats if seat.status is SeatStatus.LOCKED] == ["2A", "2B", "2C"]
    assert snapshot.cursor == live.cursor(3)


async def test_repeated_and_late_facts_change_nothing(
    database: Database, schedule: Schedule, plans: Plans, hub: Hub, tell: Tell
) -> None:
    hold_id = await place(database, schedule.first, "2A")
    await release(database, hold_id)
    async with aclosing(seat_map_events(database, plans, hub, schedule.first, None)) as events:
        await anext(events)
        await tell()
        async with database.transaction() as session:
            await session.execute(text("UPDATE relay_cursors SET position = 0"))
        await place(database, schedule.first, "3D")
        await tell()
        changed = await anext(events)
    assert brief(changed.seats) == [("3D", "LOCKED")]


@pytest.mark.parametrize("cursor", ["", "nonsense", "cDE=", encode(b"p01"), encode(b"q1"), "cDE" * 40])
async def test_a_malformed_cursor_is_refused(
    database: Database, schedule: Schedule, plans: Plans, hub: Hub, cursor: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await anext(seat_map_events(database, plans, hub, schedule.first, cursor))
    assert (refused.value.code, refused.value.field) == ("INVALID_CURSOR", "after")


async def test_a_slot_without_seats_is_refused(database: Database, plans: Plans, hub: Hub) -> None:
    with pytest.raises(NotFound):
        await anext(seat_map_events(database, plans, hub, 404, None))
