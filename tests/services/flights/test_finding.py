"""Flights, airports, airlines and aircraft, as resolvers ask for them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.db import Database
from models import Airport
from services import flights
from tests.factories.schedules import Schedule

AIRPORTS = (
    ("JFK", "John F Kennedy International", "New York"),
    ("LGA", "La Guardia", "New York"),
    ("ORD", "Chicago O'Hare International", "Chicago"),
    ("DFW", "Dallas Fort Worth International", "Dallas-Fort Worth"),
    ("NEW", "Lakefront", "New Orleans"),
    ("CGN", "Köln Bonn", "Köln"),
    ("PCT", "100% Field", "Percent"),
)


@pytest.fixture
async def airports(database: Database) -> None:
    async with database.transaction() as session:
        session.add_all(
            Airport(iata_code=code, name=name, city=city, country="US", latitude=0, longitude=0, zone="UTC")
            for code, name, city in AIRPORTS
        )


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("jfk", ["JFK"]),
        ("new", ["NEW", "JFK", "LGA"]),
        (" New Y ", ["JFK", "LGA"]),
        ("john", ["JFK"]),
        ("kennedy", ["JFK"]),
        ("worth", ["DFW"]),
        ("KOLN", ["CGN"]),
        ("köl", ["CGN"]),
        ("o'h", ["ORD"]),
        ("%", []),
        ("100%", ["PCT"]),
        ("_", []),
        ("", []),
        ("   ", []),
        ("zzz", []),
    ],
)
@pytest.mark.usefixtures("airports")
async def test_airports_are_suggested_best_first(database: Database, text: str, codes: list[str]) -> None:
    async with database.reading() as session:
        found = await flights.airports_matching(session, text, 8)
    assert [airport.iata_code for airport in found] == codes


@pytest.mark.usefixtures("airports")
async def test_no_more_airports_are_suggested_than_asked_for(database: Database) -> None:
    async with database.reading() as session:
        found = await flights.airports_matching(session, "new", 1)
    assert [airport.iata_code for airport in found] == ["NEW"]


async def test_departures_begin_where_asked_and_go_by_time(database: Database, schedule: Schedule) -> None:
    async with database.reading() as session:
        both = await flights.departures(session, "JFK", schedule.departs_at, 30)
        later = await flights.departures(session, "JFK", schedule.departs_at + timedelta(seconds=1), 30)
        one = await flights.departures(session, "JFK", schedule.departs_at, 1)
        elsewhere = await flights.departures(session, "LAX", schedule.departs_at, 30)
    assert [flight.slot_id for flight in both] == [schedule.first, schedule.second]
    assert [flight.slot_id for flight in later] == [schedule.second]
    assert [flight.slot_id for flight in one] == [schedule.first]
    assert elsewhere == []


async def test_what_is_unknown_is_missing(database: Database, schedule: Schedule) -> None:
    async with database.reading() as session:
        by_id = await flights.flights_by_ids(session, [schedule.second, schedule.second + 1])
        airports = await flights.airports_by_codes(session, ["JFK", "JFK", "XXX"])
        airlines = await flights.airlines_by_codes(session, ["UA", "XX"])
        aircraft = await flights.aircraft_by_registrations(session, ["N1", "N2"])
    assert set(by_id) == {schedule.second}
    assert set(airports) == {"JFK"}
    assert set(airlines) == {"UA"}
    assert set(aircraft) == {"N1"}
