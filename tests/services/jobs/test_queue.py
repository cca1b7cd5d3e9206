"""A job exists exactly when its transaction does, runs, and is tried again when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Unavailable
from services import jobs
from services.jobs import Entrypoint, Handler
from tests.fakes.waiting import eventually

BOOKING = UUID("018f0000-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def without_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed jobs are tried again soon, and killed workers are found out soon."""
    monkeypatch.setattr(jobs, "FIRST_DELAY", timedelta(milliseconds=10))
    monkeypatch.setattr(jobs, "DEAD_AFTER", timedelta(seconds=1))
    monkeypatch.setattr(jobs, "LOOK_AGAIN", timedelta(milliseconds=200))
    monkeypatch.setattr(jobs, "MAX_ATTEMPTS", 2)


@asynccontextmanager
async def consuming(database_url: str, advance: Handler) -> AsyncIterator[None]:
    """A worker that runs jobs with this handler until the block ends."""
    stop = asyncio.Event()
    handlers = dict.fromkeys(Entrypoint, advance)
    task = asyncio.create_task(jobs.consume(database_url, handlers, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait((task,))


async def statuses(database: Database) -> list[str]:
    async with database.reading() as session:
        return list((await session.scalars(text("SELECT status::text FROM pgqueuer ORDER BY id"))).all())


async def enqueue(database: Database) -> None:
    async with database.transaction() as session:
        await jobs.advance_booking(session, BOOKING)


async def test_a_job_is_there_when_its_transaction_is_committed_and_not_before(database: Database) -> None:
    async with database.transaction() as session:
        await jobs.advance_booking(session, BOOKING)
        assert await statuses(database) == []
    assert await statuses(database) == ["queued"]


async def test_a_transaction_that_is_undone_leaves_no_job(database: Database) -> None:
    async with database.transaction() as session:
        await jobs.advance_booking(session, BOOKING)
        await session.rollback()
    assert await statuses(database) == []


async def test_jobs_run_once_each_with_their_payload(database: Database, database_url: str) -> None:
    seen: list[dict[str, Any]] = []

    async def handler(payload: dict[str, Any]) -> None:
        seen.append(payload)

    async def done() -> bool:
        return len(seen) >= 2 and await statuses(database) == []

    async with consuming(database_url, handler):
        await enqueue(database)
        async with database.transaction() as session:
            await jobs.handle_webhook(session, "stripe", "evt_1")
        await eventually(done)
    wanted = [{"booking_id": str(BOOKING)}, {"gateway": "stripe", "event_id": "evt_1"}]
    assert sorted(seen, key=str) == sorted(wanted, key=str)


async def test_a_job_that_fails_runs_again(database: Database, database_url: str) -> None:
    runs = 0

    async def handler(_: dict[str, Any]) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ConnectionError("the gateway hung up")

    async def done() -> bool:
        return runs > 1 and await statuses(database) == []

    async with consuming(database_url, handler):
        await enqueue(database)
        await eventually(done)
    assert runs == 2


async def test_what_is_away_is_asked_until_it_is_back(database: Database, database_url: str) -> None:
    runs = 0

    async def handler(_: dict[str, Any]) -> None:
        nonlocal runs
        runs += 1
        if runs <= jobs.MAX_ATTEMPTS + 2:
            raise Unavailable("the gateway is away")

    async def done() -> bool:
        return await statuses(database) == []

    async with consuming(database_url, handler):
        await enqueue(database)
        await eventually(done)
    assert runs == jobs.MAX_ATTEMPTS + 3


async def test_one_job_looks_after_a_booking_as_soon_as_anybody_asked(database: Database) -> None:
    async with database.transaction() as session:
        for minutes in (9, 2, 5):
            await jobs.look_after(session, BOOKING, timedelta(minutes=minutes))
    async with database.reading() as session:
        waits = await session.execute(text("SELECT execute_after - created FROM pgqueuer"))
        assert waits.scalars().all() == [timedelta(minutes=2)]


async def test_a_job_that_its_handler_postpones_runs_again_and_has_not_failed(
    database: Database, database_url: str
) -> None:
    runs = 0

    async def handler(_: dict[str, Any]) -> timedelta | None:
        nonlocal runs
        runs += 1
        return timedelta() if runs <= jobs.MAX_ATTEMPTS + 2 else None

    async def done() -> bool:
        return await statuses(database) == []

    async with consuming(database_url, handler):
        await enqueue(database)
        await eventually(done)
    assert runs == jobs.MAX_ATTEMPTS + 3


async def test_a_job_that_keeps_failing_is_held_for_a_person(database: Database, database_url: str) -> None:
    runs = 0

    async def handler(_: dict[str, Any]) -> None:
        nonlocal runs
        runs += 1
        raise ValueError("never works")

    async def held() -> bool:
        return await statuses(database) == ["failed"]

    async with consuming(database_url, handler):
        await enqueue(database)
        await eventually(held)
    assert runs == jobs.MAX_ATTEMPTS + 1


async def test_the_job_of_a_killed_worker_is_run_by_another(database: Database, database_url: str) -> None:
    done = asyncio.Event()

    async def handler(_: dict[str, Any]) -> None:
        done.set()

    await enqueue(database)
    picked = "UPDATE pgqueuer SET status = 'picked', queue_manager_id = :dead, heartbeat = now() - interval '1 minute'"
    async with database.transaction() as session:
        await session.execute(text(picked), {"dead": uuid4()})
    async with consuming(database_url, handler), asyncio.timeout(20):
        await done.wait()
    assert await statuses(database) == []


async def test_a_job_that_hangs_counts_as_failed(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LONGEST_RUN", 0.01)

    async def handler(_: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    async def held() -> bool:
        return await statuses(database) == ["failed"]

    async with consuming(database_url, handler):
        await enqueue(database)
        await eventually(held)


async def test_jobs_that_have_begun_end_before_the_worker_does(database: Database, database_url: str) -> None:
    begun, ended = asyncio.Event(), False

    async def handler(_: dict[str, Any]) -> None:
        nonlocal ended
        begun.set()
        await asyncio.sleep(0.2)
        ended = True

    async with consuming(database_url, handler):
        await enqueue(database)
        async with asyncio.timeout(20):
            await begun.wait()
    assert ended
    assert await statuses(database) == []
