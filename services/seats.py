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
from core.states import Machine
from models import Layout, LayoutUnit, SeatPosition, SeatStatus, Slot

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
