"""Seats: the layouts they stand in, and the state of each on one slot.

A layout never changes once a slot uses it, so a process reads each one once. The state of a seat is its claim's; a
LOCKED claim whose deadline has passed is AVAILABLE, at that instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import select, text

from core.db import ReadSession
from core.errors import Invalid
from core.money import Money
from core.states import Machine
from models import Cabin, Layout, LayoutUnit, SeatPosition, SeatStatus, Slot
from services import fares, live

SEAT = Machine(
    "seat",
    SeatStatus,
    SeatStatus.AVAILABLE,
    {
        SeatStatus.AVAILABLE: frozenset({SeatStatus.LOCKED, SeatStatus.BLOCKED}),
        SeatStatus.LOCKED: frozenset({SeatStatus.AVAILABLE, SeatStatus.BOOKED, SeatStatus.LOCKED}),
        SeatStatus.BOOKED: frozenset({SeatStatus.AVAILABLE, SeatStatus.CHECKED_IN}),
        SeatStatus.CHECKED_IN: frozenset({SeatStatus.AVAILABLE, SeatStatus.BOOKED}),
        SeatStatus.BLOCKED: frozenset({SeatStatus.AVAILABLE}),
    },
)
"""LOCKED may follow LOCKED: an expired lock is taken over in the statement that asks for the seat."""


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One seat of a layout, the same on every slot that uses it. `section` is its cabin and the pool that counts it."""

    number: str
    section: str
    row_number: int
    column: str
    position: SeatPosition
    exit_row: bool
    extra_legroom: bool
    accessible: bool


@dataclass(frozen=True, kw_only=True)
class Section:
    """A cabin: its columns from left to right, and after which of them an aisle runs."""

    section: str
    columns: tuple[str, ...]
    aisles_after: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A whole layout: its sections from front to back, and its seats by number in the order of reading."""

    layout_id: int
    sections: tuple[Section, ...]
    seats: Mapping[str, Seat]


@dataclass(frozen=True)
class SeatState:
    """What a seat is on one slot at one moment. A later state has a larger `version`; never taken is version 0."""

    number: str
    status: SeatStatus
    version: int


class UnknownSeat(Invalid):
    """The slot's layout has no such seat."""

    default_code = "UNKNOWN_SEAT"


class Plans:
    """The layouts that this process has read. Belongs to one database."""

    def __init__(self) -> None:
        self._plans: dict[int, Plan] = {}

    async def get(self, session: ReadSession, layout_id: int) -> Plan:
        """The layout with that key, which exists."""
        plan = self._plans.get(layout_id)
        if plan is None:
            plan = self._plans[layout_id] = await read_plan(session, layout_id)
        return plan

    async def of_slots(self, session: ReadSession, slots: Iterable[Slot]) -> dict[int, Plan]:
        """The layouts of those slots, by slot; a slot without a layout is left out."""
        return {slot.id: await self.get(session, slot.layout_id) for slot in slots if slot.layout_id is not None}


async def read_plan(session: ReadSession, layout_id: int) -> Plan:
    """Read one layout and its units."""
    sections = (await session.execute(select(Layout.sections).where(Layout.id == layout_id))).scalar_one()
    units = await session.scalars(
        select(LayoutUnit)
        .where(LayoutUnit.layout_id == layout_id)
        .order_by(LayoutUnit.row_number, LayoutUnit.column_letter)
    )
    seats = {
        unit.unit: Seat(
            number=unit.unit,
            section=unit.section,
            row_number=unit.row_number,
            column=unit.column_letter,
            position=unit.position,
            exit_row=unit.exit_row,
            extra_legroom=unit.extra_legroom,
            accessible=unit.accessible,
        )
        for unit in units
    }
    return Plan(
        layout_id=layout_id,
        sections=tuple(
            Section(section=one["section"], columns=tuple(one["columns"]), aisles_after=tuple(one["aisles_after"]))
            for one in sections
        ),
        seats=MappingProxyType(seats),
    )


TAKEN = text(
    """
    SELECT unit,
           CASE WHEN status = 'LOCKED' AND expires_at <= jetway_now() THEN 'AVAILABLE' ELSE status END AS status,
           version
    FROM claims WHERE slot_id = :slot_id
    """
)


async def claimed(session: ReadSession, slot_id: int) -> dict[str, SeatState]:
    """The seats of a slot that have a claim, by number; every other seat is AVAILABLE with version 0."""
    rows = await session.execute(TAKEN, {"slot_id": slot_id})
    return {row.unit: SeatState(row.unit, SeatStatus(row.status), row.version) for row in rows}


async def states(session: ReadSession, plans: Plans, slot_id: int) -> list[SeatState]:
    """Every seat of a slot's layout with its state, in the order of reading; empty where there is no such layout."""
    layout_id = (await session.execute(select(Slot.layout_id).where(Slot.id == slot_id))).scalar_one_or_none()
    if layout_id is None:
        return []
    plan = await plans.get(session, layout_id)
    taken = await claimed(session, slot_id)
    return [taken.get(number) or SeatState(number, SeatStatus.AVAILABLE, 0) for number in plan.seats]


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
