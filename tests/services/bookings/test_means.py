"""Means of paying that know no promise: money that is taken when the payer agrees, and money that comes days later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from models import Booking, Payment
from services import bookings, holds, invariants, ledger
from services.gateways import Gateways
from services.payments import PaymentDeclined
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.factories.shares import pay_share, split
from tests.fakes.sandbox import Sandbox, connected, started

BACK = "https://shop.example/paid"
BUSY = timedelta(minutes=1)
SUCCEEDS, FAILS, WAITS = (f"pm_usBankAccount_{how}" for how in ("success", "insufficientFunds", "processing"))


@pytest.fixture(scope="module")
def own_sandbox() -> Iterator[Sandbox]:
    """One whose clock may be moved on."""
    with started() as running:
        yield running


@pytest.fixture
async def gateways(own_sandbox: Sandbox) -> AsyncIterator[Gateways]:
    registry = connected(own_sandbox)
    yield registry
    await registry.close()


async def pay(desk: Desk, gateways: Gateways, method: str) -> tuple[Booking, Payment]:
    """A booking, and its payment as far as it gets at once."""
    booking = await desk.booked("3A")
    return booking, await bookings.pay(desk.database, gateways, booking.id, method, BACK, GUEST, key())


async def close(desk: Desk) -> None:
    """The airline won't fly."""
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE slots SET status = 'CLOSED'"))


async def states(desk: Desk) -> tuple[str, str]:
    """Of the booking and its payment."""
    async with desk.database.reading() as session:
        row = await session.execute(text("SELECT b.status, y.status FROM bookings b JOIN payments y ON true"))
        booking, payment = row.one()
    return booking, payment


async def posted(desk: Desk, booking: Booking) -> list[tuple[str, int]]:
    """What the ledger has of it; nothing is broken."""
    assert [one for one in await invariants.check(desk.database) if one.broken] == []
    async with desk.database.reading() as session:
        return [(one.kind, one.amount) for one in await ledger.statement(session, booking.id)]


async def test_taken_when_the_payer_agrees(desk: Desk, gateways: Gateways, own_sandbox: Sandbox) -> None:
    booking, waiting = await pay(desk, gateways, await own_sandbox.method("alipay"))
    assert await states(desk) == ("PAYMENT_PENDING", "REQUIRES_ACTION")
    await own_sandbox.answer_challenge(str(waiting.redirect_url), "complete")
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert await states(desk) == ("CONFIRMED", "CAPTURED")
    assert await posted(desk, booking) == [("CAPTURED", booking.total)]


async def test_turned_away_at_the_bank(desk: Desk, gateways: Gateways, own_sandbox: Sandbox) -> None:
    booking, waiting = await pay(desk, gateways, await own_sandbox.method("alipay"))
    await own_sandbox.answer_challenge(str(waiting.redirect_url), "fail")
    await bookings.advance(desk.database, gateways, booking.id)
    assert await states(desk) == ("SEATS_LOCKED", "DECLINED")


async def test_taken_at_once_for_seats_that_cannot_be_sold_it_goes_back_whole(
    desk: Desk, gateways: Gateways, own_sandbox: Sandbox
) -> None:
    booking, waiting = await pay(desk, gateways, await own_sandbox.method("alipay"))
    await own_sandbox.answer_challenge(str(waiting.redirect_url), "complete")
    await close(desk)
    await bookings.advance(desk.database, gateways, booking.id)
    assert await states(desk) == ("FAILED", "VOIDED")
    assert await posted(desk, booking) == [("UNDUE", booking.total), ("UNDUE_RETURNED", booking.total)]
    [refund] = (await own_sandbox.ask("GET", f"/v1/refunds?payment_intent={waiting.gateway_id}"))["data"]
    assert (refund["amount"], refund["status"]) == (booking.total, "succeeded")


async def test_money_that_comes_while_the_seats_are_kept(desk: Desk, gateways: Gateways, own_sandbox: Sandbox) -> None:
    booking, waiting = await pay(desk, gateways, SUCCEEDS)
    assert waiting.deadline_at == waiting.created_at + timedelta(days=8)
    assert await states(desk) == ("PAYMENT_PENDING", "PROCESSING")
    await own_sandbox.settle()
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert await states(desk) == ("CONFIRMED", "CAPTURED")
    assert await posted(desk, booking) == [("CAPTURED", booking.total)]


async def test_days_are_waited_for_and_the_seats_are_anybodys(desk: Desk, gateways: Gateways) -> None:
    booking, _ = await pay(desk, gateways, WAITS)
    await pass_time(desk.database, timedelta(minutes=16))
    again = await bookings.advance(desk.database, gateways, booking.id)
    assert again is not None
    assert timedelta(days=7, hours=23) < again < timedelta(days=8)
    assert await states(desk) == ("PAYMENT_PENDING", "PROCESSING")
    await desk.hold("3A")


