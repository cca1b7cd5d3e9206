"""A refund of a booking that several payments have paid: spread over them, to the unit, never more than each has."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import ANY
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from structlog.testing import capture_logs

from core.db import Database
from core.keys import Keyring
from core.money import Money
from models import Booking, Payment, PaymentStatus, Refund, RefundStatus
from services import bookings, refunds
from services.gateways import Gateways, GatewayUnavailable, RefundAnswer, RefundOutcome
from services.refunds import MoreThanLeft
from services.seats import Plans
from services.transitions import Cause
from tests.factories.bookings import GUEST, Desk, key, left_of, snapshot
from tests.factories.schedules import Schedule
from tests.fakes.sandbox import Sandbox

CAUSE = Cause(actor="test", reason="part of it goes back")


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter at the small schedule."""
    return Desk(database, keyring, plans, schedule)


@pytest.fixture
async def booking(desk: Desk, gateways: Gateways) -> Booking:
    """A booking with two payments: its own, and one that was another booking's."""
    mine, other = await desk.booked("3A"), await desk.booked("3B", family="MAIN")
    for one in (mine, other):
        await bookings.pay(desk.database, gateways, one.id, "pm_card_visa", None, GUEST, key())
    async with desk.database.transaction() as session:
        await session.execute(text("DROP INDEX uq_payments_one_under_way"))
        await session.execute(text("UPDATE payments SET booking_id = :id"), {"id": mine.id})
    return mine


async def give_back(desk: Desk, booking: Booking, amount: int) -> list[tuple[int, int]]:
    """Ask for a refund; how much each payment, the first one first, has had asked of it, and the refund's part."""
    async with desk.database.transaction() as session:
        made = await refunds.give_back(session, booking.id, Money(amount, "USD"), "a gesture", CAUSE)
        paid = await payments_of(desk, booking)
        return [([one.id for one in paid].index(refund.payment_id), refund.amount) for refund in made]


async def payments_of(desk: Desk, booking: Booking) -> list[Payment]:
    async with desk.database.reading() as session:
        return (await bookings.payments_by_booking_ids(session, [booking.id]))[booking.id]


async def left(desk: Desk, booking: Booking) -> int:
    async with desk.database.reading() as session:
        return await left_of(session, booking.id)


async def test_each_payment_gives_in_proportion_to_what_it_has(
    desk: Desk, gateways: Gateways, booking: Booking, sandbox: Sandbox
) -> None:
    first, second = await payments_of(desk, booking)
    total, half = first.captured + second.captured, (first.captured + second.captured) // 2
    parts = [part.minor_units for part in Money(half, "USD").allocate([first.captured, second.captured])]
    assert await give_back(desk, booking, half) == [*enumerate(parts)]
    assert await refunds.settle(desk.database, gateways, booking.id)
    found = await payments_of(desk, booking)
    assert [(one.status, one.refunded) for one in found] == [(PaymentStatus.PARTIALLY_REFUNDED, part) for part in parts]
    assert await left(desk, booking) == total - half
    await give_back(desk, booking, total - half)
    assert await refunds.settle(desk.database, gateways, booking.id)
    assert [one.status for one in await payments_of(desk, booking)] == [PaymentStatus.REFUNDED] * 2
    for one in found:
        page = await sandbox.ask("GET", f"/v1/refunds?payment_intent={one.gateway_id}")
        assert sum(refund["amount"] for refund in page["data"]) == one.captured


