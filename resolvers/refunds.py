"""Refunds: what of a payment goes back, and when it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import strawberry

from core.money import Money
from models import Refund, RefundStatus
from resolvers import loaders
from resolvers.context import Info
from resolvers.payments import ShownPayment
from services.refunds import expected_by


@dataclass(frozen=True)
class ShownRefund:
    """A refund beside its payment, by whose method money takes longer or less long."""

    row: Refund
    payment: ShownPayment

    @property
    def id(self) -> UUID:
        """Its key."""
        return self.row.id

    @property
    def status(self) -> RefundStatus:
        """How far it got."""
        return self.row.status

    @property
    def amount(self) -> Money:
        """How much goes back."""
        return Money(self.row.amount, self.row.currency)

    @property
    def requested_at(self) -> datetime:
        """Since when it is on its way."""
        return self.row.created_at

    @property
    def expected_by(self) -> datetime | None:
        """Until when it is there."""
        return expected_by(self.row, self.payment.row)


async def refunds(root: strawberry.Parent[ShownPayment], info: Info) -> list[ShownRefund]:
    """What of a payment goes back or went, the first one first; for the owner of its booking alone."""
    return (await refunds_of_all([root], info))[0]


async def refunds_of_all(roots: Sequence[ShownPayment], info: Info) -> list[list[ShownRefund]]:
    """The same of many."""
    keys = [root.id for root in roots if root.owned]
    found = dict(zip(keys, await loaders.REFUNDS.all(info.context.reader, keys), strict=True)) if keys else {}
    return [[ShownRefund(row, root) for row in found.get(root.id, ())] for root in roots]
