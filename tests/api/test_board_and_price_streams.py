"""The departures board of an airport and the prices of a search, live, over a WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from typing import Any

import pytest

from core import ids
from core.db import Database
from core.settings import asyncpg_url
from models import Cabin
from services import flights, pools
from services.flights import FlightUpdate
from services.transitions import Cause
from tests.fakes.clients import Client, key, watching
from tests.fakes.people import somebody
from tests.fakes.servers import Server
from tests.fakes.streams import refused, sent, streaming
from tests.stories.journeys import in_days

BOARD, PRICES, DAY = "DepartureBoard", "PriceWatch", "FlightStatusEvents"
"""Operations of the contract."""

FLIGHTS = """
    query ($from: DateTime!) { departures(airport: "JFK", from: $from, first: 1) { id } }
"""
SAID = Cause(actor="operator", reason="said so")


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    """The server's own."""
    database = Database(asyncpg_url(f"postgresql://jetway@/jetway?host={server.home / 'postgres'}"))
    yield database
    await database.close()


def search(day: date, destination: str = "LAX", adults: int = 1) -> dict[str, Any]:
    return {
        "slices": [{"origin": "JFK", "destination": destination, "date": day.isoformat()}],
        "passengers": {"adults": adults},
    }


async def test_a_day_of_an_airport_and_what_changes(server: Server, database: Database) -> None:
    asked = {"airport": "jfk", "date": in_days(23).isoformat()}
    async with streaming(server.url, BOARD, **asked) as watcher:
        board = await watcher.next()
        flight_id = board["flights"][7]["id"]
        async with database.transaction() as session:
            update = FlightUpdate(slot_id=ids.number_of("Flight", flight_id), departure_gate="Z99")
            await flights.record_update(session, update, SAID)
        changed = await watcher.next()
    assert board["reset"] is False
    assert {one["origin"]["iataCode"] for one in board["flights"]} == {"JFK"}
    assert {one["departsAt"][:10] for one in board["flights"]} == {asked["date"]}
    assert [(one["id"], one["departureGate"]) for one in changed["flights"]] == [(flight_id, "Z99")]
    assert changed["gone"] == []
    async with streaming(server.url, BOARD, **asked, after=board["cursor"]) as again:
        assert (await again.next())["flights"] == changed["flights"]


async def test_everybody_who_watches_a_flight_is_told_the_same(server: Server, database: Database) -> None:
    async with Client(server.url) as client:
        flight = (await client.post(FLIGHTS, {"from": f"{in_days(28)}T09:00:00-05:00"}))["data"]["departures"][0]
    asked = {"flightIds": [flight["id"]]}
    async with watching(server.url, DAY, **asked) as one, watching(server.url, DAY, **asked) as other:
        first = await one.next()
        assert await other.next() == first
        async with database.transaction() as session:
            update = FlightUpdate(slot_id=ids.number_of("Flight", flight["id"]), departure_gate="Z97")
            await flights.record_update(session, update, SAID)
        told = await one.next()
        assert await other.next() == told
    assert (first["reset"], told["reset"], told["flight"]) == (
        False,
        False,
        {**first["flight"], "departureGate": "Z97"},
    )
    async with watching(server.url, DAY, **asked, after=first["cursor"]) as again:
        assert await again.next() == told


@pytest.mark.parametrize(
    ("flight_ids", "code"), [(["RmxpZ2h0Ojk5OTk5OTk5OTk5"], "NOT_FOUND"), ([], "INVALID_INPUT"), (["x"], "INVALID_ID")]
)
async def test_what_are_no_flights_is_refused(server_url: str, flight_ids: list[str], code: str) -> None:
    async with watching(server_url, DAY, flightIds=flight_ids) as watcher:
        (error,) = await watcher.refusal()
    assert error["extensions"]["code"] == code


