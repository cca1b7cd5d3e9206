"""Search: everything that is sold on a day, once, in order; and what cannot be meant is refused by field."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core import clock
from core.db import Database
from core.errors import Invalid
from core.keys import Keyring
from core.money import Money
from core.paging import paginate
from models import Cabin
from resolvers.itineraries import SHAPE
from services import itineraries, offers
from services.itineraries import (
    Candidate,
    FlightFiltersInput,
    FlightSearchInput,
    OfferSort,
    PassengersInput,
    Priced,
    SliceInput,
)
from tests.factories.holds import everything, place
from tests.factories.schedules import Schedule

PARTY = PassengersInput(adults=1)


def asked(day: date, origin: str = "JFK", destination: str = "LAX", **changes: Any) -> FlightSearchInput:
    """A search for one adult, with `changes`."""
    slices = [SliceInput(origin=origin, destination=destination, date=day)]
    return dataclasses.replace(FlightSearchInput(slices=slices, passengers=PARTY), **changes)


async def search(database: Database, keyring: Keyring, command: FlightSearchInput) -> list[Priced]:
    async with database.reading() as session:
        found = await itineraries.search(session, command)
    return [one.offered(keyring, offers.expiry()) for one in found]


def said(found: Sequence[Priced]) -> list[tuple[str, str, int]]:
    """Flight, family and total of each offer, in order."""
    return [(one.slices[0].segments[0].flight.designator, one.fare_family.code, one.total.minor_units) for one in found]


async def change(database: Database, statement: str, **values: object) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement), values)


async def test_every_flight_in_every_family_of_the_cabin(
    database: Database, schedule: Schedule, keyring: Keyring
) -> None:
    found = await search(database, keyring, asked(schedule.day))
    assert said(found) == [
        ("UA1", "MAIN", 113_10),
        ("UA2", "MAIN", 113_10),
        ("UA1", "FLEX", 199_10),
        ("UA2", "FLEX", 199_10),
    ]
    assert said(await search(database, keyring, asked(schedule.day, cabin=Cabin.FIRST))) == [
        ("UA1", "FIRST", 543_10),
        ("UA2", "FIRST", 543_10),
    ]
    assert await search(database, keyring, asked(schedule.day, cabin=Cabin.BUSINESS)) == []


async def test_an_offer_tells_what_it_is(database: Database, schedule: Schedule, keyring: Keyring) -> None:
    first = (await search(database, keyring, asked(schedule.day)))[0]
    (journey,) = first.slices
    (segment,) = journey.segments
    assert (journey.origin.iata_code, journey.destination.iata_code, journey.stops) == ("JFK", "LAX", 0)
    assert (journey.departs_at, journey.duration_minutes) == (schedule.departs_at, 360)
    assert journey.departs_at.hour == 9
    assert journey.arrives_at.hour == 12
    assert (segment.cabin, segment.booking_class, first.seats_left) == (Cabin.ECONOMY, "M", 8)
    assert [(line.kind, line.amount) for line in first.lines] == [
        ("FARE", Money(100_00, "USD")),
        ("TAX", Money(7_50, "USD")),
        ("FEE", Money(5_60, "USD")),
    ]


async def test_the_price_is_the_whole_partys(database: Database, schedule: Schedule, keyring: Keyring) -> None:
    party = PassengersInput(adults=2, children=1, infants=1)
    first = (await search(database, keyring, asked(schedule.day, passengers=party)))[0]
    assert [line.amount.minor_units for line in first.lines] == [200_00, 75_00, 0, 20_63, 16_80]
    assert first.total == Money(312_43, "USD")


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (OfferSort.PRICE, ["UA1 MAIN", "UA2 MAIN", "UA1 FLEX", "UA2 FLEX"]),
        (OfferSort.DURATION, ["UA1 FLEX", "UA1 MAIN", "UA2 FLEX", "UA2 MAIN"]),
        (OfferSort.DEPARTURE, ["UA2 FLEX", "UA2 MAIN", "UA1 FLEX", "UA1 MAIN"]),
        (OfferSort.ARRIVAL, ["UA1 FLEX", "UA1 MAIN", "UA2 FLEX", "UA2 MAIN"]),
    ],
)
async def test_every_order_is_total(
    database: Database, schedule: Schedule, keyring: Keyring, sort: OfferSort, expected: list[str]
) -> None:
    """UA2 leaves an hour before UA1 and arrives an hour after it; equals are told apart by flight and family."""
    moved = "UPDATE flights SET departs_at = :departs, arrives_at = :arrives WHERE number = 2"
    departs, arrives = schedule.departs_at - timedelta(hours=1), schedule.departs_at + timedelta(hours=7)
    await change(database, moved, departs=departs, arrives=arrives)
    found = said(await search(database, keyring, asked(schedule.day, sort=sort)))
    assert [f"{flight} {family}" for flight, family, _ in found] == expected


async def test_what_is_full_closed_or_gone_is_left_out(
    database: Database, schedule: Schedule, keyring: Keyring
) -> None:
    await place(database, schedule.first, "2A", "2B", "2C", "2D", "3A", "3B")
    three, two = PassengersInput(adults=1, children=2), PassengersInput(adults=2, infants=2)
    assert {flight for flight, *_ in said(await search(database, keyring, asked(schedule.day, passengers=three)))} == {
        "UA2"
    }
    assert {one.seats_left for one in await search(database, keyring, asked(schedule.day, passengers=two))} == {2, 8}
    await change(database, "UPDATE slots SET status = 'CLOSED' WHERE id = :id", id=schedule.first)
    await change(database, "UPDATE slots SET starts_at = now() WHERE id = :id", id=schedule.second)
    assert await search(database, keyring, asked(schedule.day)) == []


async def test_a_day_or_a_direction_without_flights_is_empty(
    database: Database, schedule: Schedule, keyring: Keyring
) -> None:
    assert await search(database, keyring, asked(schedule.day - timedelta(days=1))) == []
    assert await search(database, keyring, asked(schedule.day, "LAX", "JFK")) == []


async def test_a_code_may_be_written_in_any_case(database: Database, schedule: Schedule, keyring: Keyring) -> None:
    assert len(await search(database, keyring, asked(schedule.day, " jfk", "Lax "))) == 4


async def test_a_search_writes_nothing(database: Database, schedule: Schedule, keyring: Keyring) -> None:
    before = await everything(database)
    await search(database, keyring, asked(schedule.day))
    assert await everything(database) == before


async def test_a_price_is_todays_however_often_it_was_asked_for(
    database: Database, schedule: Schedule, keyring: Keyring
) -> None:
    first = asked(schedule.day)
    assert {total for *_, total in said(await search(database, keyring, first))} == {113_10, 199_10}
    await change(database, "UPDATE fares SET amount = 200_00 WHERE family_code = 'MAIN'")
    await change(database, "UPDATE charges SET amount = 6_00 WHERE basis = 'PASSENGER'")
    assert {total for *_, total in said(await search(database, keyring, first))} == {221_00, 199_50}


async def test_a_reader_finds_what_a_session_finds(database: Database, schedule: Schedule, keyring: Keyring) -> None:
    found = await itineraries.search(database.reader(), asked(schedule.day))
    expires_at = offers.expiry()
    plain = [one.offered(keyring, expires_at) for one in found]
    assert said(plain) == said(await search(database, keyring, asked(schedule.day)))
    assert [(offers.read(keyring, one.id).total, offers.read(keyring, one.id).expires_at) for one in plain] == [
        (one.total, expires_at) for one in plain
    ]


@pytest.mark.parametrize("first", [1, 2, 3, 4, 100])
async def test_pages_never_overlap_and_leave_nothing_out(
    database: Database, schedule: Schedule, keyring: Keyring, first: int
) -> None:
    async with database.reading() as session:
        found = await itineraries.one_way(session, asked(schedule.day))
    seen: list[Candidate] = []
    after, more = None, True
    while more:
        page = paginate(found, lambda one: one.rank, first, after, SHAPE)
        seen += [edge.node for edge in page.edges]
        after, more = page.page_info.end_cursor, page.page_info.has_next_page
    assert seen == found


async def test_today_is_the_origins_day(
    database: Database, schedule: Schedule, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 05:30 UTC it is past midnight in New York, and still yesterday in Los Angeles."""
    late = datetime(schedule.day.year, schedule.day.month, schedule.day.day, 5, 30, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: late)
    yesterday = schedule.day - timedelta(days=1)
    assert len(await search(database, keyring, asked(schedule.day))) == 4
    assert await search(database, keyring, asked(yesterday, "LAX", "JFK")) == []
    with pytest.raises(Invalid, match="passed"):
        await search(database, keyring, asked(yesterday))


