"""What a party wishes of its seats: met where the rules of more weight leave a choice, and never a condition."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.errors import Invalid
from services.seats.plans import Plan, UnknownSeat

PLACE = re.compile(r"([0-9]{1,3})([A-Z]?)")


class SeatWish(StrEnum):
    """What may be wished for; what is told of a suggestion has the same names."""

    WINDOW = "WINDOW"
    AISLE = "AISLE"
    TOGETHER = "TOGETHER"
    FRONT = "FRONT"
    NEAR = "NEAR"
    ACCESSIBLE = "ACCESSIBLE"
    EXTRA_LEGROOM = "EXTRA_LEGROOM"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The wishes of one party for one flight. `row` and `column` say near what, where NEAR is wished.

    ACCESSIBLE says that one of the party needs it: that person never sits in an exit row (14 CFR 121.585).
    """

    kinds: frozenset[SeatWish] = frozenset()
    row: int | None = None
    column: str | None = None

    def __contains__(self, wish: SeatWish) -> bool:
        return wish in self.kinds


def wishes_of(plan: Plan, kinds: Iterable[SeatWish], near: str | None, field: str) -> Wishes:
    """The wishes as they were said; `near` is a seat (`12A`) or a row (`12`) of the plan, and implies NEAR.

    Raises Invalid (with `field`) where NEAR does not say near what, UnknownSeat where the plan has no such place.
    """
    wished = frozenset(kinds)
    if near is None:
        if SeatWish.NEAR in wished:
            raise Invalid("Say near which seat or row.", field=field)
        return Wishes(kinds=wished)
    place = near.strip().upper()
    match = PLACE.fullmatch(place)
    if match is None or not any(place in (seat.number, str(seat.row_number)) for seat in plan.seats.values()):
        raise UnknownSeat(f"There is no seat or row {place[:8]} on this flight.", field=field)
    return Wishes(kinds=wished | {SeatWish.NEAR}, row=int(match[1]), column=match[2] or None)
