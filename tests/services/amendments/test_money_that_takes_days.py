"""A change without a hold, paid by a debit that takes days: made while its flight can be changed, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from models import Amendment, Booking
from services import bookings, ledger
from services.amendments import AddExtras
from services.gateways import Gateways
from tests.factories.amendments import Changes
from tests.factories.bookings import pass_time
from tests.factories.extras import BAG, choice, put_on_sale
from tests.fakes.sandbox import Sandbox, connected, started

DEBIT = "pm_usBankAccount_success"
Became = tuple[str, list[tuple[str, int]], list[tuple[str, int]]]


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


@pytest.fixture
async def bag(changes: Changes) -> tuple[Booking, Amendment]:
    """A booking, and a bag that its passenger pays by debit."""
    await put_on_sale(changes.desk.database, changes.desk.schedule)
    booking = await changes.paid("3A")
    (ada,) = await changes.people(booking)
    wish = AddExtras(choices=((ada.id, choice(changes.desk.schedule, BAG)),))
    pending = await changes.confirm(await changes.quote(booking, wish), DEBIT)
    assert (pending.hold_id, pending.status) == (None, "PAYMENT_PENDING")
    return booking, pending


async def settled(changes: Changes, sandbox: Sandbox, bag: tuple[Booking, Amendment], after: timedelta) -> Became:
    """What becomes of the change when the bank says yes: its status, the booking's extras, the ledger."""
    booking, amendment = bag
    await pass_time(changes.desk.database, after)
    await sandbox.settle()
    await bookings.advance(changes.desk.database, changes.gateways, booking.id)
    assert await changes.faults() == []
    status = await changes.status(amendment)
    async with changes.desk.database.reading() as session:
        posted = [(str(one.kind), one.amount) for one in await ledger.statement(session, booking.id)]
    had = [
        (str(one), int(amount)) for one, amount in await changes.rows("SELECT status, unit_amount FROM booking_extras")
    ]
    return status, had, posted[1:]


async def test_money_in_time_buys_it(changes: Changes, own_sandbox: Sandbox, bag: tuple[Booking, Amendment]) -> None:
    two_days = timedelta(days=2)
    expected: Became = ("APPLIED", [("ISSUED", 35_00)], [("CAPTURED", 35_00)])
    assert await settled(changes, own_sandbox, bag, two_days) == expected


async def test_money_goes_back_once_the_flight_is_closed(
    changes: Changes, own_sandbox: Sandbox, bag: tuple[Booking, Amendment]
) -> None:
    six_days = timedelta(days=6)
    expected: Became = ("EXPIRED", [], [("UNDUE", 35_00), ("UNDUE_RETURNED", 35_00)])
    assert await settled(changes, own_sandbox, bag, six_days) == expected
