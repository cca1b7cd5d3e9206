"""The prices of a search, live: the lowest of each itinerary, then those that change."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from core import clock
from core.db import Database
from core.errors import Invalid, Unavailable
from core.rows import Reader
from models import Cabin
from services import itineraries, live, pools
from services.itineraries import Candidate, FlightSearchInput, PassengersInput, SliceInput
from services.transitions import Cause
from subscriptions.hub import Hub
from subscriptions.prices import PricesChange, PricesView, price_events
from subscriptions.pricing import Prices
from tests.factories.holds import place
from tests.factories.schedules import Schedule
from tests.services.live.conftest import Tell

STAFF = Cause(actor="user:staff", reason="demand")
MAIN, FLEX = 11310, 19910


def search(schedule: Schedule, adults: int = 1, destination: str = "LAX") -> FlightSearchInput:
    return FlightSearchInput(
        slices=[SliceInput(origin="JFK", destination=destination, date=schedule.day)],
        passengers=PassengersInput(adults=adults),
    )


def watch(
    database: Database, hub: Hub, asked: FlightSearchInput, after: str | None = None, look_seconds: float = 60
) -> AsyncGenerator[PricesChange, None]:
    """The prices of a search, looked at as often as anything happens."""
    return price_events(Prices(database, hub, pause_seconds=0, look_seconds=look_seconds), asked, after)


async def close_class(database: Database, slot_id: int, limit: int = 0) -> None:
    """Limit the booking class that the cheapest fare is sold in."""
    async with database.transaction() as session:
        await pools.limit_class(session, slot_id, Cabin.ECONOMY, "M", limit, STAFF)


def brief(event: PricesChange) -> list[tuple[int, int]]:
    return [(one.slot_id, one.quote.total.minor_units) for one in event.changed]


def lowest(event: PricesChange) -> tuple[int, int] | None:
    return None if event.lowest is None else (event.lowest.slot_id, event.lowest.quote.total.minor_units)


async def test_the_lowest_price_of_each_itinerary_then_those_that_change(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell
) -> None:
    one, two = schedule.first, schedule.second
    async with aclosing(watch(database, hub, search(schedule))) as events:
        first = await anext(events)
        await close_class(database, one)
        await tell()
        second = await anext(events)
        await close_class(database, one, 8)
        await tell()
        third = await anext(events)
    assert (first.reset, brief(first), lowest(first), first.gone) == (
        False,
        [(one, MAIN), (two, MAIN)],
        (one, MAIN),
        [],
    )
    assert (second.reset, brief(second), lowest(second), second.gone) == (False, [(one, FLEX)], (two, MAIN), [])
    assert (brief(third), lowest(third)) == ([(one, MAIN)], (one, MAIN))


async def test_a_flight_that_is_sold_out_goes_and_one_that_is_sold_again_comes(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell
) -> None:
    async with aclosing(watch(database, hub, search(schedule, adults=7))) as events:
        assert len(brief(await anext(events))) == 2
        await place(database, schedule.first, "2A", "2B")
        await tell()
        without = await anext(events)
    assert (brief(without), without.gone, lowest(without)) == ([], [schedule.first], (schedule.second, 7 * MAIN))


async def test_what_changes_no_price_is_no_event(database: Database, schedule: Schedule, hub: Hub, tell: Tell) -> None:
    async with aclosing(watch(database, hub, search(schedule))) as events:
        await anext(events)
        await place(database, schedule.first, "2A")
        await tell()
        await close_class(database, schedule.second)
        await tell()
        assert brief(await anext(events)) == [(schedule.second, FLEX)]


async def test_what_no_fact_tells_is_found_by_looking(
    database: Database, schedule: Schedule, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = watch(database, hub, search(schedule), look_seconds=0.01)
    async with aclosing(made) as events:
        first = await anext(events)
        await close_class(database, schedule.first)
        assert brief(await anext(events)) == [(schedule.first, FLEX)]
        monkeypatch.setattr(clock, "now", lambda: first.expires_at - timedelta(minutes=5))
        renewed = await anext(events)
    assert sorted(brief(renewed)) == sorted([(schedule.first, FLEX), (schedule.second, MAIN)])
    assert renewed.expires_at == first.expires_at + timedelta(minutes=25)


async def test_who_comes_back_to_the_same_prices_is_told_nothing_until_one_changes(
    database: Database, schedule: Schedule, hub: Hub
) -> None:
    async with aclosing(watch(database, hub, search(schedule))) as events:
        first = await anext(events)
    back = PricesView(first.cursor)
    assert back.apply(await offered(database, schedule)) is None
    await close_class(database, schedule.first)
    event = back.apply(await offered(database, schedule))
    assert event is not None
    assert (event.reset, brief(event), lowest(event)) == (False, [(schedule.first, FLEX)], (schedule.second, MAIN))
    assert back.apply(await offered(database, schedule)) is None


async def offered(database: Database, schedule: Schedule) -> list[Candidate]:
    """What the search finds now."""
    return await itineraries.one_way(database.reader(), search(schedule))


async def test_a_search_is_looked_at_once_for_all_who_watch_it(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    async def counted(reader: Reader, command: FlightSearchInput) -> list[Candidate]:
        looks.append(command)
        return await look(reader, command)

    look = itineraries.one_way
    monkeypatch.setattr(itineraries, "one_way", counted)
    prices = Prices(database, hub, pause_seconds=0)
    async with AsyncExitStack() as stack:
        streams = [price_events(prices, search(schedule), None) for _ in range(12)]
        for stream in streams:
            await stack.enter_async_context(aclosing(stream))
            await anext(stream)
        await close_class(database, schedule.first)
        await tell()
        assert [brief(await anext(stream)) for stream in streams] == [[(schedule.first, FLEX)]] * 12
    assert len(looks) < 12
    async with aclosing(price_events(prices, search(schedule), None)) as again:
        assert lowest(await anext(again)) == (schedule.second, MAIN)
        await prices.aclose()
        with pytest.raises(Unavailable):
            await anext(again)


async def test_who_comes_back_to_other_prices_gets_all_of_them_with_reset(
    database: Database, schedule: Schedule, hub: Hub, tell: Tell
) -> None:
    async with aclosing(watch(database, hub, search(schedule))) as events:
        cursor = (await anext(events)).cursor
    await close_class(database, schedule.first)
    async with aclosing(watch(database, hub, search(schedule), cursor)) as events:
        event = await anext(events)
    assert (event.reset, brief(event)) == (True, [(schedule.second, MAIN), (schedule.first, FLEX)])


async def test_a_lost_connection_rings_the_bell(database: Database, schedule: Schedule, hub: Hub, redis: Redis) -> None:
    async with aclosing(watch(database, hub, search(schedule))) as events:
        await anext(events)
        await close_class(database, schedule.first)
        await redis.client_kill_filter(_type="pubsub")
        assert brief(await anext(events)) == [(schedule.first, FLEX)]


async def test_a_search_that_cannot_be_meant_and_a_malformed_cursor_are_refused(
    database: Database, schedule: Schedule, hub: Hub
) -> None:
    for made, cursor, field in (
        (search(schedule, adults=0), None, "passengers"),
        (search(schedule, destination="XXX"), None, "slices.0.destination"),
        (search(schedule), "nonsense", "after"),
        (search(schedule), live.cursor(3), "after"),
    ):
        with pytest.raises(Invalid) as refused:
            await anext(watch(database, hub, made, cursor))
        assert refused.value.field == field


async def test_nobody_listens_once_the_stream_has_ended_and_a_stopping_hub_ends_it(
    database: Database, schedule: Schedule, redis_url: str, redis: Redis
) -> None:
    hub = Hub(redis_url)
    await hub.connect()
    async with aclosing(watch(database, hub, search(schedule))) as events:
        await anext(events)
        assert await listeners(redis, schedule) == [1, 1]
        await hub.disconnect()
        with pytest.raises(Unavailable):
            await anext(events)


async def listeners(redis: Redis, schedule: Schedule) -> list[int]:
    """How many connections listen to the flights."""
    told = await redis.pubsub_numsub(f"slot:{schedule.first}", f"slot:{schedule.second}")
    return [int(count) for _, count in told]
