"""The airports that somebody who types a few letters may mean."""

from __future__ import annotations

import pytest

from core.db import Database
from models import Airport
from services import flights

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
        ("j\0", []),
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
