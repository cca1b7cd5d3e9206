"""Things with an id of their own, and money: what every other file of the schema builds on.

Source of the ids: the GraphQL Global Object Identification Specification.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import strawberry

from core import ids
from engine.execution import by_class, kept_in, pure
from engine.limits import cost
from schema.scalars import BigInt, CurrencyCode

SAME_ID = "An opaque id, the same for as long as the thing exists."


@strawberry.interface(description="Something with an id, by which `node` finds it again.")
class Node:
    """An object with a global id."""

    id: strawberry.ID = strawberry.field(description=SAME_ID)


def id_of(kind: str, key: str = "id") -> Any:
    """The `id` field of a type: its kind and the row's attribute `key`, as one opaque string."""

    @pure
    def resolve(root: strawberry.Parent[object]) -> strawberry.ID:
        return strawberry.ID(ids.global_id(kind, getattr(root, key)))

    return strawberry.field(resolver=resolve, description=SAME_ID)


rows_of = by_class
"""`is_type_of` for a type whose objects are rows of those classes."""


@kept_in("written")
@strawberry.type(
    description="An amount of money: the same amount in major and in minor units, and its currency.",
    directives=[cost(0)],
)
class Money:
    """`core.money.Money`."""

    amount: Decimal = strawberry.field(description="In major units, with exactly the currency's decimals: 199.00.")
    minor_units: BigInt = strawberry.field(description="In the currency's smallest unit: 19900. Calculate with this.")
    currency: CurrencyCode = strawberry.field(description="ISO 4217.")
