"""Killed at any point, a change of a booking is completed or leaves no trace: once, and the gateway's books agree."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from core.db import Database
from models import Amendment, Booking, LedgerAccount
from services import amendments, bookings, ledger
from services.payments import PaymentDeclined
from tests.factories.amendments import BACK, Changes
from tests.factories.bookings import GUEST, key, pass_time
from tests.factories.holds import pools
from tests.factories.records import record
from tests.fakes.mortal import Died, Life, deaths, walk
from tests.fakes.sandbox import Sandbox

OLD, NEW = 199_10, 238_10
"""What the first flight costs, and the second with legroom."""

DUE = NEW - OLD + 30_00


@dataclass(frozen=True)
class Stage:
    """Where a journey plays: a booking that is paid, and a quote for a change of it."""

    changes: Changes
    sandbox: Sandbox
    monkeypatch: pytest.MonkeyPatch
    booking: Booking
    quote: Amendment

    @property
    def database(self) -> Database:
        return self.changes.desk.database

    async def confirm(self, method: str | None, dies_at: int | None = None) -> Life:
        """Confirm the quote, and die on the way."""
        life, quote = Life(dies_at), self.quote
        with self.monkeypatch.context() as patch, suppress(Died, PaymentDeclined):
            gateways = life.lead(patch, self.changes.gateways)
            await amendments.confirm(self.database, gateways, quote.id, quote.booking_id, method, BACK, GUEST, key())
        return life

    async def advance(self, dies_at: int | None = None) -> Life:
        """Do what the job after a crash does, and die on the way."""
        life = Life(dies_at)
        with self.monkeypatch.context() as patch, suppress(Died):
            await bookings.advance(self.database, life.lead(patch, self.changes.gateways), self.booking.id)
        return life

    async def intent(self) -> dict[str, object]:
        """The gateway's intent for the change."""
        (found,) = [one for one in await self.sandbox.intents(self.booking.id) if one["amount"] == DUE]
        return found


Journey = Callable[[Stage, int | None], Awaitable[Life]]


async def good_card(stage: Stage, dies_at: int | None) -> Life:
    return await stage.confirm("pm_card_visa", dies_at)


async def bad_card(stage: Stage, dies_at: int | None) -> Life:
    return await stage.confirm("pm_card_visa_chargeDeclined", dies_at)


async def challenged(stage: Stage, dies_at: int | None) -> Life:
    await stage.confirm("pm_card_threeDSecure2Required")
    ((url,),) = await stage.changes.rows("SELECT redirect_url FROM payments WHERE amendment_id IS NOT NULL")
    await stage.sandbox.answer_challenge(url, "complete")
    return await stage.advance(dies_at)


async def never_sent(stage: Stage, dies_at: int | None) -> Life:
    await stage.confirm("pm_card_visa", 0)
    await pass_time(stage.database, timedelta(minutes=16))
    return await stage.advance(dies_at)


async def answer_lost_and_seats_too(stage: Stage, dies_at: int | None) -> Life:
    await stage.confirm("pm_card_visa", 2)
    await pass_time(stage.database, timedelta(minutes=16))
    await stage.changes.desk.hold("2B", slot_id=stage.changes.desk.schedule.second)
    return await stage.advance(dies_at)


async def late_but_seats_are_free(stage: Stage, dies_at: int | None) -> Life:
    await stage.confirm("pm_card_visa", 2)
    await pass_time(stage.database, timedelta(minutes=16))
    return await stage.advance(dies_at)


async def authorisation_lapsed(stage: Stage, dies_at: int | None) -> Life:
    await stage.confirm("pm_card_visa", 3)
    await stage.sandbox.ask("POST", f"/v1/payment_intents/{(await stage.intent())['id']}/cancel")
    return await stage.advance(dies_at)


async def given_up_with_its_booking(stage: Stage, dies_at: int | None) -> Life:
    await stage.confirm("pm_card_threeDSecure2Required")
    async with stage.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, stage.booking)
    life = Life(dies_at)
    with stage.monkeypatch.context() as patch, suppress(Died):
        gateways = life.lead(patch, stage.changes.gateways)
        await bookings.cancel(stage.database, gateways, quote.id, stage.booking.id, GUEST, key())
    return life


@dataclass(frozen=True)
class End:
    """How a journey ends: statuses of amendment, booking and payment of the change, the booking's total, and the
    pools' held and sold seats of the first flight and of the second."""

    amendment: str
    booking: str
    payment: str
    total: int
    first: tuple[int, int] = (0, 1)
    second: tuple[int, int] = (0, 0)


