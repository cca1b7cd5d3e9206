"""Webhooks that come at the same time and are no news are stored by one statement, and each is told its own answer."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from core import clock, gathering
from core.db import Database
from models import PaymentStatus
from services import payments
from services.gateways import Gateways
from services.payments import FILING, Told
from tests.factories.bookings import Desk
from tests.fakes.sandbox import Sandbox
from tests.fakes.waiting import eventually
from tests.services.payments.test_webhooks import confirmed, jobs, signed

STORED = "SELECT event_id, handled_at IS NOT NULL FROM webhook_events ORDER BY event_id"
STATEMENTS = "SELECT count(DISTINCT xmin::text) FROM webhook_events"


def stranger(event_id: str) -> dict[str, Any]:
    """An event about nobody of ours."""
    about = {"id": "pi_x", "object": "payment_intent"}
    return {"id": event_id, "object": "event", "type": "payment_intent.succeeded", "data": {"object": about}}


def told(
    event_id: str, payment: str | None = None, *, waits: str = "", disputed: bool = False, body: str = "{}"
) -> Told:
    """The same as it is stored."""
    return event_id, "kind", body, clock.now(), "stripe", payment, None, waits, disputed


async def rows(database: Database, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await database.reader().fetch(statement)]


async def test_each_of_many_is_told_its_own_answer(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    _, payment, _ = await confirmed(desk, gateways, sandbox)
    assert payment.status is PaymentStatus.REQUIRES_ACTION
    events = [
        told("evt_3"),
        told("evt_news", payment.gateway_id, waits="PROCESSING,REQUIRES_ACTION"),
        told("evt_2", payment.gateway_id, waits="CAPTURED"),
        told("evt_dispute", disputed=True),
        told("evt_1", waits="REQUIRES_ACTION"),
    ]
    assert await payments.file(desk.database.writer(), events) == [True, False, True, False, True]
    assert await payments.file(desk.database.writer(), [told("evt_1"), told("evt_4"), told("evt_4")]) == [
        False,
        True,
        True,
    ]
    assert await rows(desk.database, STORED) == [(f"evt_{number}", True) for number in (1, 2, 3, 4)]


async def test_those_that_come_meanwhile_are_one_statement_and_nobody_is_answered_before_it_is_committed(
    desk: Desk, gateways: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "PATIENCE", 3600.0)
    database = desk.database

    def tell(event_id: str) -> asyncio.Task[None]:
        return asyncio.create_task(payments.receive(database, gateways, "stripe", *signed(stranger(event_id))))

    async def waiting() -> bool:
        return len(database.writer().line(FILING)._waiting) == 3  # type: ignore[attr-defined]

    async with database.transaction() as session:
        await session.execute(text("LOCK TABLE webhook_events IN SHARE MODE"))
        first = tell("evt_1")
        await eventually(lambda: is_busy(database))
        others = [tell(event_id) for event_id in ("evt_2", "evt_3", "evt_3")]
        await eventually(waiting)
        assert not any(task.done() for task in (first, *others))
    await asyncio.gather(first, *others)
    assert await rows(database, STORED) == [("evt_1", True), ("evt_2", True), ("evt_3", True)]
    assert await rows(database, STATEMENTS) == [(2,)]


async def is_busy(database: Database) -> bool:
    """Whether a statement that stores events waits for the table."""
    asked = "SELECT FROM pg_locks WHERE relation = 'webhook_events'::regclass AND NOT granted"
    return bool(await rows(database, asked))


async def test_one_that_cannot_be_stored_fails_alone(desk: Desk) -> None:
    events = [told("evt_1"), told("evt_bad", body="no JSON"), told("evt_2")]
    writer = desk.database.writer()
    ends = await asyncio.gather(*(FILING.one(writer, event) for event in events), return_exceptions=True)
    assert [end is True for end in ends] == [True, False, True]
    assert isinstance(ends[1], asyncpg.InvalidTextRepresentationError)
    assert await rows(desk.database, STORED) == [("evt_1", True), ("evt_2", True)]


@pytest.mark.parametrize("first", [0, 1])
async def test_news_among_them_is_given_to_a_job(desk: Desk, gateways: Gateways, sandbox: Sandbox, first: int) -> None:
    _, _, news = await confirmed(desk, gateways, sandbox)
    events = [news, stranger("evt_1")]
    await asyncio.gather(
        *(
            payments.receive(desk.database, gateways, "stripe", *signed(event))
            for event in (events[first], events[1 - first], news)
        )
    )
    assert sorted(await rows(desk.database, STORED)) == sorted([("evt_1", True), (news["id"], False)])
    assert await jobs(desk.database) == ["handle_webhook"]
