"""Whatever happens to flights, to the time and to connections: a board that was told is the board as it is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from redis.asyncio import Redis

from core import clock
from core.db import Database
from engine.sharing import Live
from services import boards, flights, itineraries
from services.boards import Board
from services.departures import Departure
from services.flights import FlightUpdate
from services.transitions import Cause
from subscriptions.boards import BoardEvent, BoardFeed, BoardShown
from subscriptions.hub import Hub
from tests.factories.schedules import Schedule
from tests.fakes.waiting import eventually
from tests.services.live.conftest import hub, redis, tell

__all__ = ["hub", "redis", "tell"]

OPERATOR = Cause(actor="operator", reason="said so")
STEPS = 24


@dataclass
class Viewer:
    """Somebody who does what docs/live.md says."""

    flights: dict[int, Departure] = field(default_factory=dict)
    cursor: str | None = None

    def see(self, event: BoardEvent) -> None:
        """Take in an event."""
        self.cursor = event.cursor
        if isinstance(event, BoardShown):
            self.flights = {}
        self.flights |= {one.slot_id: one for one in event.flights}
        for slot_id in [] if isinstance(event, BoardShown) else event.gone:
            self.flights.pop(slot_id, None)


@asynccontextmanager
async def watching(viewer: Viewer, database: Database, hub: Hub, board: Board) -> AsyncIterator[None]:
    """Watch, from the viewer's cursor where there is one, until the block ends."""

    async def watch() -> None:
        feed = BoardFeed(database, hub, board, look_seconds=0.02)
        async with aclosing(aiter(Live(feed, viewer.cursor))) as events:
            async for event in events:
                viewer.see(event)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled() and (error := task.exception()):
            raise error


class World:
    """Two flights, an operator, and a clock that only goes forward."""

    def __init__(self, database: Database, redis: Redis, schedule: Schedule, chance: random.Random) -> None:
        self.now = schedule.departs_at - timedelta(hours=6)
        self._database = database
        self._redis = redis
        self._schedule = schedule
        self._chance = chance

    def time(self) -> datetime:
        """The moment that it is."""
        return self.now

    async def go_on(self) -> None:
        """Something happens."""
        happens = self._chance.choice((self._say, self._say, self._pass, self._cut))
        await happens()

    async def _say(self) -> None:
        slot_id = self._chance.choice((self._schedule.first, self._schedule.second))
        expected = self._schedule.departs_at + timedelta(minutes=self._chance.randrange(-120, 900))
        update = FlightUpdate(
            slot_id=slot_id,
            estimated_departure_at=self._chance.choice((None, expected)),
            departure_gate=f"B{self._chance.randrange(99)}",
        )
        async with self._database.transaction() as session:
            await flights.record_update(session, update, OPERATOR)

    async def _pass(self) -> None:
        self.now += timedelta(minutes=self._chance.randrange(90))

    async def _cut(self) -> None:
        await self._redis.client_kill_filter(_type="pubsub")


@pytest.mark.parametrize("seed", range(3))
async def test_a_board_that_was_told_is_the_board_as_it_is(
    database: Database,
    schedule: Schedule,
    hub: Hub,
    redis: Redis,
    tell: Callable[[], Awaitable[int]],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    chance = random.Random(seed)
    world = World(database, redis, schedule, chance)
    monkeypatch.setattr(clock, "now", world.time)
    board = Board(await itineraries.find_airport(database.reader(), "JFK", "airport"), None, 5)
    stays, comes_and_goes = Viewer(), Viewer()

    async def all_know() -> bool:
        found = await boards.flights(database.reader(), board, board.window(world.now))
        truth = {one.slot_id: one for one in found}
        return stays.flights == comes_and_goes.flights == truth

    async with watching(stays, database, hub, board):
        for _ in range(STEPS // 4):
            await world.go_on()
            async with watching(comes_and_goes, database, hub, board):
                for _ in range(3):
                    await world.go_on()
                    await tell()
                await eventually(all_know)