async def test_money_that_comes_days_later_finds_its_seats_again(
    desk: Desk, gateways: Gateways, own_sandbox: Sandbox
) -> None:
    booking, _ = await pay(desk, gateways, SUCCEEDS)
    await pass_time(desk.database, timedelta(days=3))
    async with desk.database.transaction() as session:
        assert await holds.expire_due(session, 10) == 1
    await own_sandbox.settle()
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert await states(desk) == ("CONFIRMED", "CAPTURED")
    assert await posted(desk, booking) == [("CAPTURED", booking.total)]


async def test_money_that_comes_for_a_flight_that_is_not_sold_any_more_goes_back(
    desk: Desk, gateways: Gateways, own_sandbox: Sandbox
) -> None:
    booking, _ = await pay(desk, gateways, SUCCEEDS)
    await pass_time(desk.database, timedelta(days=3))
    await close(desk)
    await own_sandbox.settle()
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert await states(desk) == ("EXPIRED", "VOIDED")
    assert await posted(desk, booking) == [("UNDUE", booking.total), ("UNDUE_RETURNED", booking.total)]


async def test_money_that_comes_late_finds_its_seats_again(
    desk: Desk, gateways: Gateways, own_sandbox: Sandbox
) -> None:
    booking, _ = await pay(desk, gateways, SUCCEEDS)
    await pass_time(desk.database, timedelta(days=3))
    await own_sandbox.settle()
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert await states(desk) == ("CONFIRMED", "CAPTURED")
    assert await posted(desk, booking) == [("CAPTURED", booking.total)]


@pytest.mark.parametrize(
    ("passed", "ends"),
    [(timedelta(), ("SEATS_LOCKED", "DECLINED")), (timedelta(days=3), ("EXPIRED", "DECLINED"))],
    ids=["in time", "late"],
)
async def test_a_debit_that_fails(
    desk: Desk, gateways: Gateways, own_sandbox: Sandbox, passed: timedelta, ends: tuple[str, str]
) -> None:
    booking, _ = await pay(desk, gateways, FAILS)
    await pass_time(desk.database, passed)
    await own_sandbox.settle()
    await bookings.advance(desk.database, gateways, booking.id)
    assert await states(desk) == ends
    assert await posted(desk, booking) == []


async def test_past_its_deadline_it_is_called_off(
    desk: Desk, gateways: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go: list[str] = []

    async def void(gateway_id: str) -> None:
        let_go.append(gateway_id)

    booking, waiting = await pay(desk, gateways, WAITS)
    await pass_time(desk.database, timedelta(days=9))
    monkeypatch.setattr(gateways.named("stripe"), "void", void)
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert let_go == [waiting.gateway_id]
    assert await states(desk) == ("EXPIRED", "VOIDED")


async def test_past_its_deadline_it_is_called_off_as_soon_as_the_bank_lets_go(
    desk: Desk, gateways: Gateways, own_sandbox: Sandbox
) -> None:
    booking, _ = await pay(desk, gateways, FAILS)
    await pass_time(desk.database, timedelta(days=9))
    assert await bookings.advance(desk.database, gateways, booking.id) == BUSY
    assert await states(desk) == ("PAYMENT_PENDING", "PROCESSING")
    await own_sandbox.settle()
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert await states(desk) == ("EXPIRED", "DECLINED")


async def test_a_share_whose_bank_takes_days_keeps_the_other_payers_from_nothing(
    desk: Desk, gateways: Gateways, own_sandbox: Sandbox
) -> None:
    booking = await desk.booked("3A")
    first, second = await split(desk.database, booking, 2)
    await pay_share(desk.database, gateways, first)
    await pay_share(desk.database, gateways, second, SUCCEEDS)
    await pass_time(desk.database, timedelta(minutes=16))
    await bookings.advance(desk.database, gateways, booking.id)
    async with desk.database.reading() as session:
        paid = await session.execute(text("SELECT share_id, status FROM payments ORDER BY id"))
        assert [tuple(one) for one in paid] == [(first.id, "VOIDED"), (second.id, "PROCESSING")]
    await own_sandbox.settle()
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    async with desk.database.reading() as session:
        assert list(await session.scalars(text("SELECT status FROM payments"))) == ["VOIDED", "VOIDED"]
        assert (await session.get_one(Booking, booking.id)).status == "EXPIRED"
    assert await posted(desk, booking) == [("UNDUE", second.amount), ("UNDUE_RETURNED", second.amount)]


async def test_a_card_is_declined_as_ever(desk: Desk, gateways: Gateways) -> None:
    with pytest.raises(PaymentDeclined):
        await pay(desk, gateways, "pm_card_visa_chargeDeclined")
    assert await states(desk) == ("SEATS_LOCKED", "DECLINED")
