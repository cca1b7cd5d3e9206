"""Flights, live: each as it is, then each that changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from redis.asyncio import Redis

from core.db import Database
from core.errors import Invalid, NotFound
from engine.sharing import Live
from models import FlightStatus
from services import flights, live
from services.flights import FlightUpdate
from services.transitions import Cause
from subscriptions.flights import FlightsFeed, FlightStatusChange
from subscriptions.hub import Hub
from tests.factories.facts import record
from tests.factories.holds import place
from tests.factories.schedules import Schedule
from tests.services.live.conftest import Tell

OPERATOR = Cause(actor="operator", reason="said so")


def watch(
    database: Database, hub: Hub, slot_ids: list[int], after: str | None = None
) -> AsyncGenerator[FlightStatusChange, None]:
    """The flights as one viewer alone is told of them."""
    return aiter(Live(FlightsFeed(database, hub, slot_ids), after))


async def say(database: Database, slot_id: int, **said: Any) -> None:
    async with database.transaction() as session:
        await flights.record_update(session, FlightUpdate(slot_id=slot_id, **said), OPERATOR)


def brief(event: FlightStatusChange) -> tuple[int, str, str | None, bool]:
    return event.flight.slot_id, str(event.flight.status), event.flight.departure_gate, event.reset


async def test_each_flight_once_then_each_change(database: Database, schedule: Schedule, hub: Hub, tell: Tell) -> None:
    one, two = schedule.first, schedule.second
    async with aclosing(watch(database, hub, [one, two, one])) as events:
        present = [await anext(events), await anext(events)]
        await place(database, one, "2A")
        await say(database, two, status=FlightStatus.DELAYED)
        await say(database, two, departure_gate="B7")
        await tell()
        first = await anext(events)
        await say(database, one, status=FlightStatus.BOARDING)
        await tell()
        second = await anext(events)
    assert [brief(event) for event in present] == [(one, "SCHEDULED", None, False), (two, "SCHEDULED", None, False)]
    assert [brief(first), brief(second)] == [(two, "DELAYED", "B7", False), (one, "BOARDING", None, False)]
    assert live.position_of(present[0].cursor) < live.position_of(first.cursor) < live.position_of(second.cursor)


async def test_a_cursor_brings_the_flights_that_changed_in_the_order_of_their_last_change(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell
) -> None:
    one, two = schedule.first, schedule.second
    await say(database, one, status=FlightStatus.DELAYED)
    await say(database, two, departure_gate="B7")
    await say(database, one, departure_gate="B9")
    await tell()
    async with aclosing(watch(database, hub, [one, two], live.cursor(0))) as events:
        missed = [await anext(events), await anext(events)]
    assert [brief(event) for event in missed] == [(two, "SCHEDULED", "B7", False), (one, "DELAYED", "B9", False)]
    async with aclosing(watch(database, hub, [one, two], missed[0].cursor)) as events:
        assert await anext(events) == missed[1]


async def test_all_flights_with_reset_where_the_past_is_not_known(
    database: Database, schedule: Schedule, hub: Hub
) -> None:
    one, two = schedule.first, schedule.second
    async with aclosing(watch(database, hub, [one, two], live.cursor(5))) as events:
        told = [await anext(events), await anext(events)]
    assert [brief(event) for event in told] == [(one, "SCHEDULED", None, True), (two, "SCHEDULED", None, True)]
    assert {event.cursor for event in told} == {live.cursor(0)}


async def test_however_many_seats_change_the_past_of_a_flight_is_known(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell
) -> None:
    await say(database, schedule.first, departure_gate="B7")
    await record(database, *[("seat.locked", f"slot:{schedule.first}")] * 1_001)
    await tell()
    async with aclosing(watch(database, hub, [schedule.first], live.cursor(0))) as events:
        assert brief(await anext(events)) == (schedule.first, "SCHEDULED", "B7", False)


async def test_what_a_lost_connection_swallowed_is_told_after_it(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell, redis: Redis
) -> None:
    async with aclosing(watch(database, hub, [schedule.first])) as events:
        await anext(events)
        await redis.client_kill_filter(_type="pubsub")
        await say(database, schedule.first, departure_gate="B7")
        await tell()
        assert brief(await anext(events)) == (schedule.first, "SCHEDULED", "B7", False)


async def test_one_feed_brings_everybody_to_the_same_flights(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell
) -> None:
    stirred = asyncio.Event()
    feed = FlightsFeed(database, hub, [schedule.first, schedule.second])
    await feed.open(stirred.set)
    try:
        await feed.reach([None])
        early = feed.here
        assert feed.opening(None) is feed.opening(None)
        await say(database, schedule.second, departure_gate="B7")
        await tell()
        await stirred.wait()
        (told,) = await feed.changes()
        await feed.reach([early, feed.here, 99])
        assert feed.opening(early) == [told]
        assert feed.opening(feed.here) == []
        assert [brief(event)[2:] for event in feed.opening(None)] == [(None, False), ("B7", False)]
        assert [brief(event)[2:] for event in feed.opening(99)] == [(None, True), ("B7", True)]
        await record(database, *[("seat.locked", "slot:999")] * 7)
        await tell()
        elsewhere = live.position_of(told.cursor) + 8
        assert await feed.reach([elsewhere]) == []
        assert feed.opening(elsewhere) == []
    finally:
        await feed.close()


@pytest.mark.parametrize("slot_ids", [[], list(range(101))])
async def test_no_flights_and_too_many_are_refused(database: Database, hub: Hub, slot_ids: list[int]) -> None:
    with pytest.raises(Invalid) as refused:
        await anext(watch(database, hub, slot_ids))
    assert refused.value.field == "flightIds"


async def test_a_flight_that_there_is_not_is_refused(database: Database, schedule: Schedule, hub: Hub) -> None:
    with pytest.raises(NotFound):
        await anext(watch(database, hub, [schedule.first, schedule.second + 9]))


async def test_a_malformed_cursor_is_refused(database: Database, hub: Hub) -> None:
    with pytest.raises(Invalid) as refused:
        await anext(watch(database, hub, [7], "nonsense"))
    assert refused.value.code == "INVALID_CURSOR"
