"""Killed at any point, a booking is completed or undone by whoever comes next: once, and the gateway's books agree."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from core.db import Database
from models import Booking, LedgerAccount
from services import bookings, holds, invariants, ledger
from services.gateways import Gateways
from services.payments import PaymentDeclined
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.factories.records import record
from tests.fakes.mortal import Died, Life, deaths, walk
from tests.fakes.sandbox import Sandbox

BACK = "https://shop.example/paid"


@dataclass(frozen=True)
class Stage:
    """Where a journey plays."""

    desk: Desk
    gateways: Gateways
    sandbox: Sandbox
    monkeypatch: pytest.MonkeyPatch

    @property
    def database(self) -> Database:
        return self.desk.database

    async def pay(self, booking: Booking, method: str, dies_at: int | None = None) -> Life:
        """Pay, and die on the way."""
        life = Life(dies_at)
        with self.monkeypatch.context() as patch, suppress(Died, PaymentDeclined):
            gateways = life.lead(patch, self.gateways)
            await bookings.pay(self.database, gateways, booking.id, method, BACK, GUEST, key())
        return life

    async def advance(self, booking: Booking, dies_at: int | None = None) -> Life:
        """Do what the job after a crash does, and die on the way."""
        life = Life(dies_at)
        with self.monkeypatch.context() as patch, suppress(Died):
            await bookings.advance(self.database, life.lead(patch, self.gateways), booking.id)
        return life


Journey = Callable[[Stage, Booking, int | None], Awaitable[Life]]


async def good_card(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    return await stage.pay(booking, "pm_card_visa", dies_at)


async def bad_card(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    return await stage.pay(booking, "pm_card_visa_chargeDeclined", dies_at)


async def challenged(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, "pm_card_threeDSecure2Required")
    async with stage.database.reading() as session:
        url = (await session.execute(text("SELECT redirect_url FROM payments"))).scalar_one()
    await stage.sandbox.answer_challenge(url, "complete")
    return await stage.advance(booking, dies_at)


async def never_sent(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, "pm_card_visa", 0)
    await pass_time(stage.database, timedelta(minutes=16))
    return await stage.advance(booking, dies_at)


async def answer_lost_and_seats_too(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, "pm_card_visa", 2)
    await pass_time(stage.database, timedelta(minutes=16))
    await stage.desk.hold(*(f"{row}{column}" for row in (2, 3) for column in "ABCD"))
    return await stage.advance(booking, dies_at)


async def late_and_the_seat_is_gone(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, "pm_card_visa", 2)
    await pass_time(stage.database, timedelta(minutes=16))
    await stage.desk.hold("3A")
    return await stage.advance(booking, dies_at)


async def late_and_written_down(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, "pm_card_visa", 2)
    await pass_time(stage.database, timedelta(minutes=16))
    async with stage.database.transaction() as session:
        assert await holds.expire_due(session, 100) == 1
    return await stage.advance(booking, dies_at)


async def late_but_seats_are_free(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, "pm_card_visa", 2)
    await pass_time(stage.database, timedelta(minutes=16))
    return await stage.advance(booking, dies_at)


async def authorisation_lapsed(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, "pm_card_visa", 3)
    (intent,) = await stage.sandbox.intents(booking.id)
    await stage.sandbox.ask("POST", f"/v1/payment_intents/{intent['id']}/cancel")
    return await stage.advance(booking, dies_at)


async def cancelled(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, "pm_card_visa")
    async with stage.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    life = Life(dies_at)
    with stage.monkeypatch.context() as patch, suppress(Died):
        gateways = life.lead(patch, stage.gateways)
        await bookings.cancel(stage.database, gateways, quote.id, booking.id, GUEST, key())
    return life


@dataclass(frozen=True)
class End:
    """How a journey ends: statuses of booking, payment, hold, tickets and intents; the pool's held and sold seats."""

    booking: str
    payment: str
    hold: str
    tickets: tuple[str, ...]
    intents: tuple[str, ...]
    pool: tuple[int, int]
    refunded: bool = False


