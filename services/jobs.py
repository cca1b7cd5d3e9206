"""Background jobs: enqueued in the transaction that made them necessary, run by a worker, tried again when they fail.

The queue is pgqueuer's, in our own database: a job exists if and only if its transaction was committed. What a job does
is none of this file's business: the worker hands it the handlers, which are idempotent, because a job runs again when
its worker was killed. A job that has to wait is postponed by its handler and runs again: it never enqueues itself. One
that finds something away (`Unavailable`) is tried until that is back. Any other that keeps failing is held for a
person, never thrown away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from pgqueuer import AsyncpgDriver, Queries, RetryRequested
from pgqueuer.core.qm import QueueManager
from pgqueuer.executors import DatabaseRetryEntrypointExecutor
from pgqueuer.models import Job
from prometheus_client import Counter
from sqlalchemy import ColumnElement, Text, and_, cast, column, exists, select, table, text
from sqlalchemy.orm import InstrumentedAttribute

from core import direct
from core.errors import Unavailable
from core.journal import Book
from core.log import logger
from core.rows import Scribe

MAX_ATTEMPTS = 12
FIRST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(minutes=5)
DEAD_AFTER = timedelta(seconds=5)
"""A worker that has not renewed its claim on a job for so long is taken for dead, and the job is run by another."""

LOOK_AGAIN = timedelta(seconds=5)
"""Jobs announce themselves; this is for the announcement that got lost."""

LONGEST_RUN = 60.0
"""Seconds after which a run counts as failed: a job that hangs must keep neither its worker nor its booking."""

AT_ONCE = 20
"""Jobs that one worker runs at the same time."""

LOOKED_AFTER = "advance:"
"""What the key of the job behind a booking begins with; the booking's own follows."""

QUEUE = table("pgqueuer", column("dedupe_key", Text))
WAITS_OR_RUNS = "pgqueuer.status IN ('queued', 'picked')"
ENQUEUE = Book(
    "jobs",
    """INSERT INTO pgqueuer AS job (priority, status, entrypoint, payload, execute_after, dedupe_key)
    SELECT 0, 'queued', entrypoint, payload, now() + delay, key FROM (
        SELECT DISTINCT ON (coalesce(key, place::text)) entrypoint, payload, delay, key, place
        FROM unnest({}::text[], {}::bytea[], {}::interval[], {}::text[])
             WITH ORDINALITY AS wanted (entrypoint, payload, delay, key, place)
        ORDER BY coalesce(key, place::text), delay) AS soonest
    ORDER BY key NULLS FIRST, place
    ON CONFLICT (dedupe_key) WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL
    DO UPDATE SET execute_after = excluded.execute_after
        WHERE job.status = 'queued' AND job.execute_after > excluded.execute_after""",
)
"""One statement where pgqueuer's own takes two, of twice the work: it keeps a log of jobs that nobody reads. In the
order of their keys, so that two who hasten the same ones do not wait for each other in a circle."""

FORGET = Book(
    "jobs_forgotten",
    """DELETE FROM pgqueuer WHERE id IN (
        SELECT id FROM pgqueuer WHERE dedupe_key = ANY ({}::text[]) AND status = 'queued' FOR UPDATE SKIP LOCKED)""",
)

JOBS = Counter("jetway_jobs_total", "Runs of background jobs.", ["entrypoint", "outcome"])

log = logger("jobs")

Handler = Callable[[dict[str, Any]], Awaitable[timedelta | None]]
"""Does a job, given its payload; returns after how long it is to run again, None when it is done.

Idempotent; whatever it raises means: again, later.
"""


class Entrypoint(StrEnum):
    """Every kind of job, by the name that stands in the queue."""

    ADVANCE_BOOKING = "advance_booking"
    DROP_PAYMENT = "drop_payment"
    HANDLE_WEBHOOK = "handle_webhook"
    TELL_PASSENGERS = "tell_passengers"
    RECONCILE = "reconcile"
    FINISH_FLIGHT = "finish_flight"


async def advance_booking(scribe: Scribe, booking_id: UUID) -> None:
    """Have the booking's saga take its next step at once, whatever job is at work on it, once this is committed."""
    await enqueue(scribe, Entrypoint.ADVANCE_BOOKING, {"booking_id": str(booking_id)})


async def look_after(scribe: Scribe, booking_id: UUID, delay: timedelta) -> None:
    """Have a job stand behind the booking, and look at it after `delay` at the latest.

    A booking has one such job, however often it is asked for: one that waits already is brought forward.
    """
    key, payload = f"{LOOKED_AFTER}{booking_id}", {"booking_id": str(booking_id)}
    await enqueue(scribe, Entrypoint.ADVANCE_BOOKING, payload, delay, key)


async def forget(scribe: Scribe, booking_id: UUID) -> None:
    """Take away the job that stands behind a booking for which nothing is left to do, unless it has begun.

    It was there before this transaction, which asks for no other.
    """
    scribe.note(FORGET, f"{LOOKED_AFTER}{booking_id}")


