"""How often the database is asked on the way from hold to ticket: each statement is a round trip for a buyer.

A number that grows here makes every booking dearer; one that shrinks is written down. What goes round the engine (the
looks of the saga, the job behind the payment) is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

from models import PassengerType, PaymentStatus
from services import bookings
from services.gateways import Gateways
from tests.factories.bookings import GUEST, Desk, key, traveller


@dataclass
class Counted:
    """What an engine was asked."""

    transactions: int = 0
    statements: list[str] = field(default_factory=list)


@contextmanager
def counting(engine: Engine) -> Iterator[Counted]:
    """Count while the block runs."""
    counted = Counted()

    def began(*_: Any) -> None:
        counted.transactions += 1

    def asked(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        counted.statements.append(statement)

    event.listen(engine, "begin", began)
    event.listen(engine, "before_cursor_execute", asked)
    try:
        yield counted
    finally:
        event.remove(engine, "begin", began)
        event.remove(engine, "before_cursor_execute", asked)


async def test_two_people_are_booked_and_paid_in_so_many_statements(desk: Desk, gateways: Gateways) -> None:
    await desk.booked("2A")  # connections know their types
    offer, hold_id = await desk.offer(adults=2), await desk.hold("3A", "3B")
    party = [traveller(desk.schedule, PassengerType.ADULT, "Lovelace", unit) for unit in ("3A", "3B")]
    engine = desk.database.write_engine.sync_engine
    with counting(engine) as creating:
        booking = await desk.create(desk.command(offer, hold_id, *party))
    with counting(engine) as paying:
        payment = await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    assert payment.status is PaymentStatus.CAPTURED
    assert (creating.transactions, len(creating.statements)) == (1, 18)
    assert (paying.transactions, len(paying.statements)) == (5, 39)
