"""The demo's loader: the real week in a real database, once."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from demo.loader import Loader, week_flights
from demo.progress import Bar
from demo.reference import places
from demo.store import Incoming

MONDAY = date(2026, 11, 16)
SATURDAY_NOON = datetime(2026, 11, 21, 17, tzinfo=UTC)

BROKEN = {
    "every seat is in a pool": """
        SELECT count(*) FROM slots
        WHERE (SELECT sum(authorised) FROM pools WHERE slot_id = slots.id AND classes <> '{}')
        IS DISTINCT FROM (SELECT count(*) FROM layout_units WHERE layout_id = slots.layout_id)""",
    "a cabin has its seats, all of them authorised": """
        SELECT count(*) FROM (SELECT * FROM pools WHERE classes <> '{}') AS pools JOIN slots ON slots.id = slot_id
        WHERE authorised <> capacity OR capacity <> (
            SELECT count(*) FROM layout_units WHERE layout_id = slots.layout_id AND section = pools.code)""",
    "the dearest booking class comes first and may have all": """
        SELECT count(*) FROM (SELECT * FROM pools WHERE classes <> '{}') AS pools JOIN flights USING (slot_id)
        WHERE class_limits[1] <> authorised OR classes IS DISTINCT FROM (
            SELECT array_agg(booking_class ORDER BY amount DESC)
            FROM fares JOIN fare_families ON fare_families.code = family_code
            WHERE cabin = pools.code AND fares.origin_code = flights.origin_code
            AND fares.destination_code = flights.destination_code)""",
    "a lower class never has more than a higher one, and at least a seat": """
        SELECT count(*) FROM (SELECT * FROM pools WHERE classes <> '{}') AS pools
        WHERE 1 > ANY (class_limits) OR EXISTS (
            SELECT FROM generate_series(2, cardinality(classes)) AS place
            WHERE class_limits[place] > class_limits[place - 1])""",
    "a layout has its aircraft's seats": """
        SELECT count(*) FROM aircraft
        WHERE seats <> (SELECT count(*) FROM layout_units WHERE layout_id = aircraft.layout_id)""",
    "a flight is its slot, with its airline and its aircraft's layout": """
        SELECT count(*) FROM flights
        LEFT JOIN slots ON slots.id = slot_id
        LEFT JOIN airlines ON iata_code = airline_code
        LEFT JOIN aircraft USING (registration)
        WHERE slots.starts_at IS DISTINCT FROM departs_at OR slots.ends_at IS DISTINCT FROM arrives_at
        OR slots.layout_id IS DISTINCT FROM aircraft.layout_id OR airlines.iata_code IS NULL""",
    "the local date is the origin's": """
        SELECT count(*) FROM flights WHERE (departs_at AT TIME ZONE 'America/New_York')::date <> local_date""",
    "every cabin of every flight has a fare": """
        SELECT count(*) FROM (SELECT * FROM pools WHERE classes <> '{}') AS pools
        JOIN flights USING (slot_id)
        WHERE NOT EXISTS (
            SELECT FROM fares JOIN fare_families ON fare_families.code = family_code
            WHERE cabin = pools.code AND fares.origin_code = flights.origin_code
            AND fares.destination_code = flights.destination_code AND local_date BETWEEN valid_from AND valid_until
        )""",
    "a product is a flight number": """
        SELECT count(*) FROM products
        WHERE NOT EXISTS (
            SELECT FROM slots JOIN flights ON slots.id = slot_id
            WHERE product_id = products.id AND airline_code || number = products.code
        )""",
}
"""What would be wrong if its query counted anything."""


def flights(now: datetime) -> list[Incoming]:
    return week_flights(places(), now, weeks=1)


async def load(url: str, now: datetime) -> int:
    connection = await asyncpg.connect(url)
    try:
        loader = Loader(connection, places(), MONDAY, MONDAY + timedelta(days=13))
        return await loader.load(flights(now), Bar("flights", 1, io.StringIO()))
    finally:
        await connection.close()


@pytest.fixture
async def loaded(database_url: str) -> str:
    await load(database_url, SATURDAY_NOON)
    return database_url


async def value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_second_run_writes_nothing(loaded: str) -> None:
    assert await load(loaded, SATURDAY_NOON) == 0
    assert await value(loaded, "SELECT count(*) FROM flights") == len(flights(SATURDAY_NOON))


async def test_a_later_run_adds_what_is_missing_only(loaded: str) -> None:
    earlier = datetime(2026, 11, 21, 11, tzinfo=UTC)
    missing = len(flights(earlier)) - len(flights(SATURDAY_NOON))
    assert missing > 0
    assert await load(loaded, earlier) == missing


async def test_only_what_left_lately_or_has_not_left_is_loaded(loaded: str) -> None:
    assert await value(loaded, "SELECT min(departs_at) FROM flights") == SATURDAY_NOON - timedelta(hours=6)
    assert await value(loaded, "SELECT max(local_date) FROM flights") == MONDAY + timedelta(days=13)


async def test_nothing_of_what_must_hold_is_broken(loaded: str) -> None:
    assert {name: await value(loaded, query) for name, query in BROKEN.items()} == dict.fromkeys(BROKEN, 0)


async def test_without_the_right_to_skip_checks_postgresql_checks(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "CREATE ROLE plain_loader; GRANT ALL ON ALL TABLES IN SCHEMA public TO plain_loader;"
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO plain_loader; SET ROLE plain_loader"
        )
        loader = Loader(connection, places(), MONDAY, MONDAY + timedelta(days=13))
        some = flights(SATURDAY_NOON)[:500]
        assert await loader.load(some, Bar("flights", 500, io.StringIO())) == 500
        assert await connection.fetchval("SELECT count(*) FROM flights") == 500
    finally:
        await connection.execute("RESET ROLE; DROP OWNED BY plain_loader; DROP ROLE plain_loader")
        await connection.close()
