"""How the demo's schedule gets into PostgreSQL. Everything here adds what is missing and leaves what is there.

Flights come in by COPY into a temporary table and are spread over products, slots, flights and pools by one statement
each. Each function is one step of the caller's transaction.

Foreign keys are checked by joins, a batch at a time, and not by PostgreSQL, row by row, which takes twice as long as
all the rest: `fresh` holds only flights whose product, aircraft, layout, airports and airline are there, and a lock
keeps these from going away until the commit. Where the database's user may not choose so, PostgreSQL checks as always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import asyncpg
import orjson

from demo import extras, fares
from demo.fleet import Registered
from demo.layouts import Plan
from demo.reference import Carrier, Place
from models import STOCK


class Identity(NamedTuple):
    """What makes a flight the same one, whenever it leaves; the data know no suffixes."""

    airline: str
    number: int
    local_date: date
    origin: str


class Incoming(NamedTuple):
    """A dated flight, in the order of the columns of the temporary table `incoming`."""

    airline: str
    number: int
    origin: str
    destination: str
    local_date: date
    departs_at: datetime
    arrives_at: datetime
    registration: str

    @property
    def identity(self) -> Identity:
        """What makes it the same flight, whenever it leaves."""
        return Identity(self.airline, self.number, self.local_date, self.origin)


STAGING = """
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming (
        airline text COLLATE "C", number bigint, origin text COLLATE "C", destination text COLLATE "C", local_date date,
        departs_at timestamptz, arrives_at timestamptz, registration text COLLATE "C"
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fresh (
        LIKE incoming, slot_id bigint, product_id bigint, layout_id bigint, zone text
    ) ON COMMIT DELETE ROWS
"""

NEW_PRODUCTS = """
    INSERT INTO products (kind, code, name)
    SELECT DISTINCT 'FLIGHT', new.airline || new.number, airlines.name || ' ' || new.number
    FROM incoming new
    JOIN airlines ON airlines.iata_code = new.airline
    WHERE NOT EXISTS (
        SELECT FROM products known WHERE known.kind = 'FLIGHT' AND known.code = new.airline || new.number
    )
"""

FRESH = """
    INSERT INTO fresh
    SELECT
        new.*, nextval((SELECT pg_get_serial_sequence('slots', 'id'))::regclass),
        products.id, aircraft.layout_id, airports.zone
    FROM incoming new
    JOIN products ON products.kind = 'FLIGHT' AND products.code = new.airline || new.number
    JOIN aircraft ON aircraft.registration = new.registration
    JOIN airports ON airports.iata_code = new.origin
    JOIN airports destinations ON destinations.iata_code = new.destination
    JOIN airlines ON airlines.iata_code = new.airline
"""

KEEP_PARENTS = "LOCK TABLE products, aircraft, layouts, airports, airlines IN SHARE ROW EXCLUSIVE MODE"

# `origin` is PostgreSQL's own way, `replica` leaves the checking to us.
CHECK_KEYS = """
    SELECT set_config('session_replication_role', $1, true)
    WHERE has_parameter_privilege('session_replication_role', 'SET')
"""

NEW_SLOTS = """
    INSERT INTO slots (id, product_id, layout_id, starts_at, ends_at, zone)
    SELECT slot_id, product_id, layout_id, departs_at, arrives_at, zone FROM fresh
"""

NEW_FLIGHTS = """
    INSERT INTO flights (
        slot_id, airline_code, number, origin_code, destination_code, local_date, departs_at, arrives_at, registration
    )
    SELECT slot_id, airline, number, origin, destination, local_date, departs_at, arrives_at, registration FROM fresh
"""

# The fares of a route say in which order the classes of a cabin are nested, the dearest first; their families' shares
# say how much of it a class and those below it may fill. A cabin of few seats keeps one for each class.
NEW_POOLS = """
    INSERT INTO pools (slot_id, code, capacity, authorised, classes, class_limits, class_held, class_sold)
    SELECT
        fresh.slot_id, cabins.section, cabins.seats, cabins.seats, coalesce(nested.classes, '{}'),
        coalesce(ARRAY(
            SELECT CASE place WHEN 1 THEN cabins.seats ELSE ceil(cabins.seats * share / 10000.0) END
            FROM unnest(nested.shares) WITH ORDINALITY AS one (share, place) ORDER BY place
        ), '{}'),
        coalesce(nested.nothing, '{}'), coalesce(nested.nothing, '{}')
    FROM fresh
    JOIN (SELECT layout_id, section, count(*) AS seats FROM layout_units GROUP BY layout_id, section) cabins
        USING (layout_id)
    LEFT JOIN (
        SELECT
            origin_code, destination_code, cabin,
            array_agg(booking_class ORDER BY amount DESC, booking_class) AS classes,
            array_agg(share ORDER BY amount DESC, booking_class) AS shares,
            array_fill(0, ARRAY[count(*)::int]) AS nothing
        FROM (
            SELECT
                origin_code, destination_code, cabin, booking_class,
                max(amount) AS amount, max(booking_limit_basis_points) AS share
            FROM fares JOIN fare_families ON fare_families.code = fares.family_code
            GROUP BY origin_code, destination_code, cabin, booking_class
        ) AS classes
        GROUP BY origin_code, destination_code, cabin
    ) AS nested
        ON nested.origin_code = fresh.origin AND nested.destination_code = fresh.destination
        AND nested.cabin = cabins.section
"""

NEW_STOCK = """
    INSERT INTO pools (slot_id, code, capacity, authorised)
    SELECT fresh.slot_id, $1, ceil(aircraft.seats::numeric / $2), ceil(aircraft.seats::numeric / $2)
    FROM fresh JOIN aircraft ON aircraft.registration = fresh.registration
"""

STRETCH_FARE = """
    UPDATE fares SET valid_from = least(valid_from, $4), valid_until = greatest(valid_until, $5)
    WHERE origin_code = $1 AND destination_code = $2 AND family_code = $3 AND (valid_from > $4 OR valid_until < $5)
"""

NEW_FARE = """
    INSERT INTO fares (origin_code, destination_code, family_code, amount, currency, valid_from, valid_until)
    SELECT $1::varchar, $2::varchar, $3::varchar, $4, $5, $6, $7
    WHERE NOT EXISTS (
        SELECT FROM fares
        WHERE origin_code = $1::varchar AND destination_code = $2::varchar AND family_code = $3::varchar
    )
"""


async def known_flights(connection: asyncpg.Connection, first: date) -> set[Identity]:
    """The flights that are there from the local date `first` on. Those with a suffix are none of the data's."""
    rows = await connection.fetch(
        "SELECT airline_code, number, local_date, origin_code FROM flights WHERE local_date >= $1 AND suffix = ''",
        first,
    )
    return {Identity(*row) for row in rows}


async def write_flights(connection: asyncpg.Connection, flights: Sequence[Incoming]) -> None:
    """Write flights that are not there yet, each open for sale with all seats of its layout, and meals aboard.

    Their airports, airlines and aircraft are there; raises LookupError where one is not.
    """
    await connection.execute(STAGING)
    await connection.copy_records_to_table("incoming", records=flights)
    # Whole batches are joined with whole tables, and the planner's figures may date from before the last batch.
    await connection.execute("SET LOCAL enable_nestloop = off")
    await connection.execute(NEW_PRODUCTS)
    await connection.execute(KEEP_PARENTS)
    tag = await connection.execute(FRESH)
    if tag != f"INSERT 0 {len(flights)}":
        raise LookupError(f"Of {len(flights)} flights some have no airport, airline or aircraft: {tag}")
    await connection.execute(CHECK_KEYS, "replica")
    for statement in (NEW_SLOTS, NEW_FLIGHTS, NEW_POOLS):
        await connection.execute(statement)
    for item in extras.CATALOGUE:
        if item.per_seats is not None:
            await connection.execute(NEW_STOCK, STOCK + item.code, item.per_seats)
    await connection.execute(CHECK_KEYS, "origin")


async def write_carriers(connection: asyncpg.Connection, carriers: Iterable[Carrier]) -> None:
    """Write the airlines that are missing."""
    await connection.executemany(
        "INSERT INTO airlines (iata_code, name, accounting_code) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(carrier.code, carrier.name, carrier.accounting_code) for carrier in carriers],
    )


async def write_extras(connection: asyncpg.Connection, carriers: Iterable[Carrier]) -> None:
    """Write what the airlines sell beside the seat, where it is missing. Whatever staff have changed stays."""
    codes = [carrier.code for carrier in carriers]
    for item in extras.CATALOGUE:
        await connection.execute(
            "INSERT INTO extras (airline_code, code, kind, name, scope, max_per_passenger, closes_hours, refundable,"
            " infants, stocked) SELECT airline, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM unnest($1::text[]) AS airline"
            " ON CONFLICT DO NOTHING",
            codes,
            item.code,
            item.kind,
            item.name,
            item.scope,
            item.most,
            item.closes_hours,
            item.refundable,
            item.infants,
            item.per_seats is not None,
        )
        await connection.execute(
            "INSERT INTO extra_prices (extra_id, currency, amount) SELECT id, $2, $3 FROM extras WHERE code = $1"
            " AND NOT EXISTS (SELECT FROM extra_prices WHERE extra_id = extras.id) ON CONFLICT DO NOTHING",
            item.code,
            extras.CURRENCY,
            item.amount,
        )


async def write_airports(connection: asyncpg.Connection, places: Iterable[Place]) -> None:
    """Write the airports that are missing."""
    await connection.executemany(
        "INSERT INTO airports (iata_code, name, city, country, latitude, longitude, zone)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        [
            (place.code, place.name, place.city, place.country, place.latitude, place.longitude, place.zone)
            for place in places
        ],
    )


