"""What the demo's airlines sell beside the seat: an invented catalogue with prices of the usual size, in cents.

Every airline sells the same. Vegan meals are cooked for one seat in ten: what a flight has of them is a pool like its
cabins. The rest is ordered or carried as it comes, and not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from models import ExtraKind, ExtraScope

CURRENCY = "USD"


@dataclass(frozen=True, kw_only=True)
class Item:
    """A row of `extras` with its price. A flight has one of it for each `per_seats` seats; None: it is not counted."""

    code: str
    kind: ExtraKind
    name: str
    amount: int
    scope: ExtraScope = ExtraScope.FLIGHT
    most: int = 1
    closes_hours: int = 1
    refundable: bool = True
    infants: bool = False
    per_seats: int | None = None


CATALOGUE = (
    Item(code="BAG-23", kind=ExtraKind.BAG, name="Checked bag, 23 kg", amount=3_500, most=3),
    Item(code="BAG-32", kind=ExtraKind.BAG, name="Heavy bag, 32 kg", amount=10_000, most=2),
    Item(code="MEAL-KSML", kind=ExtraKind.MEAL, name="Kosher meal", amount=1_600, closes_hours=48),
    Item(code="MEAL-VGML", kind=ExtraKind.MEAL, name="Vegan meal", amount=1_200, closes_hours=24, per_seats=10),
    Item(code="PRIORITY", kind=ExtraKind.PRIORITY, name="Priority boarding", amount=1_500),
    Item(
        code="INSURANCE",
        kind=ExtraKind.INSURANCE,
        name="Travel insurance",
        amount=1_900,
        scope=ExtraScope.JOURNEY,
        refundable=False,
        infants=True,
    ),
)
