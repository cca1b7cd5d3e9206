"""What was split among payers, or changed and paid again, is cancelled in part: each payment gives its part back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from models import Booking, BookingStatus
from services import bookings, invariants
from services.gateways import Gateways
from tests.factories.amendments import Changes
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.factories.shares import part, pay_share, split
from tests.fakes.sandbox import Sandbox

FEE = 25_00


@pytest.fixture
def changes(desk: Desk, gateways: Gateways) -> Changes:
    return Changes(desk, gateways)


async def cancel(desk: Desk, gateways: Gateways, booking: Booking, *who: UUID) -> tuple[int, int]:
    """Cancel for those passengers, or for all: what came back, and what was kept."""
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking, list(who) or None)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    return quote.refund, quote.fee


async def sound(desk: Desk) -> bool:
    return not [one for one in await invariants.check(desk.database) if one.broken]


async def payments(desk: Desk) -> list[tuple[Any, ...]]:
    """What each payment took and gave back."""
    async with desk.database.reading() as session:
        rows = await session.execute(text("SELECT captured, refunded FROM payments WHERE captured > 0 ORDER BY id"))
        return [tuple(row) for row in rows]


async def second(desk: Desk, booking: Booking) -> UUID:
    """The second of the passengers."""
    async with desk.database.reading() as session:
        return (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id][1].id


async def test_each_payer_has_their_part_back(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await desk.booked("3A", "3B")
    amounts = [100_00, 198_20, 100_00]
    shares = await split(desk.database, booking, [part(booking, units) for units in amounts])
    for share in shares:
        await pay_share(desk.database, gateways, share)
    await pass_time(desk.database, timedelta(days=2))
    first, kept = await cancel(desk, gateways, booking, await second(desk, booking))
    assert (first, kept) == (199_10 - FEE, FEE)
    # 174.10 of 398.20: in proportion to 100.00, 198.20 and 100.00, to the unit.
    assert await payments(desk) == [(100_00, 43_72), (198_20, 86_66), (100_00, 43_72)]
    assert await sound(desk)
    rest, kept = await cancel(desk, gateways, booking)
    assert (rest, kept) == (199_10, 0)
    back = [refunded for _, refunded in await payments(desk)]
    assert sum(back) == booking.total - FEE
    assert all(refunded <= captured for captured, refunded in await payments(desk))
    intents = await sandbox.intents(booking.id)
    pages = [await sandbox.ask("GET", f"/v1/refunds?payment_intent={one['id']}") for one in intents]
    assert sorted(sum(one["amount"] for one in page["data"]) for page in pages) == sorted(back)
    assert await sound(desk)


async def test_what_was_changed_and_then_left(changes: Changes) -> None:
    """A change that had to be paid is a second payment; its penalty is gone for good."""
    desk, gateways = changes.desk, changes.gateways
    booking = await changes.paid("3A", "3B")
    await pass_time(desk.database, timedelta(days=2))
    quote = await changes.quote(booking, await changes.flight(booking, "3C", "3D"))
    assert (await changes.confirm(quote)).status == "APPLIED"
    changed = await changes.booking(booking.id)
    assert await sound(desk)
    first, kept = await cancel(desk, gateways, changed, await second(desk, changed))
    assert first + kept == changed.total // 2
    assert await sound(desk)
    rest, kept_too = await cancel(desk, gateways, changed)
    assert rest + kept_too == changed.total - changed.total // 2
    assert kept + kept_too == FEE
    taken = sum(captured for captured, _ in await payments(desk))
    assert taken - sum(refunded for _, refunded in await payments(desk)) == FEE + quote.penalty
    assert await sound(desk)


async def test_who_is_left_changes_and_then_cancels(changes: Changes) -> None:
    desk, gateways = changes.desk, changes.gateways
    booking = await changes.paid("3A", "3B")
    await pass_time(desk.database, timedelta(days=2))
    await cancel(desk, gateways, booking, await second(desk, booking))
    left = await changes.booking(booking.id)
    wish = await changes.seat(left, "3D")
    quote = await changes.quote(left, wish)
    assert (await changes.confirm(quote)).status == "APPLIED"
    assert await sound(desk)
    changed = await changes.booking(booking.id)
    assert await cancel(desk, gateways, changed) == (changed.total, 0)
    assert (await changes.booking(booking.id)).status == BookingStatus.CANCELLED
    assert await sound(desk)
