"""Staff, and time, decide about one payment at once: whoever locks its booking first decides, and nobody after that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from core.db import Database
from core.keys import Keyring
from models import Booking, Payment, PaymentReview, PaymentStatus, ReviewDecision
from services import bookings, invariants
from services.bookings import rows
from services.fraud import ReviewOver
from services.gateways import Gateways
from services.seats import Plans
from services.transitions import Cause
from tests.factories.bookings import GUEST, Desk, key
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked
from tests.fakes.clock import set_clock
from tests.fakes.sandbox import Sandbox

APPROVES, REJECTS = (Cause(actor=f"user:{number}", reason="decided") for number in (1, 2))
Decide = Callable[[Database, UUID, Cause], Coroutine[Any, Any, UUID]]


@pytest.fixture
async def waiting(
    database: Database, keyring: Keyring, plans: Plans, schedule: Schedule, noon: datetime, gateways: Gateways
) -> Payment:
    """A payment that staff have to look at until half an hour past noon."""
    desk = Desk(database, keyring, plans, schedule)
    booking = await desk.booked("3A")
    return await bookings.pay(database, gateways, booking.id, "pm_card_riskLevelElevated", None, GUEST, key())


async def outcome(deciding: Awaitable[UUID]) -> str:
    try:
        await deciding
    except ReviewOver:
        return "over"
    return "decided"


async def settled(database: Database, gateways: Gateways, payment: Payment) -> tuple[str, str, str | None]:
    """Where booking and payment end, and the decision that was written."""
    await bookings.advance(database, gateways, payment.booking_id)
    assert [one for one in await invariants.check(database) if one.broken] == []
    async with database.reading() as session:
        booking = await session.get_one(Booking, payment.booking_id)
        review = await session.get_one(PaymentReview, payment.id)
        return booking.status, (await session.get_one(Payment, payment.id)).status, review.decision


@pytest.mark.parametrize("rivals", [(bookings.approve, bookings.reject), (bookings.reject, bookings.approve)])
async def test_of_two_who_decide_the_first_does(
    database: Database, gateways: Gateways, waiting: Payment, rivals: tuple[Decide, Decide]
) -> None:
    first, second = rivals
    async with database.transaction() as session:
        await rows.locked(session, waiting.booking_id)
        deciding = asyncio.create_task(outcome(first(database, waiting.id, APPROVES)))
        await until_blocked(database)
        too_late = asyncio.create_task(outcome(second(database, waiting.id, REJECTS)))
        await until_blocked(database, 2)
    assert [await deciding, await too_late] == ["decided", "over"]
    expected: dict[Decide, tuple[str, str, str]] = {
        bookings.approve: ("CONFIRMED", "CAPTURED", "APPROVED"),
        bookings.reject: ("FAILED", "VOIDED", "REJECTED"),
    }
    assert await settled(database, gateways, waiting) == expected[first]


async def test_of_many_who_decide_one_does(database: Database, gateways: Gateways, waiting: Payment) -> None:
    deciders = [(bookings.approve, APPROVES), (bookings.reject, REJECTS)] * 3
    outcomes = await asyncio.gather(*(outcome(decide(database, waiting.id, cause)) for decide, cause in deciders))
    assert sorted(outcomes) == ["decided"] + ["over"] * 5
    ends = {("CONFIRMED", "CAPTURED", "APPROVED"), ("FAILED", "VOIDED", "REJECTED")}
    assert await settled(database, gateways, waiting) in ends


async def test_who_waits_past_the_deadline_does_not_approve(
    database: Database, gateways: Gateways, waiting: Payment, noon: datetime, sandbox: Sandbox
) -> None:
    async with database.transaction() as session:
        await rows.locked(session, waiting.booking_id)
        approving = asyncio.create_task(outcome(bookings.approve(database, waiting.id, APPROVES)))
        await until_blocked(database)
        await set_clock(database, noon + timedelta(minutes=31))
    assert await approving == "over"
    assert await settled(database, gateways, waiting) == ("EXPIRED", "VOIDED", None)
    assert [one["status"] for one in await sandbox.intents(waiting.booking_id)] == ["canceled"]


async def test_who_approves_in_time_is_not_overtaken_by_the_deadline(
    database: Database, gateways: Gateways, waiting: Payment, noon: datetime
) -> None:
    await bookings.approve(database, waiting.id, APPROVES)
    await set_clock(database, noon + timedelta(minutes=31))
    together = (bookings.advance(database, gateways, waiting.booking_id) for _ in range(3))
    await asyncio.gather(*together)
    assert await settled(database, gateways, waiting) == ("CONFIRMED", "CAPTURED", "APPROVED")


async def test_control_without_the_lock_both_decide(database: Database, waiting: Payment) -> None:
    async def decide_by_what_was_seen(decision: ReviewDecision) -> None:
        async with database.reading() as session:
            seen = await session.get_one(Payment, waiting.id)
        await together.wait()
        assert seen.status is PaymentStatus.REVIEW
        async with database.transaction() as session:
            chosen = update(PaymentReview).where(PaymentReview.payment_id == waiting.id)
            decided = {"decided_at": text("now()"), "decided_by": "user:1", "reason": "decided"}
            written = chosen.values(decision=decision, **decided).returning(PaymentReview.payment_id)
            assert await session.scalar(written) == waiting.id

    together = asyncio.Barrier(2)
    await asyncio.gather(*(decide_by_what_was_seen(one) for one in ReviewDecision))
