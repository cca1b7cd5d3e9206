"""Killed at any point, a price that several pay is taken whole or not at all, by whoever comes next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from models import Booking, Share
from services import bookings, invariants
from services.gateways import Gateways
from services.payments import PaymentDeclined
from tests.factories.bookings import Desk, pass_time
from tests.factories.records import record
from tests.factories.shares import pay_share, split
from tests.fakes.mortal import Died, Life, deaths, walk
from tests.fakes.sandbox import Sandbox

VISA = "pm_card_visa"


@dataclass(frozen=True)
class Stage:
    """Where a journey plays: a booking of one, in two shares, or in as many as a journey asks for."""

    desk: Desk
    gateways: Gateways
    sandbox: Sandbox
    monkeypatch: pytest.MonkeyPatch

    async def pay(self, share: Share, method: str = VISA, dies_at: int | None = None) -> Life:
        """Pay a share, and die on the way."""
        life = Life(dies_at)
        with self.monkeypatch.context() as patch, suppress(Died, PaymentDeclined):
            await pay_share(self.desk.database, life.lead(patch, self.gateways), share, method)
        return life

    async def advance(self, booking: Booking, dies_at: int | None = None) -> Life:
        """Do what the job after a crash does, and die on the way."""
        life = Life(dies_at)
        with self.monkeypatch.context() as patch, suppress(Died):
            await bookings.advance(self.desk.database, life.lead(patch, self.gateways), booking.id)
        return life

    async def halves(self, booking: Booking) -> tuple[Share, Share]:
        """The booking in two shares."""
        first, second = await split(self.desk.database, booking, 2)
        return first, second

    async def sold(self, booking: Booking) -> None:
        """Both shares are promised and the seats sold, and whoever had to take the money is dead."""
        first, second = await self.halves(booking)
        await self.pay(first)
        await self.pay(second, dies_at=3)

    async def lapse(self, booking: Booking, number: int) -> None:
        """The gateway has let go of the payment of that number, the first being 0."""
        async with self.desk.database.reading() as session:
            paid = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
        await self.sandbox.ask("POST", f"/v1/payment_intents/{paid[number].gateway_id}/cancel")


Journey = Callable[[Stage, Booking, int | None], Awaitable[Life]]


async def first_share(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    first, _ = await stage.halves(booking)
    return await stage.pay(first, dies_at=dies_at)


async def last_share(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    first, second = await stage.halves(booking)
    await stage.pay(first)
    return await stage.pay(second, dies_at=dies_at)


async def declined_share(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    first, second = await stage.halves(booking)
    await stage.pay(first)
    return await stage.pay(second, "pm_card_visa_chargeDeclined", dies_at)


async def never_paid_share(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    first, _ = await stage.halves(booking)
    await stage.pay(first)
    await pass_time(stage.desk.database, timedelta(minutes=16))
    return await stage.advance(booking, dies_at)


async def unanswered_share(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    first, second = await stage.halves(booking)
    await stage.pay(first, "pm_card_threeDSecure2Required")
    await stage.pay(second)
    await pass_time(stage.desk.database, timedelta(minutes=16))
    return await stage.advance(booking, dies_at)


async def flight_closed(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    first, second = await stage.halves(booking)
    await stage.pay(first)
    await stage.pay(second, dies_at=1)
    async with stage.desk.database.transaction() as session:
        await session.execute(text("UPDATE slots SET status = 'CLOSED'"))
    return await stage.advance(booking, dies_at)


async def first_lapsed(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.sold(booking)
    await stage.lapse(booking, 0)
    return await stage.advance(booking, dies_at)


async def last_lapsed(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.sold(booking)
    await stage.lapse(booking, 1)
    return await stage.advance(booking, dies_at)


@dataclass(frozen=True)
class End:
    """How a journey ends: statuses of booking, hold, payments, tickets and intents; the pool's held and sold seats."""

    booking: str
    hold: str
    payments: tuple[str, ...]
    intents: tuple[str, ...]
    pool: tuple[int, int]
    tickets: tuple[str, ...] = ()


