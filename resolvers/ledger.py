"""The ledger, as staff read it."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from core import ids
from core.money import Money
from models import Posting
from resolvers import access
from resolvers.context import Info
from services import ledger
from services.ledger import Balance


async def ledger_balances(info: Info) -> list[Balance]:
    """What every account holds. Raises Unauthenticated and Forbidden."""
    access.staff(info.context)
    async with info.context.reading() as session:
        return await ledger.balances(session)


async def ledger_statement(info: Info, booking_id: strawberry.ID) -> Sequence[Posting]:
    """The postings of a booking. Raises Unauthenticated, Forbidden, Invalid (the id)."""
    access.staff(info.context)
    key = ids.uuid_of(access.BOOKING_KIND, booking_id, "bookingId")
    async with info.context.reading() as session:
        return await ledger.statement(session, key)


def amount(root: strawberry.Parent[Posting]) -> Money:
    """What moved."""
    return Money(root.amount, root.currency)
