"""Flights, live: which of them to read again."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from core.db import Database
from core.errors import Invalid
from services import live
from subscriptions.flights import FlightStatusChange, flight_status_events
from subscriptions.hub import Hub
from tests.factories.facts import record
from tests.services.live.conftest import Tell


def change(position: int, slot_id: int, *, reset: bool = False) -> FlightStatusChange:
    return FlightStatusChange(live.cursor(position), reset, slot_id)


async def test_each_flight_once_then_each_change(database: Database, hub: Hub, tell: Tell) -> None:
    async with aclosing(flight_status_events(database, hub, [7, 8, 7], None)) as events:
        present = [await anext(events), await anext(events)]
        await record(database, ("seat.locked", "slot:7"), ("flight.delayed", "slot:9"), ("flight.delayed", "slot:8"))
        await tell()
        first = await anext(events)
        await record(database, ("flight.boarding", "slot:7"))
        await tell()
        second = await anext(events)
    assert present == [change(0, 7), change(0, 8)]
    assert (first, second) == (change(3, 8), change(4, 7))


async def test_a_cursor_brings_the_flights_that_changed_in_the_order_of_their_last_change(
    database: Database, hub: Hub, tell: Tell
) -> None:
    await record(database, ("flight.delayed", "slot:7"), ("flight.delayed", "slot:8"), ("flight.boarding", "slot:7"))
    await tell()
    async with aclosing(flight_status_events(database, hub, [7, 8, 9], live.cursor(0))) as events:
        assert [await anext(events), await anext(events)] == [change(2, 8), change(3, 7)]


async def test_all_flights_with_reset_where_the_past_is_not_known(database: Database, hub: Hub) -> None:
    async with aclosing(flight_status_events(database, hub, [7, 8], live.cursor(5))) as events:
        assert [await anext(events), await anext(events)] == [change(0, 7, reset=True), change(0, 8, reset=True)]


@pytest.mark.parametrize("slot_ids", [[], list(range(101))])
async def test_no_flights_and_too_many_are_refused(database: Database, hub: Hub, slot_ids: list[int]) -> None:
    with pytest.raises(Invalid) as refused:
        await anext(flight_status_events(database, hub, slot_ids, None))
    assert refused.value.field == "flightIds"


async def test_a_malformed_cursor_is_refused(database: Database, hub: Hub) -> None:
    with pytest.raises(Invalid) as refused:
        await anext(flight_status_events(database, hub, [7], "nonsense"))
    assert refused.value.code == "INVALID_CURSOR"
