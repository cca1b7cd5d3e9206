"""A gateway's lists are held against ours: what can be put right is, the rest is noted once for a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, text

from core import clock
from core.db import Database
from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.keys import Keyring
from core.money import Money
from models import Booking
from services import bookings, discrepancies, invariants, reconciliation
from services.gateways import Authorised, Gateways, GatewayUnavailable, Order
from services.payments import PaymentDeclined
from services.reconciliation import PERIOD, SKEW, WINDOW
from services.seats import Plans
from tests.factories.bookings import GUEST, Desk, key, snapshot
from tests.factories.schedules import Schedule
from tests.fakes.sandbox import Sandbox, connected, started
from tests.fakes.waiting import eventually

CHALLENGED, BACK = "pm_card_threeDSecure2Required", "https://shop.example/paid"
SOON = timedelta(minutes=-1)
"""Up to a minute from now: so that what was paid just now is walked."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox whose books have nothing but what these tests pay; each looks at its own bookings."""
    with started() as running:
        yield running


@pytest.fixture
async def gateways(sandbox: Sandbox) -> AsyncIterator[Gateways]:
    """The real gateway, at that sandbox."""
    registry = connected(sandbox)
    yield registry
    await registry.close()
    await sandbox.heal()


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter at the small schedule. What other tests paid is unknown to its database."""
    return Desk(database, keyring, plans, schedule)


async def paid(desk: Desk, gateways: Gateways, unit: str = "3A", method: str = "pm_card_visa") -> Booking:
    booking = await desk.booked(unit)
    await bookings.pay(desk.database, gateways, booking.id, method, BACK, GUEST, key())
    return booking


async def do(database: Database, statement: str, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement), values)


async def walk(desk: Desk, gateways: Gateways) -> timedelta:
    """Walk all there is, from a little before the first payment on."""
    await do(desk.database, "DELETE FROM reconciliation_walks")
    return await reconciliation.reconcile(desk.database, gateways, settled=SOON)


async def noted(desk: Desk) -> list[tuple[str, str]]:
    """What was noted about our bookings: kind, and the gateway's id."""
    async with desk.database.reading() as session:
        found = await discrepancies.found(session, settled=False, first=100, after=None)
    return [(one.kind, one.subject) for one in found if one.booking_id is not None]


async def queued(desk: Desk) -> list[str]:
    """What jobs wait."""
    async with desk.database.reading() as session:
        return list(await session.scalars(text("SELECT entrypoint FROM pgqueuer ORDER BY id")))


async def payment_of(desk: Desk, booking: Booking) -> Any:
    async with desk.database.reading() as session:
        found = await session.execute(text("SELECT * FROM payments WHERE booking_id = :id"), {"id": booking.id})
        return found.one()


async def test_where_both_agree_nothing_is_done(desk: Desk, gateways: Gateways) -> None:
    await paid(desk, gateways)
    cancelled = await paid(desk, gateways, "3B")
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, cancelled)
    await bookings.cancel(desk.database, gateways, quote.id, cancelled.id, GUEST, key())
    with pytest.raises(PaymentDeclined):
        await paid(desk, gateways, "3C", "pm_card_visa_chargeDeclined")
    before = await snapshot(desk.database)
    assert await walk(desk, gateways) == PERIOD
    after = await snapshot(desk.database)
    assert {table for table in before if before[table] != after[table]} <= {"discrepancies"}
    assert await noted(desk) == []


async def test_a_payment_that_we_never_wrote_is_noted_once(desk: Desk, gateways: Gateways) -> None:
    await paid(desk, gateways)
    order = Order(
        payment_id=uuid7(),
        booking_id=uuid7(),
        pnr="ABC234",
        amount=Money(10_00, "USD"),
        method="pm_card_visa",
        return_url=None,
        created_at=clock.now(),
    )
    made = await gateways.default.authorise(order)
    assert isinstance(made, Authorised)
    for _ in range(2):
        await walk(desk, gateways)
    async with desk.database.reading() as session:
        found = await discrepancies.found(session, settled=False, first=100, after=None)
    assert [(one.kind, one.details) for one in found if one.subject == made.gateway_id] == [
        ("UNKNOWN_PAYMENT", {"payment": str(order.payment_id), "outcome": "Authorised"})
    ]


