"""Databases in which the small schedule stands already: to write it anew costs each test more than most tests take."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from core.db import Database
from core.settings import asyncpg_url
from tests.factories.schedules import Schedule, day_of, write_schedule
from tests.fakes.shelves import Shelf


@dataclass(frozen=True)
class Place:
    """The address of a database that is one test's alone, and the schedule in it."""

    url: str
    schedule: Schedule | None = None


class Furnished:
    """Shelves of databases with a schedule, made from copies of those of `bare`: one for each day of departure."""

    def __init__(self, bare: Shelf) -> None:
        self._bare = bare
        self._shelves: dict[date, tuple[Shelf, Schedule]] = {}

    @asynccontextmanager
    async def place(self, days_ahead: int | None) -> AsyncIterator[Place]:
        """A database with flights that leave in so many days; without a schedule for None."""
        if days_ahead is None:
            async with self._bare.database() as url:
                yield Place(url)
            return
        day = day_of(days_ahead)
        if day not in self._shelves:
            self._shelves[day] = await self._written(days_ahead)
        shelf, schedule = self._shelves[day]
        async with shelf.database() as url:
            yield Place(url, schedule)

    async def _written(self, days_ahead: int) -> tuple[Shelf, Schedule]:
        template = self._bare.address(await self._bare.copied())
        database = Database(asyncpg_url(template))
        schedule = await write_schedule(database, days_ahead=days_ahead)
        await database.close()
        return Shelf(template), schedule
