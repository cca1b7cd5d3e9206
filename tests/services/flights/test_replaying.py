"""The replay: the real week's day brought to flights through the service, and found again after a stop."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import func, select

from core.db import Database
from demo.loader import Loader, week_flights
from demo.progress import Bar
from demo.reference import places
from demo.replay import AHEAD, AWAY, Replay
from demo.schedule import week_departures
from models import Fact, Flight, FlightStatus

MONDAY = date(2026, 11, 16)
MORNING = datetime(2026, 11, 18, 11, tzinfo=UTC)
SOME = 60


@pytest.fixture
async def replay(database: Database, database_url: str) -> Replay:
    """A replay over the flights of a Wednesday morning."""
    known = places()
    flights = [flight for flight in week_flights(known, MORNING, weeks=0) if flight.departs_at >= MORNING][:SOME]
    connection = await asyncpg.connect(database_url)
    await Loader(connection, known, MONDAY, MONDAY + timedelta(days=6)).load(flights, Bar("", SOME, io.StringIO()))
    await connection.close()
    zones = {code: place.zone for code, place in known.items()}
    return Replay(database, week_departures(zones), zones)


async def statuses(database: Database) -> dict[FlightStatus, int]:
    async with database.reading() as session:
        rows = await session.execute(select(Flight.status, func.count()).group_by(Flight.status))
        return {row[0]: row[1] for row in rows}


async def fact_count(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(Fact)) or 0


async def test_before_the_day_nothing_is_known(replay: Replay, database: Database) -> None:
    await replay.tell_until(MORNING - timedelta(hours=12), AWAY)
    assert await statuses(database) == {FlightStatus.SCHEDULED: SOME}
    assert await fact_count(database) == 0


async def test_after_the_day_every_flight_ended_as_it_did(replay: Replay, database: Database) -> None:
    await replay.tell_until(MORNING + timedelta(days=3), AWAY)
    async with database.reading() as session:
        for flight in await session.scalars(select(Flight)):
            real = replay.week[flight.airline_code, flight.number, flight.origin_code, flight.local_date.weekday()]
            if real.departure_delay is None:
                assert flight.status is FlightStatus.CANCELLED
            elif real.arrival_delay is None:
                assert flight.status is FlightStatus.DIVERTED
            else:
                assert flight.status is FlightStatus.LANDED
                assert flight.actual_departure_at == flight.departs_at + timedelta(minutes=real.departure_delay)
                assert flight.actual_arrival_at == flight.arrives_at + timedelta(minutes=real.arrival_delay)


async def test_what_was_told_is_not_told_again(replay: Replay, database: Database) -> None:
    noon = MORNING + timedelta(hours=1)
    await replay.tell_until(noon, AWAY)
    told = await fact_count(database)
    assert told > 0
    await replay.tell_until(noon, AWAY)
    assert await fact_count(database) == told


async def test_step_by_step_or_all_at_once_the_day_ends_the_same(replay: Replay, database: Database) -> None:
    for minutes in range(-180, 600, 20):
        await replay.tell_until(MORNING + timedelta(minutes=minutes), AWAY)
    by_steps = await statuses(database)
    await replay.tell_until(MORNING + timedelta(minutes=580), AWAY)
    assert await statuses(database) == by_steps


async def test_it_goes_on_where_it_stopped_and_never_too_far_ahead(replay: Replay) -> None:
    assert await replay.resume_at(MORNING) == MORNING
    await replay.tell_until(MORNING + timedelta(hours=2), AWAY)
    resumed = await replay.resume_at(MORNING)
    assert MORNING + timedelta(hours=1) < resumed <= MORNING + timedelta(hours=2)
    assert await replay.resume_at(resumed - AHEAD - timedelta(hours=1)) == resumed - timedelta(hours=1)