async def test_a_payment_that_the_gateway_never_heard_of_is_noted(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways)
    with started() as empty:
        elsewhere = connected(empty)
        await walk(desk, elsewhere)
        await elsewhere.close()
    payment = await payment_of(desk, booking)
    assert await noted(desk) == [("MISSING_PAYMENT", payment.gateway_id)]


async def test_another_amount_is_noted(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways)
    await do(desk.database, "UPDATE payments SET captured = captured - 1")
    await walk(desk, gateways)
    assert await noted(desk) == [("OTHER_AMOUNT", (await payment_of(desk, booking)).gateway_id)]


async def test_a_refund_from_elsewhere_is_noted(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways)
    payment = await payment_of(desk, booking)
    for by_hand in ("by hand", str(uuid7())):
        await gateways.default.refund(payment.gateway_id, Money(5_00, "USD"), by_hand)
    await walk(desk, gateways)
    assert [kind for kind, _ in await noted(desk)] == ["UNKNOWN_REFUND"] * 2


async def test_a_refund_whose_end_we_missed_is_settled(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways)
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    await do(desk.database, "UPDATE refunds SET status = 'REQUESTED'")
    await do(desk.database, "DELETE FROM pgqueuer")
    await walk(desk, gateways)
    assert (await queued(desk), await noted(desk)) == (["advance_booking"], [])


async def test_a_booking_that_was_left_under_way_is_advanced(desk: Desk, gateways: Gateways) -> None:
    await paid(desk, gateways, method=CHALLENGED)
    await do(desk.database, "DELETE FROM pgqueuer")
    await walk(desk, gateways)
    assert (await queued(desk), await noted(desk)) == (["advance_booking"], [])


