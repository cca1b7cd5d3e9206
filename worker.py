"""The background half of Jetway: `python -m worker`.

Runs the relay, the sweepers, the queue of jobs and the heartbeat that /readyz asks for. Several workers at once are
safe: one of them leads the relay, the others share the rest. SIGTERM or SIGINT lets jobs that have begun end, then ends
the process. With `--metrics-port` it serves its own /metrics on the loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import uvloop
from prometheus_client import Counter, start_http_server
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import text

from core import lifeline, loops
from core import log as logs
from core.db import Database, Session
from core.rows import Reader
from core.settings import Settings
from services import alerts, amendments, bookings, holds, jobs, payments, reconciliation, relay
from services.fraud import reviews, signals
from services.gateways import Gateways
from services.jobs import Entrypoint, Handler
from services.relay import Relay, Sink, ToValkey

SWEEP_SECONDS = 0.25
SWEEP_SIZE = 200
REVIVE_SECONDS = 60.0
TOMBSTONE_SECONDS = 10.0
TOMBSTONES = 1_000
PRUNE_SECONDS = 60.0
SIGNALS = 1_000
REVIEWS_SECONDS = 10.0
"""How often what waits for staff is measured."""
HEARTBEAT_SECONDS = 1.0
LAG_SECONDS = 2.0
RELAY_TIMEOUT = 2.0
"""Seconds after which Valkey counts as away."""

SWEPT = Counter("jetway_swept_total", "What sweepers wrote down or removed.", ["what"])

BEAT = text(
    "INSERT INTO heartbeats (name, beat_at) VALUES ('worker', clock_timestamp())"
    " ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at"
)

log = logs.logger("worker")


class Worker:
    """The loops of one worker process."""

    def __init__(self, settings: Settings, db: Database, redis: Redis, gateways: Gateways) -> None:
        self._settings = settings
        self._db = db
        self._gateways = gateways
        self._relay = Relay(settings.database_url, *sinks(settings, redis))
        self._broken_holds = holds.Broken()
        self._broken_bookings = bookings.Broken()
        self._looked_at = 0
        """The id up to which facts were looked at by `prune`."""

    async def run(self, stop: asyncio.Event) -> None:
        """Run every loop until `stop`."""
        steps: dict[str, loops.Step] = {
            "heartbeat": self.beat,
            "relay": lambda: self.until(self._relay.run(stop)),
            "jobs": lambda: self.until(jobs.consume(self._settings.database_url, self.handlers(), stop)),
            "holds": self.sweeper("holds", self.expire_due, SWEEP_SIZE, SWEEP_SECONDS, holds.any_due),
            "bookings": self.sweeper(
                "bookings", self.expire_abandoned, SWEEP_SIZE, SWEEP_SECONDS, bookings.any_abandoned
            ),
            "amendments": self.sweeper(
                "amendments", amendments.expire_due, SWEEP_SIZE, SWEEP_SECONDS, amendments.any_due
            ),
            "revived": self.sweeper("revived", bookings.revive, SWEEP_SIZE, REVIVE_SECONDS),
            "reconciler": self.reconciler,
            "tombstones": self.sweeper("tombstones", holds.sweep_tombstones, TOMBSTONES, TOMBSTONE_SECONDS),
            "facts": self.prune,
            "lag": self.lag,
            "signals": self.sweeper("signals", signals.prune, SIGNALS, PRUNE_SECONDS),
            "reviews": self.reviews,
        }
        async with asyncio.TaskGroup() as group:
            for name, step in steps.items():
                group.create_task(loops.forever(name, step, stop), name=name)

    async def until(self, running: Awaitable[None]) -> float:
        """A step that is a whole life: it returns when the worker stops, and is begun again when it raises."""
        await running
        return 0

    async def beat(self) -> float:
        """Say that a worker lives."""
        async with self._db.transaction() as session:
            await session.execute(BEAT)
        return HEARTBEAT_SECONDS

    async def expire_due(self, session: Session, limit: int) -> int:
        """Expire holds that are due, past those that could not be expired a moment ago."""
        return await holds.expire_due(session, limit, self._broken_holds)

    async def expire_abandoned(self, session: Session, limit: int) -> int:
        """Expire bookings that nobody paid in time, past those that could not be expired a moment ago."""
        return await bookings.expire_abandoned(session, limit, self._broken_bookings)

    def sweeper(
        self,
        what: str,
        sweep: Callable[[Session, int], Awaitable[int]],
        size: int,
        seconds: float,
        worthwhile: Callable[[Reader], Awaitable[bool]] | None = None,
    ) -> loops.Step:
        """A step that sweeps up to `size` at a time, without a pause while there is more.

        `worthwhile` looks whether there is anything, for a sweep that is often made and mostly finds nothing.
        """

        swept = SWEPT.labels(what)

        async def step() -> float:
            if worthwhile is not None and not await worthwhile(self._db.reader(primary=True)):
                return seconds
            async with self._db.transaction() as session:
                count = await sweep(session, size)
            swept.inc(count)
            return seconds if count < size else 0

        return step

    async def prune(self) -> float:
        """Remove facts that nobody can ask for any more, a window at a time."""
        async with self._db.transaction() as session:
            pruned = await relay.prune(session, self._looked_at)
        SWEPT.labels("facts").inc(pruned.removed)
        self._looked_at = max(self._looked_at, pruned.reached)
        return 1.0 if pruned.reached else PRUNE_SECONDS

    async def reconciler(self) -> float:
        """See to it that the job which walks gateways' lists is there."""
        async with self._db.transaction() as session:
            await jobs.reconcile(session, reconciliation.PERIOD)
        return REVIVE_SECONDS

    async def reviews(self) -> float:
        """Measure what waits for staff."""
        async with self._db.reading() as session:
            await reviews.gauge(session)
        return REVIEWS_SECONDS

    async def lag(self) -> float:
        """Measure how far the relay is behind."""
        async with self._db.reading() as session:
            await relay.lag(session)
        return LAG_SECONDS

    def handlers(self) -> dict[Entrypoint, Handler]:
        """What each kind of job does."""

        async def advance_booking(payload: dict[str, Any]) -> timedelta | None:
            return await bookings.advance(self._db, self._gateways, UUID(payload["booking_id"]))

        async def drop_payment(payload: dict[str, Any]) -> timedelta | None:
            payment_id, stray = UUID(payload["payment_id"]), payload.get("stray")
            return await bookings.drop(self._db, self._gateways, payment_id, stray)

        async def handle_webhook(payload: dict[str, Any]) -> None:
            await payments.handle_event(self._db, self._gateways, payload["gateway"], payload["event_id"])

        async def tell_passengers(payload: dict[str, Any]) -> None:
            while await self.told_some(UUID(payload["alert_id"])):
                pass

        async def reconcile(_: dict[str, Any]) -> timedelta:
            return await reconciliation.reconcile(self._db, self._gateways)

        async def finish_flight(payload: dict[str, Any]) -> None:
            last = await self.finished_some(int(payload["slot_id"]), None)
            while last is not None:
                last = await self.finished_some(int(payload["slot_id"]), last)

        return {
            Entrypoint.ADVANCE_BOOKING: advance_booking,
            Entrypoint.DROP_PAYMENT: drop_payment,
            Entrypoint.HANDLE_WEBHOOK: handle_webhook,
            Entrypoint.TELL_PASSENGERS: tell_passengers,
            Entrypoint.RECONCILE: reconcile,
            Entrypoint.FINISH_FLIGHT: finish_flight,
        }

    async def finished_some(self, slot_id: int, after: UUID | None) -> UUID | None:
        """Finish some bookings of a flight that has landed, behind `after`; the last of them while there is more."""
        async with self._db.transaction() as session:
            return await bookings.finish(session, slot_id, after)

    async def told_some(self, alert_id: UUID) -> bool:
        """Tell an alert to some of those it is for, in a transaction of their own; whether more may be left."""
        async with self._db.transaction() as session:
            return await alerts.tell(session, alert_id)


def sinks(settings: Settings, redis: Redis) -> list[Sink]:
    """To whom facts are told."""
    told: list[Sink] = [ToValkey(redis)]
    if settings.kafka_brokers:
        # Here, because most workers have no Kafka, and its client takes a while to load.
        from services.relay.kafka import ToKafka

        told.append(ToKafka(settings.kafka_brokers))
    return told


async def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    db = Database.from_settings(settings)
    redis = Redis.from_url(
        settings.redis_url,
        socket_timeout=RELAY_TIMEOUT,
        socket_connect_timeout=RELAY_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )
    gateways = Gateways.from_settings(settings)
    log.info("worker.begins")
    try:
        await Worker(settings, db, redis, gateways).run(stop)
    finally:
        await gateways.close()
        await redis.aclose()
        await db.close()
    log.info("worker.ended")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="worker", description="The background half of Jetway.")
    parser.add_argument("--metrics-port", type=int, help="serve /metrics on this port of the loopback")
    arguments = parser.parse_args()
    lifeline.watch()
    environment = Settings.from_env()
    logs.configure(environment.log_level)
    if arguments.metrics_port:
        start_http_server(arguments.metrics_port, addr="127.0.0.1")
    uvloop.run(main(environment))
