"""The ledger: what is posted when money moves, and that nobody can rewrite it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db import Database
from core.ids import uuid7
from core.keys import Keyring
from core.money import Money
from models import Booking, LedgerAccount, PostingKind
from services import bookings, invariants, ledger, refunds
from services.gateways import Gateways, RefundAnswer, RefundOutcome
from services.seats import Plans
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.factories.schedules import Schedule

FEE = 25_00
GATEWAY, UNEARNED, REFUNDS, FEES, REVENUE = LedgerAccount


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter at the small schedule."""
    return Desk(database, keyring, plans, schedule)


async def paid(desk: Desk, gateways: Gateways) -> Booking:
    """A confirmed booking of two days ago."""
    booking = await desk.booked("3A", family="FLEX")
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    await pass_time(desk.database, timedelta(days=2))
    return booking


async def cancel(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    """Cancel on the terms that are quoted."""
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())


async def posted(desk: Desk, booking: Booking) -> list[tuple[str, int]]:
    """What the statement of a booking says, in order."""
    async with desk.database.reading() as session:
        return [(one.kind, one.amount) for one in await ledger.statement(session, booking.id)]


async def balances(desk: Desk) -> Mapping[str, int]:
    """What every account holds."""
    async with desk.database.reading() as session:
        return {one.account: one.balance.minor_units for one in await ledger.balances(session)}


async def broken(desk: Desk) -> set[str]:
    """The names of the invariants that do not hold."""
    return {one.name for one in await invariants.check(desk.database) if one.broken}


async def refused(desk: Desk, statement: str) -> str:
    """What PostgreSQL says against a statement."""
    with pytest.raises(DBAPIError) as error:
        async with desk.database.transaction() as session:
            await session.execute(text(statement))
    return str(error.value.orig)


async def test_money_that_was_captured_is_owed_until_the_flight(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways)
    assert await posted(desk, booking) == [("CAPTURED", booking.total)]
    assert await balances(desk) == {GATEWAY: booking.total, UNEARNED: booking.total}


async def test_a_cancellation_is_split_into_what_goes_back_and_what_is_kept(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways)
    await cancel(desk, gateways, booking)
    back = booking.total - FEE
    assert await posted(desk, booking) == [
        ("CAPTURED", booking.total),
        ("KEPT", FEE),
        ("OWED", back),
        ("REFUNDED", back),
    ]
    assert await balances(desk) == {GATEWAY: FEE, UNEARNED: 0, REFUNDS: 0, FEES: FEE}
    assert await broken(desk) == set()


async def test_a_refund_that_comes_back_is_owed_again(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways)
    await cancel(desk, gateways, booking)
    async with desk.database.transaction() as session:
        refund_id = (await session.execute(text("SELECT id FROM refunds"))).scalar_one()
        failed = RefundAnswer(gateway_id="re_1", outcome=RefundOutcome.FAILED)
        for _ in range(2):
            await refunds.write(session, booking.id, refund_id, failed)
    assert (await posted(desk, booking))[-1] == ("RETURNED", booking.total - FEE)
    back = booking.total - FEE
    assert await balances(desk) == {GATEWAY: booking.total, UNEARNED: 0, REFUNDS: back, FEES: FEE}
    # Somebody's money is with us, and nothing is under way that sends it back: that is for a person to see.
    assert await broken(desk) == {"A booking that is over keeps no money that it does not owe, and no open ticket"}


async def test_nothing_is_posted_for_what_was_never_paid(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    unpaid = await desk.booked("3B")
    await cancel(desk, gateways, unpaid)
    assert await posted(desk, unpaid) == []
    assert await balances(desk) == {GATEWAY: booking.total, UNEARNED: booking.total}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET amount = 1",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "UPDATE ledger SET amount = 1 WHERE false",
    ],
)
async def test_nobody_rewrites_it(desk: Desk, gateways: Gateways, statement: str) -> None:
    booking = await paid(desk, gateways)
    assert "ledger is append-only" in await refused(desk, statement)
    assert await posted(desk, booking) == [("CAPTURED", booking.total)]


async def test_a_subject_moves_money_once_in_each_way(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways)
    async with desk.database.reading() as session:
        (capture,) = await ledger.statement(session, booking.id)
    again: Any = (PostingKind.CAPTURED, booking.id, capture.subject, Money(1, "USD"))
    with pytest.raises(asyncpg.UniqueViolationError):
        async with desk.database.transaction() as session:
            await ledger.post(session, *again)
    async with desk.database.transaction() as session:
        await ledger.post_once(session, *again)
    assert await posted(desk, booking) == [("CAPTURED", booking.total)]


async def test_nothing_and_less_cannot_be_posted(desk: Desk) -> None:
    booking = await desk.booked("3A")
    for amount in (0, -1):
        with pytest.raises(asyncpg.CheckViolationError, match="ck_ledger_something"):
            async with desk.database.transaction() as session:
                await ledger.post(session, PostingKind.CAPTURED, booking.id, uuid7(), Money(amount, "USD"))
    assert await posted(desk, booking) == []