async def test_money_left_at_the_gateway_for_a_payment_that_is_over_goes_back(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await paid(desk, gateways, method=CHALLENGED)
    (intent,) = await sandbox.intents(booking.id)
    # Behind our back the payment is confirmed and captured, after we have given it up.
    await sandbox.answer_challenge(intent["next_action"]["redirect_to_url"]["url"], "complete")
    await sandbox.ask("POST", f"/v1/payment_intents/{intent['id']}/capture")
    await do(desk.database, "UPDATE payments SET status = 'VOIDED'")
    await do(desk.database, "DELETE FROM pgqueuer")
    await walk(desk, gateways)
    assert await queued(desk) == ["drop_payment"]
    payment = await payment_of(desk, booking)
    assert await bookings.drop(desk.database, gateways, payment.id) is None
    refunds = (await sandbox.ask("GET", f"/v1/refunds?payment_intent={intent['id']}"))["data"]
    assert [one["amount"] for one in refunds] == [booking.total]
    await walk(desk, gateways)
    assert (await queued(desk), await noted(desk)) == (["drop_payment"], [])
    broken = {one.name for one in await invariants.check(desk.database) if one.broken}
    assert not {name for name in broken if "ledger" in name or "balances" in name}


async def test_a_dispute_is_noted(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await paid(desk, gateways, method="pm_card_createDispute")
    gateway_id = (await payment_of(desk, booking)).gateway_id
    found: list[Any] = []

    async def disputed() -> bool:
        found[:] = (await sandbox.ask("GET", f"/v1/disputes?payment_intent={gateway_id}"))["data"]
        return bool(found)

    await eventually(disputed)
    await walk(desk, gateways)
    assert await noted(desk) == [("DISPUTED", found[0]["id"])]


async def test_a_walk_that_was_cut_off_is_begun_again(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    await paid(desk, gateways)
    await sandbox.fault("reset", "/v1/refunds", method="GET", times=20)
    with pytest.raises(GatewayUnavailable):
        await walk(desk, gateways)
    await sandbox.heal()
    async with desk.database.reading() as session:
        assert (await session.execute(text("SELECT count(*) FROM reconciliation_walks"))).scalar_one() == 0
    assert await walk(desk, gateways) == PERIOD
    async with desk.database.reading() as session:
        assert (await session.execute(text("SELECT count(*) FROM reconciliation_walks"))).scalar_one() == 1


async def test_minutes_are_walked_in_their_order_up_to_what_is_settled(desk: Desk, gateways: Gateways) -> None:
    now = clock.now()
    assert await reconciliation.next_stretch(desk.database, "stripe", now) is None
    await paid(desk, gateways)
    began = now - timedelta(minutes=25)
    await do(desk.database, "UPDATE payments SET created_at = :began", began=began)
    first = await reconciliation.next_stretch(desk.database, "stripe", now)
    assert first is not None
    assert (first.since, first.until) == (began - SKEW, began - SKEW + WINDOW)
    insert = "INSERT INTO reconciliation_walks VALUES ('stripe', :to)"
    await do(desk.database, insert, to=began + 2 * WINDOW)
    last = await reconciliation.next_stretch(desk.database, "stripe", now)
    assert last is not None
    assert (last.since, last.until) == (began + 2 * WINDOW, now)
    assert await reconciliation.next_stretch(desk.database, "stripe", began + 2 * WINDOW) is None


async def test_each_minute_is_walked_once(desk: Desk, gateways: Gateways, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = await paid(desk, gateways)
    await do(desk.database, "UPDATE payments SET created_at = created_at - interval '25 minutes'")
    asked: dict[str, list[tuple[Any, Any]]] = {}
    fetched: list[str] = []

    def counted(name: str) -> None:
        real = getattr(gateways.default, name)

        def listed(since: Any, until: Any) -> Any:
            asked.setdefault(name, []).append((since, until))
            return real(since, until)

        monkeypatch.setattr(gateways.default, name, listed)

    async def fetch(gateway_id: str) -> Any:
        fetched.append(gateway_id)
        return await real_fetch(gateway_id)

    for name in ("payments_between", "refunds_between", "disputes_between"):
        counted(name)
    real_fetch = gateways.default.fetch
    monkeypatch.setattr(gateways.default, "fetch", fetch)
    await walk(desk, gateways)
    windows = asked["payments_between"]
    assert asked == dict.fromkeys(asked, windows)
    assert [until for _, until in windows[:-1]] == [since for since, _ in windows[1:]]
    assert len(windows) == 4
    # It was written down in minutes in which the gateway did not make it: it was asked for, once.
    assert fetched == [(await payment_of(desk, booking)).gateway_id]
    assert await noted(desk) == []


async def test_slow_lists_are_walked_once_they_have_everything(
    desk: Desk, gateways: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    await paid(desk, gateways)
    await do(desk.database, "UPDATE payments SET created_at = created_at - interval '25 minutes'")
    monkeypatch.setattr(gateways.default, "lists_after", timedelta(minutes=20))
    await walk(desk, gateways)
    async with desk.database.reading() as session:
        (walked_to,) = await session.scalars(text("SELECT walked_to FROM reconciliation_walks"))
    assert timedelta(minutes=20) <= clock.now() - walked_to < timedelta(minutes=25)


async def test_many_refunds_are_read_together(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways)
    payment = await payment_of(desk, booking)
    for _ in range(3):
        await gateways.default.refund(payment.gateway_id, Money(1_00, "USD"), str(uuid7()))
    statements: list[str] = []

    def watch(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", watch)
    try:
        await walk(desk, gateways)
    finally:
        event.remove(Engine, "before_cursor_execute", watch)
    assert [kind for kind, _ in await noted(desk)] == ["UNKNOWN_REFUND"] * 3
    assert sum("FROM refunds" in statement for statement in statements) == 1


async def test_somebody_settles_it_once(desk: Desk, gateways: Gateways) -> None:
    await paid(desk, gateways)
    await do(desk.database, "UPDATE payments SET captured = captured - 1")
    await walk(desk, gateways)
    async with desk.database.transaction() as session:
        open_ = await discrepancies.found(session, settled=False, first=100, after=None)
        (one,) = [found for found in open_ if found.booking_id is not None]
        done = await discrepancies.settle(session, one.id, "user:1", "a bank's fee")
        assert (done.settled_by, done.settled_why) == ("user:1", "a bank's fee")
    async with desk.database.transaction() as session:
        with pytest.raises(Conflict) as refused:
            await discrepancies.settle(session, one.id, "user:2", "again")
        assert refused.value.code == "SETTLED"
        with pytest.raises(NotFound):
            await discrepancies.settle(session, UUID(int=1), "user:2", "nothing")
        settled = await discrepancies.found(session, settled=True, first=100, after=None)
        assert [(found.id, found.settled_why) for found in settled] == [(one.id, "a bank's fee")]
    await walk(desk, gateways)
    assert await noted(desk) == []