SOLD = End("CONFIRMED", "CAPTURED", "BOOKED", ("OPEN",), ("succeeded",), (0, 1))
PAYING = ["look", "before authorise", "after authorise", "before capture", "after capture"]
LATE = ["look", "before find", "after find", "look", "look", *PAYING[3:]]
JOURNEYS: dict[Journey, tuple[list[str], End]] = {
    good_card: (PAYING, SOLD),
    challenged: (["look", "before fetch", "after fetch", *PAYING[3:]], SOLD),
    late_but_seats_are_free: (LATE, SOLD),
    late_and_written_down: (LATE, SOLD),
    late_and_the_seat_is_gone: (LATE, replace(SOLD, pool=(1, 1))),
    bad_card: (
        ["look", "before authorise", "after authorise", "before void", "after void", "look"],
        End("SEATS_LOCKED", "DECLINED", "ACTIVE", (), ("canceled",), (1, 0)),
    ),
    never_sent: (
        ["look", "before find", "after find", "look"],
        End("EXPIRED", "VOIDED", "EXPIRED", (), (), (0, 0)),
    ),
    answer_lost_and_seats_too: (
        ["look", "before find", "after find", "look", "before void", "after void", "look"],
        End("EXPIRED", "VOIDED", "EXPIRED", (), ("canceled",), (8, 0)),
    ),
    authorisation_lapsed: (
        ["look", "before capture", "before void", "after void", "look"],
        End("FAILED", "VOIDED", "BOOKED", ("VOID",), ("canceled",), (0, 0)),
    ),
    cancelled: (
        ["look", "before refund", "after refund"],
        End("CANCELLED", "REFUNDED", "BOOKED", ("REFUNDED",), ("succeeded",), (0, 0), refunded=True),
    ),
}
"""Each journey with every point at which it can die, and its end."""


@pytest.fixture
def stage(desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(desk, gateways, sandbox, monkeypatch)


async def end_of(stage: Stage, booking: Booking) -> End:
    """How things stand, here and at the gateway, whose books our ledger agrees with."""
    async with stage.database.reading() as session:
        row = await session.execute(
            text(
                "SELECT b.status AS booking, y.status AS payment, h.status AS hold, y.refunded, y.captured,"
                " p.held, p.sold, i.quantity - cardinality(i.units) AS unseated,"
                " (SELECT count(*) FROM claims c WHERE c.slot_id = p.slot_id AND c.status = 'BOOKED')"
                " AS booked, ARRAY(SELECT t.status FROM tickets t) AS tickets"
                " FROM bookings b JOIN payments y ON y.booking_id = b.id JOIN holds h ON h.id = b.hold_id"
                " JOIN hold_items i ON i.hold_id = h.id JOIN pools p ON p.slot_id = i.slot_id AND p.code = i.pool"
                " WHERE b.id = :id"
            ),
            {"id": booking.id},
        )
        found = row.one()
    intents = await stage.sandbox.intents(booking.id)
    assert found.booked + (found.unseated if found.sold else 0) == found.sold
    assert sum(one["amount_received"] for one in intents) == found.captured
    refunds = [await stage.sandbox.ask("GET", f"/v1/refunds?payment_intent={one['id']}") for one in intents]
    assert sum(refund["amount"] for page in refunds for refund in page["data"]) == found.refunded
    assert await money_at_the_gateway(stage.database) == found.captured - found.refunded
    assert [one for one in await invariants.check(stage.database) if one.broken] == []
    await assert_rebuilt(stage.database, booking)
    return End(
        found.booking,
        found.payment,
        found.hold,
        tuple(found.tickets),
        tuple(one["status"] for one in intents),
        (found.held, found.sold),
        refunded=found.refunded == found.captured > 0,
    )


async def assert_rebuilt(database: Database, booking: Booking) -> None:
    """What the facts of the booking say is what its rows say."""
    async with database.reading() as session:
        rebuilt = await record(session, booking.id)
        row = await session.get_one(Booking, booking.id)
        paid = (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]
        refunds = await session.execute(text("SELECT CAST(id AS text), status, amount FROM refunds"))
        tickets = await session.execute(text("SELECT number, status FROM tickets"))
        assert {key: rebuilt.booking[key] for key in ("booking", "pnr", "status", "total", "currency", "hold")} == {
            "booking": str(row.id),
            "pnr": row.pnr,
            "status": row.status,
            "total": row.total,
            "currency": row.currency,
            "hold": str(row.hold_id),
        }
        assert {(key, one["status"], one["captured"], one["refunded"]) for key, one in rebuilt.payments.items()} == {
            (str(one.id), one.status, one.captured, one.refunded) for one in paid
        }
        assert [(key, one["status"], one["amount"]) for key, one in rebuilt.refunds.items()] == [*map(tuple, refunds)]
        assert [(key, one["status"]) for key, one in rebuilt.tickets.items()] == [*map(tuple, tickets)]


async def money_at_the_gateway(database: Database) -> int:
    """What the ledger says of it."""
    async with database.reading() as session:
        found = await ledger.balances(session)
    return sum(one.balance.minor_units for one in found if one.account is LedgerAccount.GATEWAY)


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
