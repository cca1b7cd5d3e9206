"""The seat map of a flight as a shopper sees it: every seat where it stands, with its state and its charge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from core.db import ReadSession
from core.money import Money
from models import Cabin, SeatPosition, SeatStatus, Slot
from services import fares, live
from services.seats.plans import Plan, Plans, Seat, Section
from services.seats.states import SeatState, claimed


@dataclass(frozen=True, kw_only=True)
class ShownSeat:
    """A seat as a shopper sees it: where it is, whether it is free, what it costs on top of the fare."""

    number: str
    column: str
    position: SeatPosition
    status: SeatStatus
    version: int
    extra_legroom: bool
    accessible: bool
    price: Money | None


@dataclass(frozen=True, kw_only=True)
class SeatRow:
    """A row of a cabin, from left to right."""

    number: int
    exit_row: bool
    seats: list[ShownSeat]


@dataclass(frozen=True, kw_only=True)
class CabinMap:
    """A cabin, its rows from front to back."""

    cabin: Cabin
    columns: tuple[str, ...]
    aisles_after: tuple[str, ...]
    rows: list[SeatRow]


@dataclass(frozen=True, kw_only=True)
class SeatMap:
    """The seats of one flight at one moment; `cursor` is where live events go on from."""

    cursor: str
    cabins: list[CabinMap]


async def seat_map(session: ReadSession, plans: Plans, slot_id: int) -> SeatMap | None:
    """The seat map of a flight; None where seats are not chosen on it.

    The cursor is read before the seats: what changes in between is told again, never left out.
    """
    layout_id = (await session.execute(select(Slot.layout_id).where(Slot.id == slot_id))).scalar_one_or_none()
    if layout_id is None:
        return None
    plan = await plans.get(session, layout_id)
    position = await live.head(session)
    taken = await claimed(session, slot_id)
    costs = await fares.seat_charges(session)
    cabins = [cabin_map(plan, section, taken, costs) for section in plan.sections]
    return SeatMap(cursor=live.cursor(position), cabins=cabins)


def cabin_map(plan: Plan, section: Section, taken: Mapping[str, SeatState], costs: Mapping[Cabin, Money]) -> CabinMap:
    """One cabin of a seat map."""
    cabin = Cabin(section.section)
    rows: dict[int, list[ShownSeat]] = {}
    exits = set()
    for seat in plan.seats.values():
        if seat.section == section.section:
            rows.setdefault(seat.row_number, []).append(show(seat, taken, costs.get(cabin)))
            if seat.exit_row:
                exits.add(seat.row_number)
    return CabinMap(
        cabin=cabin,
        columns=section.columns,
        aisles_after=section.aisles_after,
        rows=[SeatRow(number=number, exit_row=number in exits, seats=seats) for number, seats in rows.items()],
    )


def show(seat: Seat, taken: Mapping[str, SeatState], legroom: Money | None) -> ShownSeat:
    """A seat with its state and its charge: nothing for a seat without extra legroom."""
    state = taken.get(seat.number)
    free = None if legroom is None else Money(0, legroom.currency)
    return ShownSeat(
        number=seat.number,
        column=seat.column,
        position=seat.position,
        status=state.status if state else SeatStatus.AVAILABLE,
        version=state.version if state else 0,
        extra_legroom=seat.extra_legroom,
        accessible=seat.accessible,
        price=legroom if seat.extra_legroom else free,
    )
