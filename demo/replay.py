"""Replays what happened in the demo's week in July 2013: `python -m demo.replay`, with DATABASE_URL.

Delays, gates, departures, landings, cancellations and diversions reach Jetway through the service that an operator's
feed would use. Time passes DEMO_SPEED times as fast as it does (default 60) until the replay is `AHEAD` of the clock on
the wall, and as fast as the wall's from then on, so that all later flights can be booked.

It keeps no record of its own: what was told is what the flights say, so it may be stopped and started at any moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from core import clock, lifeline, log
from core.db import Database
from core.errors import DomainError, Unavailable
from core.settings import asyncpg_url, read_positive, required
from demo.reference import places
from demo.schedule import Departure, moved, week_departures
from demo.timeline import Step, known_by, reached_by, timeline
from models import Flight, FlightStatus
from services import flights
from services.flights import FlightUpdate
from services.transitions import Cause

AHEAD = timedelta(hours=12)
BEFORE_DEPARTURE = timedelta(hours=5)
"""Longer before its departure nothing becomes known of a flight."""

AFTER_DEPARTURE = timedelta(hours=24)
"""Longer after its departure neither."""

AWAY = timedelta(days=90)
"""For how long the replay may have been stopped and still tell what was missed."""

ORIGINS = ("EWR", "JFK", "LGA")

SHORTEST_WAIT = 1.0
LONGEST_WAIT = 30.0
CAUSE = Cause(actor="demo.replay", reason="As it was in July 2013")
OVER = (FlightStatus.LANDED, FlightStatus.CANCELLED, FlightStatus.DIVERTED)

logger = log.logger("demo.replay")


@dataclass(frozen=True)
class ReplayClock:
    """Runs from `start`, when the wall's clock showed `began`, and `speed` times as fast; never past AHEAD of it."""

    start: datetime
    began: datetime
    speed: int

    def at(self, wall: datetime) -> datetime:
        """What it shows when the wall's clock shows `wall`."""
        return min(self.start + (wall - self.began) * self.speed, wall + AHEAD)

    def seconds_until(self, moment: datetime, wall: datetime) -> float:
        """How many of the wall's seconds pass, at least, until it shows `moment`."""
        return max((moment - self.at(wall)) / self.speed, moment - AHEAD - wall).total_seconds()


class Replay:
    """The week's departures, and the database in which they take place again."""

    def __init__(self, database: Database, week: Sequence[Departure], zones: dict[str, str]) -> None:
        self.database = database
        self.zones = zones
        self.week = {(one.airline, one.number, one.origin, one.day.weekday()): one for one in week}

    async def run(self, speed: int) -> None:
        """Tell everything as it becomes due. Ends only by being cancelled."""
        wall = clock.now()
        time = ReplayClock(start=await self.resume_at(wall), began=wall, speed=speed)
        logger.info("Replay", start=time.start.isoformat(), speed=speed)
        looking_back = AWAY
        while True:
            try:
                following = await self.tell_until(time.at(clock.now()), looking_back)
                looking_back = AFTER_DEPARTURE
                wait = LONGEST_WAIT if following is None else time.seconds_until(following, clock.now())
            except Unavailable as error:
                logger.warning("The database is away", error=str(error))
                wait = SHORTEST_WAIT
            await asyncio.sleep(min(max(wait, SHORTEST_WAIT), LONGEST_WAIT))

    async def resume_at(self, wall: datetime) -> datetime:
        """Where an earlier replay stopped, as far as the flights tell; the present where it is behind that."""
        async with self.database.reading() as session:
            newest = await session.execute(
                select(func.max(Flight.actual_departure_at), func.max(Flight.actual_arrival_at)).where(
                    Flight.origin_code.in_(ORIGINS), Flight.departs_at.between(wall - AFTER_DEPARTURE, wall + AHEAD)
                )
            )
        told = [moment for moment in newest.one() if moment is not None]
        return max(wall, min(max(told, default=wall), wall + AHEAD))

    async def tell_until(self, moment: datetime, looking_back: timedelta) -> datetime | None:
        """Bring every flight to what is known of it at `moment`; when the next thing becomes known, if any is near."""
        following: datetime | None = None
        for flight in await self.open_flights(moment - looking_back, moment + BEFORE_DEPARTURE):
            steps = self.steps(flight)
            update = known_by(steps, moment)
            if update is not None:
                await self.tell(flight, update)
            later = [step.at for step in steps if step.at > moment]
            if later and (following is None or later[0] < following):
                following = later[0]
        return following

    async def open_flights(self, start: datetime, end: datetime) -> list[Flight]:
        """The flights that leave between `start` and `end` and whose day is not over."""
        chosen = (
            select(Flight)
            .where(Flight.origin_code.in_(ORIGINS), Flight.departs_at.between(start, end), Flight.status.not_in(OVER))
            .order_by(Flight.departs_at)
        )
        async with self.database.reading() as session:
            return list(await session.scalars(chosen))

    def steps(self, flight: Flight) -> list[Step]:
        """What becomes known of the flight; nothing where it is not one of the week's."""
        real = self.week.get((flight.airline_code, flight.number, flight.origin_code, flight.local_date.weekday()))
        if real is None or real.destination != flight.destination_code:
            return []
        when = moved(real, flight.local_date, self.zones[real.origin])
        return timeline(real, when, flight.slot_id) if when.departs_at == flight.departs_at else []

    async def tell(self, flight: Flight, update: FlightUpdate) -> None:
        """Record what the flight does not say yet, each update in a transaction of its own."""
        for said in reached_by(flight.status, update):
            if flights.differences(flight, said):
                try:
                    async with self.database.transaction() as session:
                        await flights.record_update(session, said, CAUSE)
                except Unavailable:
                    raise
                except DomainError as error:
                    logger.warning("Refused", flight=flight.designator, slot=flight.slot_id, error=str(error))
                    return


async def main() -> None:
    """Replay until SIGTERM or SIGINT."""
    zones = {code: place.zone for code, place in places().items()}
    database = Database(asyncpg_url(required(os.environ, "DATABASE_URL")), pool_size=2)
    replay = Replay(database, week_departures(zones), zones)
    running = asyncio.create_task(replay.run(read_positive(os.environ, "DEMO_SPEED", 60)))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await database.close()


if __name__ == "__main__":
    lifeline.watch()
    log.configure(os.environ.get("LOG_LEVEL", "INFO").upper())
    asyncio.run(main())