async def test_a_board_over_server_sent_events_goes_on_after_the_last(server: Server, database: Database) -> None:
    asked = {"airport": "JFK", "date": in_days(24).isoformat()}
    async with sent(server.url, BOARD, **asked) as events:
        first = await anext(events)
    flight_id = first.data["data"]["departureEvents"]["flights"][0]["id"]
    async with database.transaction() as session:
        update = FlightUpdate(slot_id=ids.number_of("Flight", flight_id), departure_gate="Z98")
        await flights.record_update(session, update, SAID)
    async with sent(server.url, BOARD, first.id, **asked) as events:
        missed = (await anext(events)).data["data"]["departureEvents"]
    assert [(one["id"], one["departureGate"]) for one in missed["flights"]] == [(flight_id, "Z98")]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"airport": "XXX"}, "UNKNOWN_AIRPORT"),
        ({"airport": "JFK", "hours": 25}, "INVALID_INPUT"),
        ({"airport": "JFK", "after": "x"}, "INVALID_CURSOR"),
    ],
)
async def test_what_is_no_board_is_refused(server_url: str, asked: dict[str, Any], code: str) -> None:
    assert await refused(server_url, BOARD, **asked) == code


async def test_prices_and_what_changes_of_them(server: Server, database: Database) -> None:
    asked = search(in_days(25))
    async with streaming(server.url, PRICES, search=asked) as watcher:
        first = await watcher.next()
        cheapest = first["offers"][0]
        flight_id = cheapest["slices"][0]["segments"][0]["flight"]["id"]
        async with database.transaction() as session:
            slot_id = ids.number_of("Flight", flight_id)
            for booking_class in (await classes(database, slot_id))[1:]:
                await pools.limit_class(session, slot_id, Cabin.ECONOMY, booking_class, 0, SAID)
        changed = await watcher.next()
    totals = [one["total"]["minorUnits"] for one in first["offers"]]
    assert (first["reset"], first["gone"], totals) == (False, [], sorted(totals))
    assert first["lowest"]["total"]["minorUnits"] == totals[0]
    (offer,) = changed["offers"]
    assert offer["slices"][0]["segments"][0]["flight"]["id"] == flight_id
    assert offer["total"]["minorUnits"] > totals[0]
    async with streaming(server.url, PRICES, search=asked, after=first["cursor"]) as again:
        assert (await again.next())["reset"] is True


async def classes(database: Database, slot_id: int) -> list[str]:
    """The booking classes of ECONOMY, the highest first."""
    statement = "SELECT classes FROM pools WHERE slot_id = $1 AND code = 'ECONOMY'"
    ((found,),) = await database.reader().fetch(statement, slot_id)
    return list(found)


async def test_a_price_that_was_told_can_be_booked(server_url: str) -> None:
    async with streaming(server_url, PRICES, search=search(in_days(26))) as watcher:
        offer = (await watcher.next())["offers"][0]
    flight_id = offer["slices"][0]["segments"][0]["flight"]["id"]
    async with Client(server_url) as client:
        wanted = [{"flightId": flight_id, "unassigned": [{"cabin": "ECONOMY", "quantity": 1}]}]
        held = await client.do("HoldSeats", flights=wanted, idempotencyKey=key())
        traveller = {"type": "ADULT", "firstName": "Ada", "lastName": "Lovelace", "dateOfBirth": "1990-12-10"}
        booking = await client.do(
            "CreateBooking",
            offerId=offer["id"],
            holdId=held["id"],
            holdToken=held["token"],
            idempotencyKey=key(),
            contact={"email": "ada@example.org"},
            passengers=[{**traveller, "seats": [{"flightId": flight_id}]}],
        )
    assert booking["total"]["minorUnits"] == offer["total"]["minorUnits"]


async def test_what_is_no_search_is_refused_and_nobody_watches_many(server: Server) -> None:
    ada, day = await somebody(server), in_days(27)
    assert await refused(server.url, PRICES, ada.token, search=search(day, "XXX")) == "UNKNOWN_AIRPORT"
    assert await refused(server.url, PRICES, ada.token, search=search(day, adults=0)) == "INVALID_INPUT"
    assert await refused(server.url, PRICES, ada.token, search=search(day), after="x") == "INVALID_CURSOR"
    async with AsyncExitStack() as stack:
        for _ in range(5):
            watcher = await stack.enter_async_context(streaming(server.url, PRICES, ada.token, search=search(day)))
            await watcher.next()
        assert await refused(server.url, PRICES, ada.token, search=search(day)) == "RATE_LIMITED"
