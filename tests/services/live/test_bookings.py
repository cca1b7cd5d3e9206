"""A booking and its payments, live: what has happened, and that it is to be read again."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from core.db import Database
from core.errors import Invalid
from services import live, outbox
from subscriptions.bookings import BookingChange, booking_events, payment_events
from subscriptions.hub import Hub
from tests.factories.facts import MADE_UP
from tests.services.live.conftest import Tell

BOOKING, OTHER = uuid4(), uuid4()
PAYMENT, NOTICE = uuid4(), uuid4()


async def happen(database: Database, *facts: tuple[str, dict[str, Any]], booking: UUID = BOOKING) -> None:
    """Commit facts of a booking, given by kind and payload."""
    async with database.transaction() as session:
        for kind, payload in facts:
            await outbox.record(session, kind, outbox.booking_stream(booking), {**payload, MADE_UP: True})


def change(position: int, *happened: str, reset: bool = False, **about: tuple[UUID, ...]) -> BookingChange:
    return BookingChange(live.cursor(position), reset, happened, **about)


DECLINED = ("payment.declined", {"payment": str(PAYMENT)})
UNLOCKED: tuple[str, dict[str, Any]] = ("booking.seats_locked", {})
NOTIFIED = ("booking.notified", {"notice": str(NOTICE)})


async def test_the_booking_as_it_is_then_what_happens_to_it(database: Database, hub: Hub, tell: Tell) -> None:
    async with aclosing(booking_events(database, hub, BOOKING, None)) as events:
        first = await anext(events)
        await happen(database, DECLINED, UNLOCKED, NOTIFIED, DECLINED)
        await happen(database, ("booking.confirmed", {}), booking=OTHER)
        await tell()
        second = await anext(events)
        await happen(database, ("booking.confirmed", {}))
        await tell()
        third = await anext(events)
    assert first == change(0)
    told = ("booking.seats_locked", "booking.notified", "payment.declined")
    assert second == change(4, *told, payments=(PAYMENT,), notices=(NOTICE,))
    assert third == change(6, "booking.confirmed")


async def test_of_payments_only_what_happens_to_them(database: Database, hub: Hub, tell: Tell) -> None:
    async with aclosing(payment_events(database, hub, BOOKING, None)) as events:
        assert await anext(events) == change(0)
        await happen(database, UNLOCKED, NOTIFIED)
        await tell()
        await happen(database, ("refund.succeeded", {"payment": str(PAYMENT)}), UNLOCKED)
        await tell()
        assert await anext(events) == change(4, "refund.succeeded", payments=(PAYMENT,))


async def test_a_cursor_brings_what_was_missed_and_nothing_twice(database: Database, hub: Hub, tell: Tell) -> None:
    await happen(database, UNLOCKED)
    await happen(database, DECLINED)
    await tell()
    async with aclosing(booking_events(database, hub, BOOKING, live.cursor(1))) as events:
        assert await anext(events) == change(2, "payment.declined", payments=(PAYMENT,))
    async with aclosing(booking_events(database, hub, BOOKING, live.cursor(2))) as events:
        await happen(database, ("booking.expired", {}))
        await tell()
        assert await anext(events) == change(3, "booking.expired")


async def test_the_booking_with_reset_where_the_past_is_not_known(database: Database, hub: Hub, tell: Tell) -> None:
    await happen(database, UNLOCKED)
    await tell()
    for stream in (booking_events, payment_events):
        async with aclosing(stream(database, hub, BOOKING, live.cursor(9))) as events:
            assert await anext(events) == change(1, reset=True)


async def test_what_a_lost_connection_swallowed_is_told_after_it(
    database: Database, hub: Hub, tell: Tell, redis: Redis
) -> None:
    async with aclosing(booking_events(database, hub, BOOKING, None)) as events:
        await anext(events)
        await redis.client_kill_filter(_type="pubsub")
        await happen(database, DECLINED)
        await tell()
        assert await anext(events) == change(1, "payment.declined", payments=(PAYMENT,))


@pytest.mark.parametrize("stream", [booking_events, payment_events])
async def test_a_malformed_cursor_is_refused(database: Database, hub: Hub, stream: Any) -> None:
    with pytest.raises(Invalid) as refused:
        await anext(stream(database, hub, BOOKING, "nonsense"))
    assert refused.value.code == "INVALID_CURSOR"
