"""Writes the real schedule to PostgreSQL: `python -m demo.loader [--year] [--weeks N]`, into DATABASE_URL.

Without `--year` it is the demo's week, laid over the present week from now on and over the N weeks after it; with it,
all 336,776 departures of 2013 as those of the coming year. A flight is known by airline, number, suffix, local date
and board point: what is there stays as it is and only what is missing is written. So the loader runs at every start,
and what a killed run had not yet written the next one does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice

import asyncpg

from core import clock, lifeline
from core.settings import required
from demo import store
from demo.fleet import aircraft_of
from demo.layouts import plan
from demo.progress import Bar
from demo.reference import Place, carriers, places
from demo.schedule import (
    NEW_YORK,
    YEAR,
    YEAR_TOTAL,
    Departure,
    moved,
    week_departures,
    week_start,
    year_departures,
    year_shift,
)
from demo.store import Incoming

LOADER_LOCK = 7_403_122_020
"""An arbitrary key, not the relay's: whoever holds this advisory lock loads."""

WEEKS_AHEAD = 5
BATCH = 20_000
RECENT = timedelta(hours=6)
"""How long ago a flight may have left to be worth loading: enough for a board that is full at once."""


def week_flights(places: Mapping[str, Place], now: datetime, weeks: int) -> list[Incoming]:
    """The demo's week over the present week and `weeks` more, but for what left more than `RECENT` before `now`."""
    zones = {code: place.zone for code, place in places.items()}
    monday = week_start(now.astimezone(NEW_YORK).date())
    real = week_departures(zones)
    flights = (
        incoming(departure, monday + timedelta(weeks=week, days=departure.day.weekday()), zones)
        for week in range(weeks + 1)
        for departure in real
    )
    return [flight for flight in flights if flight.departs_at >= now - RECENT]


def year_flights(places: Mapping[str, Place], shift: timedelta) -> Iterator[Incoming]:
    """Every departure of 2013, later by `shift`."""
    zones = {code: place.zone for code, place in places.items()}
    return (incoming(departure, departure.day + shift, zones) for departure in year_departures(zones))


def incoming(departure: Departure, day: date, zones: Mapping[str, str]) -> Incoming:
    """A departure of the data as a flight on `day`."""
    when = moved(departure, day, zones[departure.origin])
    return Incoming(
        departure.airline,
        departure.number,
        departure.origin,
        departure.destination,
        day,
        when.departs_at,
        when.arrives_at,
        aircraft_of(departure.airline, departure.tail_number).registration,
    )


def next_batch(flights: Iterator[Incoming]) -> list[Incoming]:
    """The next flights to be written together; none at the end."""
    return list(islice(flights, BATCH))


class Loader:
    """One run over one connection. Every flight's local date lies from `first` to `last`, and so will its fares."""

    def __init__(self, connection: asyncpg.Connection, places: Mapping[str, Place], first: date, last: date) -> None:
        self.connection = connection
        self.places = places
        self.first = first
        self.last = last
        # What this run has seen to already.
        self.routes: set[tuple[str, str]] = set()
        self.registrations: set[str] = set()

    async def load(self, flights: Iterable[Incoming], bar: Bar) -> int:
        """Write the flights that are missing and all that they need; how many were."""
        async with self.connection.transaction():
            await store.write_carriers(self.connection, carriers())
            await store.write_extras(self.connection, carriers())
            await store.write_tariff(self.connection)
        known = await store.known_flights(self.connection, self.first)
        written = 0
        waiting = iter(flights)
        batch = next_batch(waiting)
        while batch:
            # The next batch is read while PostgreSQL works on this one.
            following = asyncio.create_task(asyncio.to_thread(next_batch, waiting))
            if missing := [flight for flight in batch if flight.identity not in known]:
                await self.write(missing)
            written += len(missing)
            bar.advance(len(batch))
            batch = await following
        if written:
            await store.analyze(self.connection)
        return written

    async def write(self, flights: Sequence[Incoming]) -> None:
        """Write these flights and what they need, or nothing at all."""
        async with self.connection.transaction():
            await self.write_routes({(flight.origin, flight.destination) for flight in flights} - self.routes)
            await self.write_fleet({(flight.airline, flight.registration) for flight in flights})
            await store.write_flights(self.connection, flights)

    async def write_routes(self, routes: set[tuple[str, str]]) -> None:
        """The airports and the fares of routes."""
        codes = sorted({code for route in routes for code in route})
        await store.write_airports(self.connection, [self.places[code] for code in codes])
        between = [(self.places[origin], self.places[there]) for origin, there in sorted(routes)]
        await store.write_fares(self.connection, between, self.first, self.last)
        self.routes |= routes

    async def write_fleet(self, flown: set[tuple[str, str]]) -> None:
        """The aircraft that fly for airlines under these registrations, with their layouts."""
        new = sorted(flight for flight in flown if flight[1] not in self.registrations)
        fleet = {aircraft_of(airline, registration): airline for airline, registration in new}
        await store.write_aircraft(
            self.connection,
            {known: plan(known.airframe.family, known.airframe.seats, airline) for known, airline in fleet.items()},
        )
        self.registrations |= {registration for _, registration in new}


async def run(arguments: argparse.Namespace, url: str) -> None:
    """Load into the database at `url`, alone; a second loader waits and finds nothing to do."""
    known = places()
    now = clock.now()
    today = now.astimezone(NEW_YORK).date()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOADER_LOCK)
        if arguments.year:
            shift = year_shift(today)
            loader = Loader(connection, known, date(YEAR, 1, 1) + shift, date(YEAR, 12, 31) + shift)
            bar = Bar("flights", YEAR_TOTAL)
            written = await loader.load(year_flights(known, shift), bar)
        else:
            monday = week_start(today)
            loader = Loader(connection, known, monday, monday + timedelta(weeks=arguments.weeks, days=6))
            flights = week_flights(known, now, arguments.weeks)
            bar = Bar("flights", len(flights))
            written = await loader.load(flights, bar)
        bar.finish()
        print(f"{written:,} flights written, {bar.done - written:,} were there already.", file=sys.stderr)
    finally:
        await connection.close()


def main() -> None:
    """Read the command line, load, and end."""
    parser = argparse.ArgumentParser(prog="python -m demo.loader", description="Load the real schedule.")
    parser.add_argument("--year", action="store_true", help="all of 2013 as the coming year, instead of the week")
    parser.add_argument("--weeks", type=int, default=WEEKS_AHEAD, help="weeks after the present one (default: 5)")
    lifeline.watch()
    asyncio.run(run(parser.parse_args(), required(os.environ, "DATABASE_URL")))


if __name__ == "__main__":
    main()
