"""Reconciliation, as staff see it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine.limits import cost, list_size
from models import Discrepancy as DiscrepancyRow
from models import DiscrepancyKind
from resolvers import reconciliation as resolve
from schema.costs import READING
from schema.nodes import id_of, rows_of
from schema.problems import mutation, outcome

strawberry.enum(DiscrepancyKind, description="What a gateway has otherwise than we do.")
strawberry.input(resolve.SettleDiscrepancyInput, description="What a discrepancy was, or what was done about it.")


@strawberry.type(description="One thing that was found, by its name.")
class DiscrepancyDetail:
    """`resolvers.reconciliation.Detail`."""

    name: str = strawberry.field(description="Its name: amount, outcome, status.")
    value: str = strawberry.field(description="What it was. Amounts are in minor units.")


@strawberry.type(description="Something at a payment gateway that is not as we have it, for a person to look at.")
class Discrepancy:
    """`models.Discrepancy`."""

    is_type_of = rows_of(DiscrepancyRow)

    id = id_of(resolve.DISCREPANCY_KIND)
    gateway: str = strawberry.field(description="The gateway.")
    kind: DiscrepancyKind = strawberry.field(description="What it is.")
    subject: str = strawberry.field(description="The gateway's id of the payment, refund or dispute.")
    booking_id = strawberry.field(
        resolver=resolve.booking_id, graphql_type=strawberry.ID | None, description="The booking that it is about."
    )
    details = strawberry.field(
        resolver=resolve.details, graphql_type=list[DiscrepancyDetail], description="What was found, here and there."
    )
    found_at: datetime = strawberry.field(description="When it was found.")
    settled_at: datetime | None = strawberry.field(description="When somebody settled it.")
    settled_by: str | None = strawberry.field(description="Who that was.")
    settled_why: str | None = strawberry.field(description="What they said.")


@strawberry.type
class ReconciliationQueries:
    """What staff ask of reconciliation."""

    discrepancies = strawberry.field(
        resolver=resolve.discrepancies,
        graphql_type=list[Discrepancy] | None,
        description="For staff: what gateways have otherwise than we do, the oldest first.",
        directives=[cost(READING), list_size(slicing_arguments=["first"])],
    )


@strawberry.type
class ReconciliationMutations:
    """What staff do about it."""

    settle_discrepancy = mutation(
        resolve.settle_discrepancy,
        outcome("SettleDiscrepancyResult", Discrepancy),
        "For staff: write down that a discrepancy was looked at, and what came of it.",
    )
