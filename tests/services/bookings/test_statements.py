"""How often the database is asked on the way from hold to ticket: each statement is a round trip for a buyer.

A number that grows here makes every booking dearer; one that shrinks is written down. Everything is counted that goes
through PostgreSQL's driver, whoever asks, but BEGIN and COMMIT, which are transactions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from asyncpg.transaction import Transaction

from models import PassengerType, PaymentStatus
from services import bookings
from services.gateways import Gateways
from tests.factories.bookings import GUEST, Desk, key, traveller


@dataclass
class Counted:
    """What PostgreSQL was asked."""

    transactions: int = 0
    statements: list[str] = field(default_factory=list)


@contextmanager
def counting() -> Iterator[Counted]:
    """Count while the block runs."""
    counted = Counted()
    begin, ask, ask_prepared = Transaction.start, asyncpg.Connection._execute, PreparedStatement.fetch

    async def began(self: Any) -> Any:
        counted.transactions += 1
        return await begin(self)

    async def asked(self: Any, query: str, *rest: Any, **more: Any) -> Any:
        counted.statements.append(query)
        return await ask(self, query, *rest, **more)

    async def asked_prepared(self: Any, *rest: Any, **more: Any) -> Any:
        counted.statements.append(self.get_query())
        return await ask_prepared(self, *rest, **more)

    with (
        patch.object(Transaction, "start", began),
        patch.object(asyncpg.Connection, "_execute", asked),
        patch.object(PreparedStatement, "fetch", asked_prepared),
    ):
        yield counted


async def test_two_people_are_booked_and_paid_in_so_many_statements(desk: Desk, gateways: Gateways) -> None:
    await desk.booked("2A")  # connections know their types
    offer, hold_id = await desk.offer(adults=2), await desk.hold("3A", "3B")
    party = [traveller(desk.schedule, PassengerType.ADULT, "Lovelace", unit) for unit in ("3A", "3B")]
    with counting() as creating:
        booking = await desk.create(desk.command(offer, hold_id, *party))
    with counting() as paying:
        payment = await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    assert payment.status is PaymentStatus.CAPTURED
    assert (creating.transactions, len(creating.statements)) == (1, 8)
    assert (paying.transactions, len(paying.statements)) == (3, 22)
