"""Cabins drawn in a line, for tests of where a party sits."""

from __future__ import annotations

from collections.abc import Collection

from models import Cabin, SeatPosition
from services.fares import Party
from services.seats import Plan, Seat, Section


def cabin(
    block: str,
    rows: int,
    *,
    exits: Collection[int] = (),
    legroom: Collection[int] = (),
    accessible: Collection[str] = (),
    missing: Collection[str] = (),
) -> Plan:
    """A layout of one cabin: `block` is a row of it, `AB CD`, with a space for each aisle; rows count from 1."""
    seats = [
        Seat(
            number=f"{row}{column}",
            section=Cabin.ECONOMY,
            row_number=row,
            column=column,
            position=position(block, column),
            exit_row=row in exits,
            extra_legroom=row in legroom,
            accessible=f"{row}{column}" in accessible,
        )
        for row in range(1, rows + 1)
        for column in block.replace(" ", "")
        if f"{row}{column}" not in missing
    ]
    blocks = block.split()
    section = Section(
        section=Cabin.ECONOMY, columns=tuple("".join(blocks)), aisles_after=tuple(one[-1] for one in blocks[:-1])
    )
    return Plan(layout_id=1, sections=(section,), seats={seat.number: seat for seat in seats})


def position(block: str, column: str) -> SeatPosition:
    """Where in its row a seat is; one beside both window and aisle is a window's."""
    index = block.index(column)
    if index in (0, len(block) - 1):
        return SeatPosition.WINDOW
    return SeatPosition.AISLE if " " in (block[index - 1], block[index + 1]) else SeatPosition.MIDDLE


def party(adults: int, children: int = 0, infants: int = 0) -> Party:
    """Who travels together."""
    return Party(adults=adults, children=children, infants=infants)
