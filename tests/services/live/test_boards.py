"""The departures board of an airport, live: all of it, then what changes, comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from core import clock
from core.db import Database
from core.errors import Invalid
from engine.sharing import Live
from models import FlightStatus
from services import flights, itineraries, live
from services.boards import Board
from services.flights import FlightUpdate
from services.transitions import Cause
from subscriptions.boards import LOOK_SECONDS, BoardChanged, BoardEvent, BoardFeed, BoardShown
from subscriptions.hub import Hub
from tests.factories.schedules import Schedule
from tests.services.live.conftest import Tell

OPERATOR = Cause(actor="operator", reason="said so")
HOUR = timedelta(hours=1)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, schedule: Schedule) -> datetime:
    """An hour before the first flight leaves; that is now, for boards."""
    moment = schedule.departs_at - HOUR
    monkeypatch.setattr(clock, "now", lambda: moment)
    return moment


async def board(database: Database, schedule: Schedule, *, day: bool = False, hours: int = 4) -> Board:
    """JFK's board; the second flight leaves eight hours after the first."""
    place = await itineraries.find_airport(database.reader(), "JFK", "airport")
    return Board(place, schedule.day if day else None, hours)


async def say(database: Database, slot_id: int, **said: object) -> None:
    async with database.transaction() as session:
        await flights.record_update(session, FlightUpdate(slot_id=slot_id, **said), OPERATOR)  # type: ignore[arg-type]


def board_events(
    database: Database, hub: Hub, board: Board, after: str | None, *, look_seconds: float = LOOK_SECONDS
) -> AsyncGenerator[BoardEvent, None]:
    """The board as one viewer alone is told of it."""
    return aiter(Live(BoardFeed(database, hub, board, look_seconds=look_seconds), after))


def brief(event: BoardEvent) -> list[tuple[int, str]]:
    return [(one.slot_id, str(one.status)) for one in event.flights]


async def test_a_day_then_each_change_of_it(database: Database, schedule: Schedule, hub: Hub, tell: Tell) -> None:
    one, two = schedule.first, schedule.second
    async with aclosing(board_events(database, hub, await board(database, schedule, day=True), None)) as events:
        first = await anext(events)
        await say(database, two, status=FlightStatus.CANCELLED)
        await say(database, one, departure_gate="B7")
        await say(database, one, departure_gate="B9")
        await tell()
        second = await anext(events)
    assert isinstance(first, BoardShown)
    assert (first.reset, brief(first)) == (False, [(one, "SCHEDULED"), (two, "SCHEDULED")])
    assert isinstance(second, BoardChanged)
    assert (brief(second), second.gone) == ([(one, "SCHEDULED"), (two, "CANCELLED")], [])
    assert second.flights[0].departure_gate == "B9"


async def test_a_moving_board_shows_what_is_expected_and_loses_what_is_not(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell, at: datetime
) -> None:
    one, two = schedule.first, schedule.second
    async with aclosing(board_events(database, hub, await board(database, schedule), None)) as events:
        assert brief(await anext(events)) == [(one, "SCHEDULED")]
        await say(database, one, status=FlightStatus.DELAYED, estimated_departure_at=at + 5 * HOUR)
        await tell()
        later = await anext(events)
        await say(database, two, estimated_departure_at=at + 3 * HOUR)
        await tell()
        earlier = await anext(events)
    assert isinstance(later, BoardChanged)
    assert (later.flights, later.gone) == ([], [one])
    assert isinstance(earlier, BoardChanged)
    assert (brief(earlier), earlier.gone) == ([(two, "SCHEDULED")], [])


async def test_a_moving_board_moves(
    database: Database, schedule: Schedule, hub: Hub, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await board(database, schedule)
    async with aclosing(board_events(database, hub, made, None, look_seconds=0.01)) as events:
        assert brief(await anext(events)) == [(schedule.first, "SCHEDULED")]
        monkeypatch.setattr(clock, "now", lambda: at + 6 * HOUR)
        moved = await anext(events)
    assert isinstance(moved, BoardChanged)
    assert (brief(moved), moved.gone) == ([(schedule.second, "SCHEDULED")], [schedule.first])


async def test_who_comes_back_gets_what_changed_and_what_the_time_has_changed(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await board(database, schedule, hours=12)
    async with aclosing(board_events(database, hub, made, None)) as events:
        cursor = (await anext(events)).cursor
    await say(database, schedule.second, departure_gate="B7")
    await tell()
    monkeypatch.setattr(clock, "now", lambda: at + 6 * HOUR)
    async with aclosing(board_events(database, hub, made, cursor)) as events:
        missed = await anext(events)
    assert isinstance(missed, BoardChanged)
    assert ([one.departure_gate for one in missed.flights], missed.gone) == (["B7"], [schedule.first])


async def test_the_whole_board_with_reset_where_the_past_is_not_known(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell, at: datetime
) -> None:
    made = await board(database, schedule)
    async with aclosing(board_events(database, hub, made, live.moving_cursor(99, at))) as events:
        event = await anext(events)
    assert isinstance(event, BoardShown)
    assert (event.reset, brief(event)) == (True, [(schedule.first, "SCHEDULED")])


async def test_more_changes_than_are_told_are_a_new_board(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell, at: datetime
) -> None:
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO facts (kind, stream, payload) SELECT 'board.changed', 'airport:JFK',"
                " jsonb_build_object('slot', CAST(:slot AS bigint), 'airport', 'JFK') FROM generate_series(1, 1001)"
            ),
            {"slot": schedule.first},
        )
    await tell()
    made = await board(database, schedule)
    async with aclosing(board_events(database, hub, made, live.moving_cursor(0, at))) as events:
        event = await anext(events)
    assert isinstance(event, BoardShown)
    assert event.reset


async def test_one_feed_brings_everybody_to_the_same_board(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell, at: datetime
) -> None:
    stirred = asyncio.Event()
    feed = BoardFeed(database, hub, await board(database, schedule, hours=12))
    await feed.open(stirred.set)
    try:
        await feed.reach([None])
        early = feed.here
        assert feed.opening(None) is feed.opening(None)
        await say(database, schedule.second, departure_gate="B7")
        await tell()
        await stirred.wait()
        (told,) = await feed.changes()
        await feed.reach([early, feed.here, (99, at)])
        assert brief(told) == [(schedule.second, "SCHEDULED")]
        assert feed.opening(early) == [told]
        assert feed.opening(feed.here) == []
        (fresh,), (forgotten,) = feed.opening(None), feed.opening((99, at))
        assert isinstance(fresh, BoardShown)
        assert isinstance(forgotten, BoardShown)
        assert (fresh.reset, forgotten.reset, fresh.cursor) == (False, True, told.cursor)
        assert [one.departure_gate for one in fresh.flights] == [None, "B7"]
    finally:
        await feed.close()


@pytest.mark.parametrize("cursor", ["nonsense", live.cursor(3)])
async def test_a_malformed_cursor_is_refused(database: Database, schedule: Schedule, hub: Hub, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        await anext(board_events(database, hub, await board(database, schedule), cursor))
    assert refused.value.code == "INVALID_CURSOR"


@pytest.mark.parametrize("hours", [0, 25])
async def test_a_board_looks_a_day_ahead_and_no_further(database: Database, schedule: Schedule, hours: int) -> None:
    with pytest.raises(Invalid) as refused:
        await board(database, schedule, hours=hours)
    assert refused.value.field == "hours"
