"""A payment that is given up is called off at the gateway, however long that takes, and whatever became of it there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from core.money import Money
from models import Booking
from services import bookings, ledger
from services.gateways import (
    Authorised,
    Captured,
    GatewayRefused,
    Gateways,
    GatewayUnavailable,
    Order,
    Outcome,
    Processing,
)
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.fakes.mortal import Died, Life
from tests.fakes.sandbox import Sandbox

CHALLENGED, BACK = "pm_card_threeDSecure2Required", "https://shop.example/paid"
BUSY = timedelta(minutes=1)


class Bank:
    """Stands between the saga and the gateway: while it is at work, nothing can be called off."""

    def __init__(self, gateways: Gateways, monkeypatch: pytest.MonkeyPatch) -> None:
        self._gateway = gateways.default
        self._fetch, self._void = self._gateway.fetch, self._gateway.void
        self.answer: Callable[[str], Outcome] | None = lambda id_: Processing(gateway_id=id_, client_secret=None)
        monkeypatch.setattr(self._gateway, "fetch", self.fetch)
        monkeypatch.setattr(self._gateway, "void", self.void)

    async def fetch(self, gateway_id: str) -> Outcome:
        return self.answer(gateway_id) if self.answer else await self._fetch(gateway_id)

    async def void(self, gateway_id: str) -> None:
        if self.answer is not None:
            raise GatewayRefused("payment_intent_unexpected_state", "a bank is at work")
        await self._void(gateway_id)


async def overdue(desk: Desk, gateways: Gateways) -> Booking:
    """A booking whose payer has not come back in time."""
    booking = await desk.booked("3A")
    await bookings.pay(desk.database, gateways, booking.id, CHALLENGED, BACK, GUEST, key())
    await pass_time(desk.database, timedelta(minutes=16))
    return booking


async def states(desk: Desk) -> tuple[object, ...]:
    """Of the booking, its payment and its hold."""
    query = "SELECT b.status, y.status, h.status FROM bookings b, payments y, holds h"
    async with desk.database.reading() as session:
        return tuple((await session.execute(text(query))).one())


async def test_while_a_bank_is_at_work_the_payment_waits_to_be_called_off(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking, bank = await overdue(desk, gateways), Bank(gateways, monkeypatch)
    assert await bookings.advance(desk.database, gateways, booking.id) == BUSY
    assert await states(desk) == ("PAYMENT_PENDING", "REQUIRES_ACTION", "ACTIVE")
    assert await bookings.advance(desk.database, gateways, booking.id) == BUSY
    bank.answer = None
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert await states(desk) == ("EXPIRED", "VOIDED", "EXPIRED")
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]


async def test_money_that_was_taken_meanwhile_is_sent_back(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await overdue(desk, gateways)
    (intent,) = await sandbox.intents(booking.id)
    await sandbox.answer_challenge(intent["next_action"]["redirect_to_url"]["url"], "complete")
    await sandbox.ask("POST", f"/v1/payment_intents/{intent['id']}/capture")
    bank, asked = Bank(gateways, monkeypatch), 0

    def late(id_: str) -> Outcome:
        nonlocal asked
        asked += 1
        if asked == 1:
            return Processing(gateway_id=id_, client_secret=None)
        return Captured(gateway_id=id_, amount=Money(booking.total, booking.currency))

    bank.answer = late
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert await states(desk) == ("EXPIRED", "VOIDED", "EXPIRED")
    refunds = await sandbox.ask("GET", f"/v1/refunds?payment_intent={intent['id']}")
    assert [one["amount"] for one in refunds["data"]] == [booking.total]
    async with desk.database.reading() as session:
        posted = [(one.kind, one.amount) for one in await ledger.statement(session, booking.id)]
    assert posted == [("UNDUE", booking.total), ("UNDUE_RETURNED", booking.total)]


async def test_money_that_somebody_sent_back_by_hand_is_owed_for_a_person_to_settle(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await overdue(desk, gateways)
    (intent,) = await sandbox.intents(booking.id)
    await sandbox.answer_challenge(intent["next_action"]["redirect_to_url"]["url"], "complete")
    await sandbox.ask("POST", f"/v1/payment_intents/{intent['id']}/capture")
    await sandbox.send("/v1/refunds", payment_intent=intent["id"])
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE slots SET status = 'CLOSED'"))
    for _ in range(2):
        assert await bookings.advance(desk.database, gateways, booking.id) is None
        assert [await bookings.drop(desk.database, gateways, id_) for id_ in await payment_ids(desk)] == [None]
    assert (await states(desk))[:2] == ("EXPIRED", "VOIDED")
    async with desk.database.reading() as session:
        posted = [(one.kind, one.amount) for one in await ledger.statement(session, booking.id)]
    assert posted == [("UNDUE", booking.total)]


async def test_a_payment_that_its_gateway_neither_calls_off_nor_shows_waits(
    desk: Desk, gateways: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking, bank = await overdue(desk, gateways), Bank(gateways, monkeypatch)
    await bookings.advance(desk.database, gateways, booking.id)
    bank.answer = hide
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE payments SET status = 'VOIDED'"))
    assert [await bookings.drop(desk.database, gateways, id_) for id_ in await payment_ids(desk)] == [BUSY]


def hide(_: str) -> Outcome:
    raise GatewayRefused("resource_missing", "no such payment")


async def payment_ids(desk: Desk) -> list[UUID]:
    async with desk.database.reading() as session:
        return list(await session.scalars(text("SELECT id FROM payments")))


async def test_a_declined_payment_that_cannot_be_called_off_yet_is_not_given_up(
    desk: Desk, gateways: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking, bank = await desk.booked("3A"), Bank(gateways, monkeypatch)
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa_chargeDeclined", None, GUEST, key())
    assert await states(desk) == ("PAYMENT_PENDING", "INITIATED", "ACTIVE")
    bank.answer = None
    await bookings.advance(desk.database, gateways, booking.id)
    assert await states(desk) == ("SEATS_LOCKED", "DECLINED", "ACTIVE")


async def test_a_refused_capture_whose_promise_stands_is_not_given_up(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking, bank = await desk.booked("3A"), Bank(gateways, monkeypatch)
    bank.answer = lambda id_: Authorised(gateway_id=id_, client_secret=None)

    async def refuse(*_: object) -> Captured:
        raise GatewayRefused("refused", "not now")

    monkeypatch.setattr(gateways.default, "capture", refuse)
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    assert await states(desk) == ("PAYMENT_PENDING", "AUTHORIZED", "BOOKED")
    bank.answer = None
    await bookings.advance(desk.database, gateways, booking.id)
    assert await states(desk) == ("FAILED", "VOIDED", "BOOKED")
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]


@pytest.fixture
def slow(desk: Desk, gateways: Gateways, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway is asked, and before it hears that, the payment's time is over and it is given up."""
    authorise = gateways.default.authorise

    async def late(order: Order) -> Outcome:
        await pass_time(desk.database, timedelta(minutes=16))
        await bookings.advance(desk.database, gateways, order.booking_id)
        return await authorise(order)

    monkeypatch.setattr(gateways.default, "authorise", late)


