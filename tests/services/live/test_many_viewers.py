"""The seats of a slot for many viewers at once: few reads, and everybody who is here knows the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from core.db import Database
from models import SeatStatus
from services import holds, live
from services.seats import Plans
from services.transitions import Cause
from subscriptions import logs, seats
from subscriptions.hub import Hub
from subscriptions.seats import SeatFeed, SeatMapEvent, SeatMapSnapshot, SeatsChanged
from tests.factories.facts import record
from tests.factories.holds import place
from tests.factories.schedules import Schedule
from tests.services.live.conftest import Tell

SHOPPER = Cause(actor="guest", reason="test")


@dataclass
class Told:
    """A feed, and whether it stirs."""

    feed: SeatFeed
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    async def changes(self) -> list[SeatMapEvent]:
        """What is told next, once there is something to be looked at."""
        await self.stirred.wait()
        self.stirred.clear()
        return list(await self.feed.changes())


@pytest.fixture
async def told(database: Database, schedule: Schedule, plans: Plans, hub: Hub) -> AsyncIterator[Told]:
    """The feed of the first flight, which listens."""
    told = Told(SeatFeed(database, plans, hub, schedule.first))
    await told.feed.open(told.stirred.set)
    yield told
    await told.feed.close()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The positions from which facts were read; no snapshot is too old."""
    monkeypatch.setattr(seats, "FRESH", 3600.0)
    read: list[int] = []
    history = live.history

    async def counted(session: Any, stream: Any, after: int, kinds: str = "") -> live.History:
        read.append(after)
        return await history(session, stream, after, kinds)

    monkeypatch.setattr(live, "history", counted)
    return read


def brief(event: SeatMapEvent) -> list[tuple[str, str]]:
    """The seats of an event that are not free, or that changed."""
    free = isinstance(event, SeatMapSnapshot)
    return [(one.number, str(one.status)) for one in event.seats if not free or one.status != SeatStatus.AVAILABLE]


async def release(database: Database, hold_id: UUID) -> None:
    async with database.transaction() as session:
        await holds.release(session, hold_id, SHOPPER)


async def test_all_who_come_together_are_read_for_once(
    database: Database, schedule: Schedule, told: Told, tell: Tell, reads: list[int]
) -> None:
    for seat in ("2A", "2B", "2C"):
        await place(database, schedule.first, seat)
    await tell()
    assert await told.feed.reach([None, 1, 2, 3, None]) == []
    assert reads == [1, 3]
    openings = [told.feed.opening(place) for place in (None, 1, 2, 3)]
    assert [[brief(event) for event in events] for events in openings] == [
        [[("2A", "LOCKED"), ("2B", "LOCKED"), ("2C", "LOCKED")]],
        [[("2B", "LOCKED"), ("2C", "LOCKED")]],
        [[("2C", "LOCKED")]],
        [],
    ]
    assert told.feed.opening(None) is openings[0]


async def test_whoever_comes_later_with_a_cursor_costs_no_read(
    database: Database, schedule: Schedule, told: Told, tell: Tell, reads: list[int]
) -> None:
    await told.feed.reach([None])
    reads.clear()
    await place(database, schedule.first, "2A")
    await place(database, schedule.first, "2B")
    await tell()
    assert [brief(event) for event in await told.changes()] in (
        [[("2A", "LOCKED"), ("2B", "LOCKED")]],
        [[("2A", "LOCKED")]],
    )
    while told.feed.here != 2:
        await told.changes()
    assert await told.feed.reach([0, 1, None]) == []
    assert reads == []
    assert [brief(event) for event in told.feed.opening(1)] == [[("2B", "LOCKED")]]


async def test_what_a_snapshot_shows_before_it_is_told_is_told_to_the_others_once(
    database: Database, schedule: Schedule, told: Told, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "FRESH", -1.0)
    await told.feed.reach([None])
    before = told.feed.here
    hold_id = await place(database, schedule.first, "2A")
    first = await told.feed.reach([None])
    assert [brief(event) for event in first] == [[("2A", "LOCKED")]]
    assert [brief(event) for event in told.feed.opening(None)] == [[("2A", "LOCKED")]]
    assert [brief(event) for event in told.feed.opening(before)] == [[("2A", "LOCKED")]]
    assert await told.feed.reach([None]) == []
    await tell()
    assert await told.changes() == []
    assert [brief(event) for event in told.feed.opening(before)] == [[("2A", "LOCKED")]]
    await release(database, hold_id)
    await tell()
    assert [brief(event) for event in await told.changes()] == [[("2A", "AVAILABLE")]]


async def test_a_cursor_from_elsewhere_that_is_ahead_of_what_was_told_here_brings_everybody_there(
    database: Database, schedule: Schedule, told: Told, tell: Tell
) -> None:
    await told.feed.reach([None])
    await place(database, schedule.first, "2A")
    await record(database, ("flight.delayed", f"slot:{schedule.second}"))
    await tell()
    first = await told.feed.reach([2])
    assert [brief(event) for event in first] == [[("2A", "LOCKED")]]
    assert (told.feed.here, told.feed.opening(2)) == (2, [])
    assert await told.changes() == []


async def test_a_gap_is_one_read_for_everybody(
    database: Database, schedule: Schedule, told: Told, tell: Tell, redis: Redis, reads: list[int]
) -> None:
    await told.feed.reach([None])
    reads.clear()
    await redis.client_kill_filter(_type="pubsub")
    await place(database, schedule.first, "2A")
    await tell()
    events: list[SeatMapEvent] = []
    while not events:
        events += await told.changes()
    assert [brief(event) for event in events] == [[("2A", "LOCKED")]]
    assert reads == [0]


async def test_a_gap_that_is_too_long_is_a_snapshot_with_reset_for_everybody(
    database: Database,
    schedule: Schedule,
    told: Told,
    tell: Tell,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "MOST_MISSED", 1)
    await told.feed.reach([None])
    await redis.client_kill_filter(_type="pubsub")
    for seat in ("2A", "2B", "2C"):
        await place(database, schedule.first, seat)
    await tell()
    events: list[SeatMapEvent] = []
    while not events:
        events += await told.changes()
    (event,) = events
    assert isinstance(event, SeatMapSnapshot)
    assert event.reset
    assert brief(event) == [("2A", "LOCKED"), ("2B", "LOCKED"), ("2C", "LOCKED")]


async def test_only_so_much_is_kept_and_older_cursors_are_read_for(
    database: Database, schedule: Schedule, told: Told, tell: Tell, reads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOGGED", 1)
    await told.feed.reach([None])
    for seat in ("2A", "2B", "2C", "2D"):
        await place(database, schedule.first, seat)
    await tell()
    while told.feed.here != 4:
        await told.changes()
    reads.clear()
    assert await told.feed.reach([3]) == []
    assert reads == []
    assert await told.feed.reach([1]) == []
    assert reads == [1]
    (event,) = told.feed.opening(1)
    assert isinstance(event, SeatsChanged)
    assert brief(event) == [("2B", "LOCKED"), ("2C", "LOCKED"), ("2D", "LOCKED")]
