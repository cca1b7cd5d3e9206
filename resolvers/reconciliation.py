"""Reconciliation, as staff look after it: what gateways have otherwise than we do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import strawberry

from core import ids
from core.paging import MAX_FIRST, check_first
from models import Discrepancy
from resolvers import access
from resolvers.context import Info
from resolvers.inventory import said
from services import discrepancies as noted

DISCREPANCY_KIND = "Discrepancy"


@dataclass(frozen=True)
class Detail:
    """One thing that was found, by its name."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class SettleDiscrepancyInput:
    """Say what a discrepancy was, or what was done about it."""

    discrepancy_id: strawberry.ID
    reason: str


async def discrepancies(
    info: Info, settled: bool = False, first: int = MAX_FIRST, after: strawberry.ID | None = None
) -> Sequence[Discrepancy]:
    """What was found. Raises Unauthenticated, Forbidden, Invalid."""
    access.staff(info.context)
    check_first(first)
    behind: UUID | None = None if after is None else ids.uuid_of(DISCREPANCY_KIND, after, "after")
    async with info.context.reading() as session:
        return await noted.found(session, settled=settled, first=first, after=behind)


async def settle_discrepancy(info: Info, input: SettleDiscrepancyInput) -> Discrepancy:
    """Settle one. Raises Unauthenticated, Forbidden, Invalid, NotFound, Conflict."""
    ctx = info.context
    access.staff(ctx)
    key = ids.uuid_of(DISCREPANCY_KIND, input.discrepancy_id, "discrepancyId")
    why = said(input.reason)
    async with ctx.transaction() as session:
        return await noted.settle(session, key, ctx.actor, why)


def booking_id(root: strawberry.Parent[Discrepancy]) -> strawberry.ID | None:
    """The booking that it is about."""
    return None if root.booking_id is None else strawberry.ID(ids.global_id(access.BOOKING_KIND, root.booking_id))


def details(root: strawberry.Parent[Discrepancy]) -> list[Detail]:
    """What was found, in the order of the names."""
    return [Detail(name, str(value)) for name, value in sorted(root.details.items())]
