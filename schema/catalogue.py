"""Extras as they are offered: what there is beside the seat, flight by flight."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine.limits import list_size
from models import ExtraKind, ExtraScope, ExtraStatus
from schema.nodes import Money

strawberry.enum(ExtraKind, description="What sort of thing an extra is.")
strawberry.enum(ExtraScope, description="For what a passenger has an extra: a flight, or the whole journey.")
strawberry.enum(ExtraStatus, description="What a passenger's extra is worth.")


@strawberry.type(description="Something that may be had beside the seat.")
class OfferedExtra:
    """`services.extras.OfferedExtra`."""

    code: str = strawberry.field(description="The airline's name for it: MEAL-VGML. createBooking takes it.")
    kind: ExtraKind = strawberry.field(description="What sort of thing it is.")
    name: str = strawberry.field(description="In words.")
    scope: ExtraScope = strawberry.field(description="Whether it is for this flight or for the whole journey.")
    prices: list[Money] = strawberry.field(
        description="For one: in each currency in which it is sold, or in that of the journey.",
        directives=[list_size(2)],
    )
    max_per_passenger: int = strawberry.field(description="How many a passenger can have.")
    closes_at: datetime = strawberry.field(description="Until then it is sold, local.")
    refundable: bool = strawberry.field(description="Whether its price comes back when it is given up in time.")
    infants: bool = strawberry.field(description="Whether infants can have it.")
    left: int | None = strawberry.field(description="How many more there are; null where it is not counted.")
