"""The layouts that seats stand in. A layout never changes once a slot uses it, so a process reads each one once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import orjson

from core.errors import Invalid
from core.rows import Reader
from models import SeatPosition


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


@dataclass(frozen=True, eq=False)
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

    async def get(self, reader: Reader, layout_id: int) -> Plan:
        """The layout with that key, which exists."""
        plan = self._plans.get(layout_id)
        if plan is None:
            plan = self._plans[layout_id] = await read_plan(reader, layout_id)
        return plan


SECTIONS = "SELECT sections::text FROM layouts WHERE id = $1"

UNITS = """
    SELECT unit, section, row_number, column_letter, position, exit_row, extra_legroom, accessible
    FROM layout_units WHERE layout_id = $1 ORDER BY row_number, column_letter"""


async def read_plan(reader: Reader, layout_id: int) -> Plan:
    """Read one layout and its units."""
    ((sections,),) = await reader.fetch(SECTIONS, layout_id)
    units = await reader.fetch(UNITS, layout_id)
    seats = {
        unit: Seat(
            number=unit,
            section=section,
            row_number=row_number,
            column=column,
            position=SeatPosition(position),
            exit_row=exit_row,
            extra_legroom=extra_legroom,
            accessible=accessible,
        )
        for unit, section, row_number, column, position, exit_row, extra_legroom, accessible in units
    }
    return Plan(
        layout_id=layout_id,
        sections=tuple(
            Section(section=one["section"], columns=tuple(one["columns"]), aisles_after=tuple(one["aisles_after"]))
            for one in orjson.loads(sections)
        ),
        seats=MappingProxyType(seats),
    )