async def write_aircraft(connection: asyncpg.Connection, fleet: Mapping[Registered, Plan]) -> None:
    """Write the aircraft that are missing, and the layouts that they are the first to have."""
    for plan in sorted(set(fleet.values()), key=lambda plan: plan.code):
        await write_layout(connection, plan)
    await connection.executemany(
        "INSERT INTO aircraft (registration, manufacturer, name, seats, layout_id)"
        " SELECT $1, $2, $3, $4, id FROM layouts WHERE code = $5 ON CONFLICT DO NOTHING",
        [
            (known.registration, known.airframe.maker, known.airframe.name, known.airframe.seats, plan.code)
            for known, plan in fleet.items()
        ],
    )


async def write_layout(connection: asyncpg.Connection, plan: Plan) -> None:
    """Write a layout with its seats, unless there is one of its code: layouts in use never change."""
    layout_id = await connection.fetchval(
        "INSERT INTO layouts (code, sections) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id",
        plan.code,
        orjson.dumps(plan.sections).decode(),
    )
    if layout_id is None:
        return
    await connection.copy_records_to_table(
        "layout_units",
        columns=[
            "layout_id",
            "unit",
            "section",
            "row_number",
            "column_letter",
            "position",
            "exit_row",
            "extra_legroom",
            "accessible",
        ],
        records=[(layout_id, *unit) for unit in plan.units],
    )