ASKED = ["look", "before authorise", "after authorise", "look"]
CAPTURED, CALLED_OFF = ["before capture", "after capture", "look"], ["before void", "after void", "look"]
HALF = End("PAYMENT_PENDING", "ACTIVE", ("AUTHORIZED",), ("requires_capture",), (1, 0))
WHOLE = End("CONFIRMED", "BOOKED", ("CAPTURED", "CAPTURED"), ("succeeded", "succeeded"), (0, 1), ("OPEN",))
UNDONE = End("FAILED", "BOOKED", ("VOIDED", "VOIDED"), ("canceled", "canceled"), (0, 0), ("VOID",))
LATE = End("EXPIRED", "EXPIRED", ("VOIDED", "VOIDED"), ("canceled", "canceled"), (0, 0))
JOURNEYS: dict[Journey, tuple[list[str], End]] = {
    first_share: (ASKED, HALF),
    last_share: ([*ASKED, *CAPTURED, *CAPTURED], WHOLE),
    declined_share: (
        [*ASKED[:3], *CALLED_OFF],
        replace(HALF, payments=("AUTHORIZED", "DECLINED"), intents=("canceled", "requires_capture")),
    ),
    never_paid_share: (["look", *CALLED_OFF], replace(LATE, payments=("VOIDED",), intents=("canceled",))),
    unanswered_share: (["look", "before fetch", "after fetch", *CALLED_OFF, *CALLED_OFF], LATE),
    flight_closed: ([*ASKED, "look", *CALLED_OFF, *CALLED_OFF], replace(LATE, booking="FAILED", hold="RELEASED")),
    first_lapsed: (["look", "before capture", *CALLED_OFF, *CALLED_OFF], UNDONE),
    last_lapsed: (
        ["look", *CAPTURED, "before capture", *CALLED_OFF, "before refund", "after refund"],
        replace(UNDONE, payments=("REFUNDED", "VOIDED"), intents=("canceled", "succeeded")),
    ),
}
"""Each journey with every point at which it can die, and its end. Intents are told the newest first."""


@pytest.fixture
def stage(desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(desk, gateways, sandbox, monkeypatch)


async def end_of(stage: Stage, booking: Booking) -> End:
    """How things stand, here and at the gateway; no invariant is broken, and the facts say the same."""
    async with stage.desk.database.reading() as session:
        row = await session.execute(
            text(
                "SELECT b.status, h.status, p.held, p.sold, ARRAY(SELECT t.status FROM tickets t)"
                " FROM bookings b JOIN holds h ON h.id = b.hold_id JOIN hold_items i ON i.hold_id = h.id"
                " JOIN pools p ON p.slot_id = i.slot_id AND p.code = i.pool WHERE b.id = :id"
            ),
            {"id": booking.id},
        )
        found = row.one()
        paid = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
        rebuilt = await record(session, booking.id)
        shares = (await bookings.shares_by_booking_ids(session, [booking.id]))[booking.id]
    intents = await stage.sandbox.intents(booking.id)
    assert sum(one["amount_received"] for one in intents) == sum(one.captured for one in paid)
    refunds = [await stage.sandbox.ask("GET", f"/v1/refunds?payment_intent={one['id']}") for one in intents]
    assert sum(one["amount"] for page in refunds for one in page["data"]) == sum(one.refunded for one in paid)
    assert [one for one in await invariants.check(stage.desk.database) if one.broken] == []
    assert rebuilt.booking["status"] == found[0]
    assert {(one["share"], one["status"], one["captured"]) for one in rebuilt.payments.values()} == {
        (str(one.share_id), one.status, one.captured) for one in paid
    }
    assert rebuilt.booking["shares"] == [{"share": str(one.id), "amount": one.amount} for one in shares]
    return End(
        booking=found[0],
        hold=found[1],
        payments=tuple(one.status for one in paid),
        intents=tuple(one["status"] for one in intents),
        pool=(found[2], found[3]),
        tickets=tuple(found[4]),
    )


@pytest.mark.parametrize(("journey", "dies_at"), deaths(JOURNEYS))
async def test_killed_at_any_point_it_ends_the_same(stage: Stage, journey: Journey, dies_at: int | None) -> None:
    booking = await stage.desk.booked("3A")
    await walk(
        JOURNEYS[journey],
        dies_at,
        living=partial(journey, stage, booking),
        coming_next=partial(stage.advance, booking),
        standing=partial(end_of, stage, booking),
    )
