"""Whatever shoppers and staff do in whatever order, PostgreSQL says what a plain Python inventory says, at every step.

HOLD_WALKS=2000 takes so many walks, of random choices instead of always the same ones, and looks for the shortest way
to a fault that it finds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from hypothesis import Phase
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db import Database
from services.holds import blocking, expiry, requests
from tests.factories.schedules import Schedule
from tests.properties.shoppers import bounds, walk

WALKS = os.environ.get("HOLD_WALKS")
ALWAYS_THE_SAME: dict[str, Any] = {"derandomize": True, "database": None, "phases": [Phase.generate]}


def test_the_database_and_the_model_agree_after_every_step(database_url: str, schedule: Schedule) -> None:
    walk(database_url, schedule, bounds(int(WALKS), 40) if WALKS else bounds(12, 40, **ALWAYS_THE_SAME))


async def nothing(*_: object) -> None:
    """What a step does that somebody forgot."""


PYTHON: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "what expires stays in its pools": (expiry, "move_pools", nothing),
    "what is blocked is not counted": (blocking, "count", nothing),
    "a key stands for anything": (requests, "fingerprint", lambda *_: b""),
}
"""Guards of the services, each with what takes its place."""

SQL: dict[str, tuple[str, str, str]] = {
    "a pool sells one more than it may": ("take_holds", r"\bauthorised - ", "authorised + 1 - "),
    "a pool sells what staff have blocked": ("take_holds", r"authorised - (pools\.)?blocked", r"authorised"),
    "a class is never full": ("class_room", r"SELECT min\(", "SELECT 1000 + min("),
    "a hold is over a minute too early": ("take_holds", "expires_at <= v_now", "expires_at - interval '1m' <= v_now"),
}
"""Guards of the database: the function, what it says, and what it says instead."""

SEEN = (AssertionError, DBAPIError, asyncpg.PostgresError, RuntimeError)


def go(database_url: str, schedule: Schedule) -> None:
    """Walk until a fault is found."""
    walk(database_url, schedule, bounds(100, 40, report_multiple_bugs=False, **ALWAYS_THE_SAME))


@pytest.mark.parametrize("fault", PYTHON)
def test_a_guard_of_the_services_that_is_gone_is_missed(
    database_url: str, schedule: Schedule, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(*PYTHON[fault])
    with pytest.raises(SEEN):
        go(database_url, schedule)


@pytest.fixture(params=SQL)
async def unguarded(request: pytest.FixtureRequest, database: Database) -> None:
    """A database without one of its guards, and without the CHECK that stands behind it."""
    function, said, instead = SQL[request.param]
    async with database.transaction() as session:
        source = await session.scalar(text(f"SELECT pg_get_functiondef('{function}'::regproc)"))
        changed, times = re.subn(said, instead, str(source))
        assert times > 0
        connection = await session.connection()
        await connection.exec_driver_sql(changed)
        await connection.exec_driver_sql("ALTER TABLE pools DROP CONSTRAINT ck_pools_never_oversold")


@pytest.mark.usefixtures("unguarded")
def test_a_guard_of_the_database_that_is_gone_is_missed(database_url: str, schedule: Schedule) -> None:
    with pytest.raises(SEEN):
        go(database_url, schedule)