async def test_a_gateway_that_is_away_keeps_no_other_s_refunds_waiting(
    desk: Desk, gateways: Gateways, booking: Booking, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await payments_of(desk, booking)
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE payments SET gateway = 'paypal' WHERE id = :id"), {"id": first.id})
    await give_back(desk, booking, first.captured + second.captured)

    async def silent(*_: object) -> RefundAnswer:
        raise GatewayUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(gateways.named("paypal"), "refund", silent)
        with pytest.raises(GatewayUnavailable):
            await refunds.settle(desk.database, gateways, booking.id)
    found = await payments_of(desk, booking)
    assert [one.status for one in found] == [PaymentStatus.CAPTURED, PaymentStatus.REFUNDED]
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE payments SET gateway = 'stripe'"))
    assert await refunds.settle(desk.database, gateways, booking.id)
    assert [one.status for one in await payments_of(desk, booking)] == [PaymentStatus.REFUNDED] * 2


async def test_a_refund_that_is_looked_for_in_vain_is_refused_alone(
    desk: Desk, gateways: Gateways, booking: Booking
) -> None:
    first, second = await payments_of(desk, booking)
    gone = text("UPDATE payments SET gateway = 'paypal', gateway_id = 'NOSUCHORDER' WHERE id = :id")
    await give_back(desk, booking, first.captured + second.captured)
    async with desk.database.transaction() as session:
        await session.execute(gone, {"id": first.id})
        await session.execute(text("UPDATE refunds SET created_at = created_at - interval '13 hours'"))
    assert await refunds.settle(desk.database, gateways, booking.id)
    found = await payments_of(desk, booking)
    assert [one.status for one in found] == [PaymentStatus.CAPTURED, PaymentStatus.REFUNDED]


async def test_a_refund_that_its_gateway_does_not_know_any_more_stays_as_it_is_alone(
    desk: Desk, gateways: Gateways, booking: Booking
) -> None:
    first, second = await payments_of(desk, booking)
    await give_back(desk, booking, first.captured + second.captured)
    async with desk.database.transaction() as session:
        gone = "UPDATE refunds SET gateway_id = 're_gone' WHERE payment_id = :id RETURNING id"
        lost = await session.scalar(text(gone), {"id": first.id})
    with capture_logs() as logs:
        assert not await refunds.settle(desk.database, gateways, booking.id)
    assert [(line["log_level"], line["event"], line["refund"]) for line in logs] == [
        ("error", "refund.unknown", str(lost))
    ]
    assert await standing(desk) == {
        first.id: (PaymentStatus.CAPTURED, RefundStatus.REQUESTED, "re_gone"),
        second.id: (PaymentStatus.REFUNDED, RefundStatus.SUCCEEDED, ANY),
    }
    before = await snapshot(desk.database)
    assert not await refunds.settle(desk.database, gateways, booking.id)
    assert await snapshot(desk.database) == before


async def standing(desk: Desk) -> dict[UUID, tuple[str, str, str | None]]:
    """By payment: its status, and status and name of its only refund."""
    asked = (
        "SELECT p.id, p.status, r.status, r.gateway_id FROM payments p JOIN refunds r ON r.payment_id = p.id"
        " ORDER BY p.id"
    )
    return {id_: (*rest,) for id_, *rest in await desk.database.reader(primary=True).fetch(asked)}


async def test_a_part_of_nothing_makes_no_refund(desk: Desk, booking: Booking) -> None:
    first, second = await payments_of(desk, booking)
    larger = 0 if first.captured > second.captured else 1
    assert await give_back(desk, booking, 1) == [(larger, 1)]
    assert await give_back(desk, booking, 0) == []
    assert await left(desk, booking) == first.captured + second.captured - 1


async def test_never_more_than_is_left(desk: Desk, booking: Booking) -> None:
    total = await left(desk, booking)
    await give_back(desk, booking, total - 1)
    before = await snapshot(desk.database)
    with pytest.raises(MoreThanLeft):
        await give_back(desk, booking, 2)
    assert await snapshot(desk.database) == before


async def test_a_refund_that_failed_is_owed_and_nothing_else_is_paid_from_it(desk: Desk, booking: Booking) -> None:
    total = await left(desk, booking)
    await give_back(desk, booking, total)
    async with desk.database.transaction() as session:
        for id_ in list(await session.scalars(text("SELECT id FROM refunds ORDER BY id"))):
            failed = RefundAnswer(gateway_id=f"re_{id_}", outcome=RefundOutcome.FAILED)
            await refunds.write(session, booking.id, id_, failed)
    assert await left(desk, booking) == 0
    with pytest.raises(MoreThanLeft):
        await give_back(desk, booking, 1)


@given(left=st.lists(st.integers(0, 10**9), min_size=1, max_size=9), data=st.data())
def test_parts_fit_and_lose_nothing(left: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(left)))
    if not amount:
        return
    parts = [part.minor_units for part in Money(amount, "USD").allocate(left)]
    assert sum(parts) == amount
    assert all(0 <= part <= most for part, most in zip(parts, left, strict=True))


@pytest.mark.parametrize(
    ("method", "to_card", "status", "day"),
    [
        ("pm_card_visa", None, RefundStatus.REQUESTED, datetime(2026, 12, 4, 9, tzinfo=UTC)),
        ("pm_card_visa", True, RefundStatus.SUCCEEDED, datetime(2026, 12, 4, 9, tzinfo=UTC)),
        ("pm_1QK8xCard", None, RefundStatus.REQUESTED, datetime(2026, 12, 11, 9, tzinfo=UTC)),
        ("pm_1QK8xCard", True, RefundStatus.SUCCEEDED, datetime(2026, 12, 4, 9, tzinfo=UTC)),
        ("pm_usBankAccount", False, RefundStatus.REQUESTED, datetime(2026, 12, 11, 9, tzinfo=UTC)),
        ("pm_card_visa", None, RefundStatus.FAILED, None),
    ],
)
def test_its_arrival_is_told(method: str, to_card: bool | None, status: RefundStatus, day: datetime | None) -> None:
    refund = Refund(status=status, to_card=to_card, created_at=datetime(2026, 11, 21, 9, tzinfo=UTC))
    assert refunds.expected_by(refund, Payment(method=method)) == day


async def test_the_gateway_tells_which_refunds_go_to_cards(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    await give_back(desk, booking, 40_00)
    assert await to_cards(desk) == {None}
    assert await refunds.settle(desk.database, gateways, booking.id)
    assert await to_cards(desk) == {True}


async def to_cards(desk: Desk) -> set[bool | None]:
    """What is known of all refunds."""
    async with desk.database.reading() as session:
        return {known for (known,) in await session.fetch("SELECT to_card FROM refunds")}
