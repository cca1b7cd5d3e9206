"""A booking in each state in which a client can find it, as far as possible by the road that leads there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

import pytest
from sqlalchemy import text

from models import Booking
from services import amendments, bookings
from services.gateways import Gateways
from services.transitions import Cause
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.fakes.mortal import Died, Life
from tests.fakes.sandbox import Sandbox

BACK = "https://shop.example/paid"


@dataclass(frozen=True)
class Road:
    """What it takes to bring a booking somewhere."""

    desk: Desk
    gateways: Gateways
    sandbox: Sandbox
    monkeypatch: pytest.MonkeyPatch
    changes: list[UUID] = field(default_factory=list)
    """Changes that were quoted once the booking was paid."""

    async def pay(self, booking: Booking, method: str = "pm_card_visa", dies_at: int | None = None) -> None:
        """Pay, and perhaps die on the way."""
        with self.monkeypatch.context() as patch, suppress(Died):
            gateways = Life(dies_at).lead(patch, self.gateways)
            await bookings.pay(self.desk.database, gateways, booking.id, method, BACK, GUEST, key())

    async def say(self, statement: str) -> None:
        """What another service will say one day, written by hand."""
        async with self.desk.database.transaction() as session:
            await session.execute(text(statement))


Way = Callable[[Road, Booking], Awaitable[None]]


async def seats_locked(road: Road, booking: Booking) -> None:
    """Made, and not paid."""


async def initiated(road: Road, booking: Booking) -> None:
    """The intent is written, the gateway never asked."""
    await road.pay(booking, dies_at=0)


async def requires_action(road: Road, booking: Booking) -> None:
    """The payer is at their bank."""
    await road.pay(booking, "pm_card_threeDSecure2Required")


async def processing(road: Road, booking: Booking) -> None:
    """A bank is at work for days."""
    await road.pay(booking, "pm_usBankAccount_success")


async def review(road: Road, booking: Booking) -> None:
    """The money is promised, and staff have to look."""
    await road.pay(booking, "pm_card_riskLevelElevated")


async def sold(road: Road, booking: Booking) -> None:
    """The money is promised, and what it is for is sold with that; it is not taken yet."""
    await road.pay(booking, dies_at=3)


async def confirmed(road: Road, booking: Booking) -> None:
    """Paid, and the correction of a name quoted."""
    await road.pay(booking)
    async with road.desk.database.transaction() as session:
        (ada,) = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]
        wish = amendments.CorrectName(passenger_id=ada.id, first_name="Adah")
        cause = Cause(actor="guest", reason="the test says so")
        road.changes.append((await amendments.quote(session, road.desk.keyring, booking, wish, cause)).id)


async def checked_in(road: Road, booking: Booking) -> None:
    """Its passengers have checked in."""
    await confirmed(road, booking)
    await road.say("UPDATE bookings SET status = 'CHECKED_IN'")


async def completed(road: Road, booking: Booking) -> None:
    """Flown."""
    await confirmed(road, booking)
    await road.say("UPDATE bookings SET status = 'COMPLETED'")


async def no_show(road: Road, booking: Booking) -> None:
    """Nobody came."""
    await confirmed(road, booking)
    await road.say("UPDATE bookings SET status = 'NO_SHOW'")


async def expired(road: Road, booking: Booking) -> None:
    """Not paid in time."""
    await pass_time(road.desk.database, timedelta(minutes=16))
    async with road.desk.database.transaction() as session:
        assert await bookings.expire_abandoned(session, 10) == 1


async def failed(road: Road, booking: Booking) -> None:
    """The money could not be taken after all."""
    await sold(road, booking)
    (intent,) = await road.sandbox.intents(booking.id)
    await road.sandbox.ask("POST", f"/v1/payment_intents/{intent['id']}/cancel")
    await bookings.advance(road.desk.database, road.gateways, booking.id)


async def cancelled(road: Road, booking: Booking) -> None:
    """Paid and cancelled, its money on the way back."""
    await confirmed(road, booking)
    async with road.desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(road.desk.database, road.gateways, quote.id, booking.id, GUEST, key())


STATES: Mapping[str, tuple[Way, str]] = MappingProxyType(
    {
        "SEATS_LOCKED": (seats_locked, ""),
        "PAYMENT_PENDING INITIATED": (initiated, "INITIATED"),
        "PAYMENT_PENDING REQUIRES_ACTION": (requires_action, "REQUIRES_ACTION"),
        "PAYMENT_PENDING PROCESSING": (processing, "PROCESSING"),
        "PAYMENT_PENDING REVIEW": (review, "REVIEW"),
        "PAYMENT_PENDING AUTHORIZED": (sold, "AUTHORIZED"),
        "CONFIRMED": (confirmed, "CAPTURED"),
        "CHECKED_IN": (checked_in, "CAPTURED"),
        "COMPLETED": (completed, "CAPTURED"),
        "NO_SHOW": (no_show, "CAPTURED"),
        "EXPIRED": (expired, ""),
        "FAILED": (failed, "VOIDED"),
        "CANCELLED": (cancelled, "REFUNDED"),
    }
)
"""By name, which begins with the booking's status: the way there, and the status of its payment."""
