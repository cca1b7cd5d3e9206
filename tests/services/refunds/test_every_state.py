"""Whatever a gateway answers, a refund moves as its table says, and is posted once; closed tickets stay closed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from sqlalchemy import text

from core.db import Database
from core.keys import Keyring
from core.money import Money
from models import Booking, PaymentStatus, RefundStatus, TicketStatus
from services import bookings, refunds, tickets
from services.gateways import Gateways, RefundAnswer, RefundOutcome
from services.refunds import REFUND
from services.seats import Plans
from services.tickets import TICKET
from services.transitions import Cause
from tests.factories.bookings import GUEST, Desk, key, snapshot
from tests.factories.schedules import Schedule

CAUSE = Cause(actor="test", reason="every state")
PART = 10_00
REQUESTED, SUCCEEDED, FAILED = RefundStatus

ROADS: dict[RefundStatus, Sequence[RefundOutcome]] = {
    REQUESTED: (),
    SUCCEEDED: (RefundOutcome.SUCCEEDED,),
    FAILED: (RefundOutcome.FAILED,),
}
"""What a gateway answers on the way to each state."""

SAYS = {RefundOutcome.PENDING: None, RefundOutcome.SUCCEEDED: SUCCEEDED, RefundOutcome.FAILED: FAILED}
POSTED = {(REQUESTED, SUCCEEDED): ["REFUNDED"], (SUCCEEDED, FAILED): ["RETURNED"]}
PAID_BACK = {SUCCEEDED: (PaymentStatus.PARTIALLY_REFUNDED, PART)}


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter at the small schedule."""
    return Desk(database, keyring, plans, schedule)


@pytest.fixture
async def booking(desk: Desk, gateways: Gateways) -> Booking:
    """A paid booking."""
    made = await desk.booked("3A")
    await bookings.pay(desk.database, gateways, made.id, "pm_card_visa", None, GUEST, key())
    return made


async def answered(desk: Desk, booking: Booking, refund_id: object, outcome: RefundOutcome) -> None:
    """Write what the gateway says."""
    async with desk.database.transaction() as session:
        answer = RefundAnswer(gateway_id=f"re_{refund_id}", outcome=outcome)
        await refunds.write(session, booking.id, refund_id, answer)  # type: ignore[arg-type]


async def posted(desk: Desk, refund_id: object) -> list[str]:
    async with desk.database.reading() as session:
        kinds = await session.scalars(
            text("SELECT kind FROM ledger WHERE subject = :id AND kind <> 'OWED' ORDER BY id"), {"id": refund_id}
        )
        return list(kinds)


async def test_a_refund_moves_as_its_table_says(desk: Desk, booking: Booking) -> None:
    for state, outcome in product(RefundStatus, RefundOutcome):
        async with desk.database.transaction() as session:
            (refund,) = await refunds.give_back(session, booking.id, Money(PART, "USD"), "a gesture", CAUSE)
        for step in ROADS[state]:
            await answered(desk, booking, refund.id, step)
        before, already = await snapshot(desk.database), await posted(desk, refund.id)
        await answered(desk, booking, refund.id, outcome)
        said = SAYS[outcome]
        moves = said is not None and REFUND.allows(state, said)
        now = said if moves and said else state
        async with desk.database.reading() as session:
            found = await session.execute(
                text(
                    "SELECT refunds.status, payments.status, payments.refunded"
                    " FROM refunds JOIN payments ON payments.id = payment_id WHERE refunds.id = :id"
                ),
                {"id": refund.id},
            )
            assert tuple(found.one()) == (now, *PAID_BACK.get(now, (PaymentStatus.CAPTURED, 0))), (state, outcome)
        assert await posted(desk, refund.id) == already + (POSTED.get((state, now), []) if moves else [])
        if not moves and state is not REQUESTED:
            assert await snapshot(desk.database) == before
        if now is SUCCEEDED:
            await answered(desk, booking, refund.id, RefundOutcome.FAILED)


async def test_a_ticket_that_is_closed_stays_as_it_is(desk: Desk, booking: Booking) -> None:
    for state, to in product(TicketStatus, (TicketStatus.VOID, TicketStatus.REFUNDED, TicketStatus.USED)):
        async with desk.database.transaction() as session:
            await session.execute(text("UPDATE tickets SET status = :state"), {"state": state})
        before = await snapshot(desk.database)
        async with desk.database.transaction() as session:
            await tickets.close(session, booking.id, to, CAUSE)
        async with desk.database.reading() as session:
            (status,) = await session.scalars(text("SELECT status FROM tickets"))
        if state is TicketStatus.OPEN:
            assert TICKET.allows(state, to)
            assert status == to
        else:
            assert await snapshot(desk.database) == before