CHANGED = End("APPLIED", "CONFIRMED", "CAPTURED", NEW, (0, 0), (0, 1))
PAYING = ["look", "before authorise", "after authorise", "look", "before capture", "after capture", "look"]
LATE = ["look", "before find", "after find", "look", *PAYING[3:]]
JOURNEYS: dict[Journey, tuple[list[str], End]] = {
    good_card: (PAYING, CHANGED),
    challenged: (["look", "before fetch", "after fetch", *PAYING[3:]], CHANGED),
    late_but_seats_are_free: (LATE, CHANGED),
    bad_card: (
        ["look", "before authorise", "after authorise", "before void", "after void", "look"],
        End("QUOTED", "CONFIRMED", "DECLINED", OLD, second=(1, 0)),
    ),
    never_sent: (
        ["look", "before find", "after find", "look"],
        End("EXPIRED", "CONFIRMED", "VOIDED", OLD),
    ),
    answer_lost_and_seats_too: (
        ["look", "before find", "after find", "look", "before void", "after void", "look"],
        End("EXPIRED", "CONFIRMED", "VOIDED", OLD, second=(1, 0)),
    ),
    authorisation_lapsed: (
        ["look", "before capture", "before void", "after void", "look"],
        End("FAILED", "CONFIRMED", "VOIDED", OLD),
    ),
    given_up_with_its_booking: (
        ["look", "before void", "after void", "look", "before refund", "after refund"],
        End("FAILED", "CANCELLED", "VOIDED", OLD, first=(0, 0)),
    ),
}
"""Each journey with every point at which it can die, and its end."""


@pytest.fixture
async def stage(changes: Changes, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Stage:
    booking = await changes.paid("3A")
    quote = await changes.quote(booking, await changes.flight(booking, "2B"))
    assert quote.due == DUE
    return Stage(changes, sandbox, monkeypatch, booking, quote)


async def end_of(stage: Stage) -> End:
    """How things stand, here and at the gateway, whose books our ledger agrees with."""
    ((payment,),) = await stage.changes.rows("SELECT status FROM payments WHERE amendment_id IS NOT NULL")
    booking = await stage.changes.booking(stage.booking.id)
    intents = await stage.sandbox.intents(booking.id)
    received = sum(one["amount_received"] for one in intents)
    pages = [await stage.sandbox.ask("GET", f"/v1/refunds?payment_intent={one['id']}") for one in intents]
    returned = sum(refund["amount"] for page in pages for refund in page["data"])
    assert received - returned == await money_at_the_gateway(stage.database)
    assert await stage.changes.faults() == []
    schedule = stage.changes.desk.schedule
    await assert_rebuilt(stage)
    return End(
        await stage.changes.status(stage.quote),
        booking.status,
        payment,
        booking.total,
        (await pools(stage.database, schedule.first))["ECONOMY"],
        (await pools(stage.database, schedule.second))["ECONOMY"],
    )


async def money_at_the_gateway(database: Database) -> int:
    """What the ledger says of it."""
    async with database.reading() as session:
        found = await ledger.balances(session)
    return sum(one.balance.minor_units for one in found if one.account is LedgerAccount.GATEWAY)


async def assert_rebuilt(stage: Stage) -> None:
    """What the facts of the booking say is what its rows say."""
    async with stage.database.reading() as session:
        rebuilt = await record(session, stage.booking.id)
        row = await session.get_one(Booking, stage.booking.id)
        quote = await session.get_one(Amendment, stage.quote.id)
        tickets = await session.execute(text("SELECT number, status FROM tickets"))
        assert (rebuilt.booking["status"], rebuilt.booking["total"]) == (row.status, row.total)
        assert [(key, one["status"], one["due"]) for key, one in rebuilt.amendments.items()] == [
            (str(quote.id), quote.status, quote.due)
        ]
        assert {(key, one["status"]) for key, one in rebuilt.tickets.items()} == {*map(tuple, tickets)}


@pytest.mark.parametrize(("journey", "dies_at"), deaths(JOURNEYS))
async def test_killed_at_any_point_it_ends_the_same(stage: Stage, journey: Journey, dies_at: int | None) -> None:
    await walk(
        JOURNEYS[journey],
        dies_at,
        living=partial(journey, stage),
        coming_next=stage.advance,
        standing=partial(end_of, stage),
    )