@pytest.mark.parametrize(
    ("party", "field"),
    [
        (PassengersInput(adults=0), "passengers"),
        (PassengersInput(adults=10), "passengers"),
        (PassengersInput(adults=5, children=5), "passengers"),
        (PassengersInput(adults=-1, children=2), "passengers"),
        (PassengersInput(adults=1, infants=-1), "passengers"),
        (PassengersInput(adults=1, infants=2), "passengers.infants"),
        (PassengersInput(adults=0, children=1, infants=1), "passengers.infants"),
    ],
)
async def test_a_party_that_cannot_travel(
    database: Database, schedule: Schedule, keyring: Keyring, party: PassengersInput, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await search(database, keyring, asked(schedule.day, passengers=party))
    assert (refusal.value.field, refusal.value.code) == (field, "INVALID_INPUT")


@pytest.mark.parametrize(
    ("origin", "destination", "days", "field", "code"),
    [
        ("XXX", "LAX", 0, "slices.0.origin", "UNKNOWN_AIRPORT"),
        ("", "LAX", 0, "slices.0.origin", "UNKNOWN_AIRPORT"),
        ("JFK", "LAXX", 0, "slices.0.destination", "UNKNOWN_AIRPORT"),
        ("JFK", "LAX\0", 0, "slices.0.destination", "UNKNOWN_AIRPORT"),
        ("JFK", "jfk", 0, "slices.0.destination", "INVALID_INPUT"),
        ("JFK", "LAX", -12, "slices.0.date", "INVALID_INPUT"),
        ("JFK", "LAX", 1, "slices.0.date", "BEYOND_SCHEDULE"),
    ],
)
async def test_a_slice_that_cannot_be_flown(
    database: Database,
    schedule: Schedule,
    keyring: Keyring,
    origin: str,
    destination: str,
    days: int,
    field: str,
    code: str,
) -> None:
    command = asked(schedule.day + timedelta(days=days), origin, destination)
    with pytest.raises(Invalid) as refusal:
        await search(database, keyring, command)
    assert (refusal.value.field, refusal.value.code) == (field, code)


async def test_stops_are_counted_from_none(database: Database, schedule: Schedule, keyring: Keyring) -> None:
    with pytest.raises(Invalid) as refusal:
        await search(database, keyring, asked(schedule.day, filters=FlightFiltersInput(max_stops=-1)))
    assert refusal.value.field == "filters.maxStops"
    for filters in (FlightFiltersInput(), FlightFiltersInput(max_stops=0), FlightFiltersInput(max_stops=2)):
        assert len(await search(database, keyring, asked(schedule.day, filters=filters))) == 4


async def test_without_a_schedule_every_date_lies_beyond_it(
    database: Database, schedule: Schedule, keyring: Keyring
) -> None:
    await change(database, "DELETE FROM flights")
    with pytest.raises(Invalid) as refusal:
        await search(database, keyring, asked(schedule.day))
    assert (refusal.value.code, refusal.value.message) == ("BEYOND_SCHEDULE", "No flights are on sale yet.")