async def write_tariff(connection: asyncpg.Connection) -> None:
    """Write the fare families, the taxes and fees, and what seats cost, where they are missing."""
    await connection.executemany(
        "INSERT INTO fare_families (code, name, cabin, booking_class, refundable, changeable, checked_bags,"
        " cancellation_fee, change_fee, currency, child_basis_points, infant_basis_points, booking_limit_basis_points)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
        [
            (
                family.code,
                family.name,
                family.cabin,
                family.booking_class,
                family.refundable,
                family.changeable,
                family.checked_bags,
                family.cancellation_fee,
                family.change_fee,
                fares.CURRENCY,
                family.child_basis_points,
                family.infant_basis_points,
                family.booking_limit,
            )
            for family in fares.FAMILIES
        ],
    )
    await connection.executemany(
        "INSERT INTO charges (code, label, kind, basis, basis_points, amount, currency)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        [
            (added.code, added.label, added.kind, added.basis, added.basis_points, added.amount, fares.CURRENCY)
            for added in fares.CHARGES
        ],
    )
    await connection.executemany(
        "INSERT INTO seat_charges (cabin, extra_legroom, currency) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(cabin, amount, fares.CURRENCY) for cabin, amount in fares.EXTRA_LEGROOM.items()],
    )


async def write_fares(
    connection: asyncpg.Connection, routes: Iterable[tuple[Place, Place]], first: date, last: date
) -> None:
    """See to it that every fare of these routes is in force from `first` to `last` at least."""
    rows = [
        (origin.code, destination.code, family.code, fares.fare(origin, destination, family), fares.CURRENCY)
        for origin, destination in routes
        for family in fares.FAMILIES
    ]
    await connection.executemany(STRETCH_FARE, [(*row[:3], first, last) for row in rows])
    await connection.executemany(NEW_FARE, [(*row, first, last) for row in rows])


async def analyze(connection: asyncpg.Connection) -> None:
    """Tell the planner what the tables now look like; it would find out by itself, but not before the first search."""
    await connection.execute("ANALYZE products, slots, pools, layouts, layout_units, flights, fares")