async def drop_payment(scribe: Scribe, payment_id: UUID, delay: timedelta, stray: str | None = None) -> None:
    """Have whatever a gateway promised for a payment that is over called off, after `delay`.

    `stray` names another payment at the gateway that was made for the same one of ours: that is called off then.
    """
    payload = {"payment_id": str(payment_id)} | ({} if stray is None else {"stray": stray})
    await enqueue(scribe, Entrypoint.DROP_PAYMENT, payload, delay)


def looked_after(booking_id: ColumnElement[UUID] | InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """A condition: the job that stands behind that booking waits or runs."""
    waits_or_runs = and_(QUEUE.c.dedupe_key == LOOKED_AFTER + cast(booking_id, Text), text(WAITS_OR_RUNS))
    return exists(select(QUEUE.c.dedupe_key).where(waits_or_runs))


async def handle_webhook(scribe: Scribe, gateway: str, event_id: str) -> None:
    """Have a stored webhook event of `gateway` worked off, once this transaction is committed."""
    await enqueue(scribe, Entrypoint.HANDLE_WEBHOOK, {"gateway": gateway, "event_id": event_id})


async def tell_passengers(scribe: Scribe, alert_id: UUID) -> None:
    """Have an alert told to everybody booked on its flight, once this transaction is committed."""
    await enqueue(scribe, Entrypoint.TELL_PASSENGERS, {"alert_id": str(alert_id)})


async def finish_flight(scribe: Scribe, slot_id: int) -> None:
    """Have the bookings finished whose journey has ended with that flight, once this transaction is committed."""
    await enqueue(scribe, Entrypoint.FINISH_FLIGHT, {"slot_id": str(slot_id)})


async def reconcile(scribe: Scribe, delay: timedelta) -> None:
    """Have gateways' lists walked after `delay`, unless that is to be done anyway: there is one such job."""
    await enqueue(scribe, Entrypoint.RECONCILE, {}, delay, "reconcile")


async def enqueue(
    scribe: Scribe,
    entrypoint: Entrypoint,
    payload: Mapping[str, str],
    delay: timedelta = timedelta(),
    key: str | None = None,
) -> None:
    """Have a job written in a transaction. Of jobs with one key one waits or runs; one that waits is hastened."""
    scribe.note(ENQUEUE, entrypoint, orjson.dumps(payload), delay, key)


async def consume(database_url: str, handlers: Mapping[Entrypoint, Handler], stop: asyncio.Event) -> None:
    """Run jobs until `stop`, and then those that have begun to their end. Raises what the database raises.

    A failing job is tried again after 1, 2, 4 … 300 seconds, twelve times in all; then it is held with the status
    `failed`, and counted, for a person to look at. What a job finds away counts against nobody: it is tried until it
    is back.
    """
    connection = await direct.connect(database_url, "jetway-jobs")
    manager = QueueManager(Queries(AsyncpgDriver(connection)))
    # Not `stop` itself: pgqueuer sets its own when it finds its connection deaf, and then only it is to begin again.
    stopping = asyncio.create_task(pass_on(stop, manager.shutdown))
    try:
        for entrypoint in Entrypoint:
            register(manager, entrypoint, handlers[entrypoint])
        await manager.run(
            dequeue_timeout=LOOK_AGAIN,
            max_concurrent_tasks=AT_ONCE,
            heartbeat_timeout=DEAD_AFTER,
            shutdown_on_listener_failure=True,
        )
    finally:
        stopping.cancel()
        await connection.close(timeout=1)


async def pass_on(stop: asyncio.Event, shutdown: asyncio.Event) -> None:
    """Set `shutdown` once `stop` is set."""
    await stop.wait()
    shutdown.set()


def register(manager: QueueManager, entrypoint: Entrypoint, handler: Handler) -> None:
    """Have `manager` run jobs of that kind with `handler`."""

    async def run(job: Job) -> None:
        payload = orjson.loads(job.payload or b"{}")
        try:
            async with asyncio.timeout(LONGEST_RUN):
                again = await handler(payload)
        except Unavailable as error:
            JOBS.labels(entrypoint, "away").inc()
            log.warning("job.away", entrypoint=entrypoint, attempts=job.attempts, job_id=job.id, error=error.message)
            delay = min(FIRST_DELAY * 2 ** min(job.attempts, MAX_ATTEMPTS), LONGEST_DELAY)
            raise RetryRequested(delay) from error
        except Exception as error:
            last = job.attempts >= MAX_ATTEMPTS
            JOBS.labels(entrypoint, "held" if last else "failed").inc()
            log.error(
                "job.held" if last else "job.failed",
                entrypoint=entrypoint,
                attempts=job.attempts,
                job_id=job.id,
                payload=payload,
                exc_info=error,
            )
            raise
        if again is not None:
            JOBS.labels(entrypoint, "postponed").inc()
            raise RetryRequested(again)
        JOBS.labels(entrypoint, "done").inc()

    executor = partial(
        DatabaseRetryEntrypointExecutor,
        max_attempts=MAX_ATTEMPTS,
        initial_delay=FIRST_DELAY,
        max_delay=LONGEST_DELAY,
    )
    manager.entrypoint(str(entrypoint), on_failure="hold", accepts_context=False, executor_factory=executor)(run)
