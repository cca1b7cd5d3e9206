"""The layouts that seats stand in. A layout never changes once a slot uses it, so a process reads each one once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import select

from core.db import ReadSession
from core.errors import Invalid
from models import Layout, LayoutUnit, SeatPosition, Slot


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
