"""The real schedule: departures read from the data, and moved to other dates."""

from datetime import UTC, date, datetime, timedelta

import pytest

from demo.reference import places
from demo.schedule import (
    WEEK,
    YEAR_TOTAL,
    Departure,
    block_minutes,
    clock_minutes,
    moved,
    week_departures,
    week_start,
    year_departures,
    year_shift,
)

NEW_YORK = "America/New_York"
JULY = date(2013, 7, 8)


@pytest.fixture(scope="module")
def zones() -> dict[str, str]:
    return {code: place.zone for code, place in places().items()}


@pytest.fixture(scope="module")
def week(zones: dict[str, str]) -> list[Departure]:
    return week_departures(zones)


def one(week: list[Departure], designator: str) -> Departure:
    """The first departure of the week with that designator."""
    return next(flight for flight in week if f"{flight.airline}{flight.number}" == designator)


def test_the_week_is_a_whole_one(week: list[Departure]) -> None:
    days = [flight.day for flight in week]
    assert [days.count(day) for day in WEEK] == [1004, 1001, 1004, 1006, 1002, 811, 931]
    assert WEEK[0].weekday() == 0
    assert sum(flight.cancelled for flight in week) == 298


def test_every_flight_of_the_year_is_read_and_is_the_only_one_of_its_identity(zones: dict[str, str]) -> None:
    year = list(year_departures(zones))
    assert len(year) == YEAR_TOTAL
    assert len({(flight.airline, flight.number, flight.day, flight.origin) for flight in year}) == YEAR_TOTAL


@pytest.mark.parametrize(
    ("leaves", "arrives", "zone_there", "miles", "minutes"),
    [
        pytest.param("600", "836", "America/Phoenix", 2133, 336, id="Arizona keeps standard time"),
        pytest.param("1000", "1430", "Pacific/Honolulu", 4983, 630, id="Hawaii is six hours behind in summer"),
        pytest.param("2359", "348", "America/Puerto_Rico", 1598, 229, id="Puerto Rico has New York's summer time"),
        pytest.param("2130", "2400", NEW_YORK, 944, 150, id="2400 is the end of the day"),
    ],
)
def test_a_block_is_reckoned_in_the_zones_of_both_ends(
    leaves: str, arrives: str, zone_there: str, miles: float, minutes: int
) -> None:
    block = block_minutes(JULY, clock_minutes(leaves), NEW_YORK, clock_minutes(arrives), zone_there, miles)
    assert block == minutes


def test_a_block_counts_the_hour_that_a_night_of_changing_clocks_has_more() -> None:
    day = date(2013, 11, 3)
    assert block_minutes(day, clock_minutes("30"), NEW_YORK, clock_minutes("230"), NEW_YORK, 944) == 180


def test_times_that_cannot_be_true_have_no_block() -> None:
    assert block_minutes(JULY, clock_minutes("600"), NEW_YORK, clock_minutes("610"), "America/Los_Angeles", 187) is None


def test_a_moved_flight_keeps_its_local_time_and_its_block(week: list[Departure]) -> None:
    honolulu = one(week, "HA51")
    when = moved(honolulu, date(2026, 12, 21), NEW_YORK)
    assert when.departs_at == datetime(2026, 12, 21, 15, 0, tzinfo=UTC)
    assert when.arrives_at - when.departs_at == timedelta(minutes=630)


def test_delays_are_those_of_the_data(week: list[Departure]) -> None:
    delayed = one(week, "DL1729")
    assert (delayed.departure_delay, delayed.arrival_delay, delayed.air_time) == (167, 137, 279)
    assert not delayed.cancelled
    assert not delayed.diverted


def test_the_week_starts_on_monday() -> None:
    assert week_start(date(2026, 11, 21)) == date(2026, 11, 16)
    assert week_start(date(2026, 11, 16)) == date(2026, 11, 16)


@pytest.mark.parametrize("year", range(2026, 2040))
def test_the_year_is_moved_by_whole_weeks_to_the_coming_one(year: int) -> None:
    first = date(2013, 1, 1) + year_shift(date(year, 6, 1))
    assert first.weekday() == date(2013, 1, 1).weekday()
    assert abs(first - date(year + 1, 1, 1)) <= timedelta(days=3)