async def orphans(desk: Desk, gateways: Gateways) -> list[timedelta | None]:
    """Do what the jobs about orphans do."""
    async with desk.database.reading() as session:
        ids = await session.scalars(text("SELECT id FROM payments"))
        jobs = await session.scalars(text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'drop_payment'"))
        assert jobs.one() > 0
    return [await bookings.drop(desk.database, gateways, payment_id) for payment_id in ids]


@pytest.mark.usefixtures("slow")
async def test_an_orphan_is_called_off_though_the_gateway_went_away(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("3A")
    await sandbox.fault("error", "/v1/payment_intents/*/cancel", when="before", times=6)
    with pytest.raises(GatewayUnavailable):
        await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    with pytest.raises(GatewayUnavailable):
        await orphans(desk, gateways)
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["requires_capture"]
    assert await orphans(desk, gateways) == [None]
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
    assert await states(desk) == ("EXPIRED", "VOIDED", "EXPIRED")


@pytest.mark.usefixtures("slow")
async def test_an_orphan_whose_maker_died_is_found(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await desk.booked("3A")
    life = Life(dies_at=4)
    with monkeypatch.context() as patch:
        mortal = life.lead(patch, gateways)
        with pytest.raises(Died, match="after authorise"):
            await bookings.pay(desk.database, mortal, booking.id, "pm_card_visa", None, GUEST, key())
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["requires_capture"]
    assert await orphans(desk, gateways) == [None]
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
