"""Cabins and seats of an aircraft, derived from its family, its seat count and how its carrier sells it.

The seats of all cabins add up exactly to the aircraft's: full rows, and what is left over in the last row of economy.
Rows are numbered through from 1; letters are those of the fuselage, so that A is always the left window and the letter
I is never used. Two aircraft with one family, seat count and cabins share one layout, whose code says just these:
`B738-149-F16Y133`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from demo.fleet import Body, Family
from models import Cabin, SeatPosition

LETTERS = {Cabin.FIRST: "F", Cabin.BUSINESS: "C", Cabin.PREMIUM_ECONOMY: "W", Cabin.ECONOMY: "Y"}
"""How cabins are written in a layout's code: the compartment codes of airline messages."""

ALL_ECONOMY = frozenset({"B6", "F9", "WN"})
"""Carriers that flew with one class of service in 2013."""


@dataclass(frozen=True)
class Section:
    """A cabin: `block` is a row of it from left to right, with a space for each aisle, and `seats` how many it has."""

    cabin: Cabin
    block: str
    seats: int


class Unit(NamedTuple):
    """One seat, in the order of the columns of `layout_units`."""

    unit: str
    section: Cabin
    row_number: int
    column_letter: str
    position: SeatPosition
    exit_row: bool
    extra_legroom: bool
    accessible: bool


@dataclass(frozen=True)
class Plan:
    """A layout: its code, its sections as `layouts.sections` holds them, and its seats from front to back."""

    code: str
    sections: list[dict[str, Any]] = field(hash=False)
    units: tuple[Unit, ...] = field(hash=False)


def plan(family: Family, seats: int, airline: str) -> Plan:
    """The layout of an aircraft of `family` with `seats` seats, as `airline` has it."""
    sections = cabins(family, seats, airline)
    cabin_code = "".join(f"{LETTERS[section.cabin]}{section.seats}" for section in sections)
    return drawn(f"{family.code}-{seats}-{cabin_code}", family, sections)


def cabins(family: Family, seats: int, airline: str) -> tuple[Section, ...]:
    """The cabins from front to back; economy takes every seat that the others leave."""
    front = front_cabins(family, airline)
    return (*front, Section(Cabin.ECONOMY, family.economy, seats - sum(section.seats for section in front)))


def front_cabins(family: Family, airline: str) -> tuple[Section, ...]:
    """What lies before economy. Two transcontinental layouts of 2013 have three cabins, as have Virgin America's."""
    if family.body is Body.REGIONAL or airline in ALL_ECONOMY:
        return ()
    if (family.code, airline) == ("B762", "AA"):
        return (Section(Cabin.FIRST, "AB E HJ", 10), Section(Cabin.BUSINESS, family.premium, 30))
    if (family.code, airline) == ("B752", "UA"):
        return (Section(Cabin.BUSINESS, family.premium, 28), Section(Cabin.PREMIUM_ECONOMY, family.economy, 24))
    if airline == "VX":
        return (Section(Cabin.FIRST, family.premium, 8), Section(Cabin.PREMIUM_ECONOMY, family.economy, 12))
    cabin = Cabin.BUSINESS if family.body is Body.WIDE else Cabin.FIRST
    return (Section(cabin, family.premium, family.premium_rows * columns(family.premium)),)


def columns(block: str) -> int:
    """Seats in a full row."""
    return len(block.replace(" ", ""))


@cache
def drawn(code: str, family: Family, sections: tuple[Section, ...]) -> Plan:
    """The sections with their rows numbered through and every seat described."""
    rows = [(section, seats) for section in sections for seats in rows_of(section)]
    exits = exit_rows(family, rows)
    units = []
    for number, (section, letters) in enumerate(rows, start=1):
        bulkhead = number == 1 or rows[number - 2][0] is not section
        units += [seat(section, number, letter, bulkhead, number in exits) for letter in letters]
    return Plan(code, [described(section) for section in sections], tuple(units))


def rows_of(section: Section) -> list[str]:
    """The letters of each row; what does not fill a row sits at the left of the last one, opposite a galley."""
    letters = section.block.replace(" ", "")
    full, rest = divmod(section.seats, len(letters))
    return [letters] * full + ([letters[:rest]] if rest else [])


def exit_rows(family: Family, rows: list[tuple[Section, str]]) -> frozenset[int]:
    """The numbers of the rows beside exits over the wings or at doors, which all lie in economy's full rows."""
    economy = [number for number, (section, _) in enumerate(rows, start=1) if section.cabin is Cabin.ECONOMY]
    first, last = economy[1], economy[-2]
    return frozenset(
        min(max(round(share * len(rows)) + extra, first), last)
        for share, count in family.exits
        for extra in range(count)
    )


def seat(section: Section, row: int, letter: str, bulkhead: bool, exit_row: bool) -> Unit:
    """One seat. Legroom is longer at exits and behind a bulkhead, where economy has either.

    Accessible are the aisle seats with movable armrests: in every other row, and never beside an exit or behind a
    bulkhead (14 CFR 382.61 asks for at least half of the aisle seats of the other rows).
    """
    place = position(section.block, letter)
    coach = section.cabin in (Cabin.ECONOMY, Cabin.PREMIUM_ECONOMY)
    return Unit(
        unit=f"{row}{letter}",
        section=section.cabin,
        row_number=row,
        column_letter=letter,
        position=place,
        exit_row=exit_row,
        extra_legroom=coach and (exit_row or bulkhead),
        accessible=place is SeatPosition.AISLE and row % 2 == 0 and not exit_row and not bulkhead,
    )


def position(block: str, letter: str) -> SeatPosition:
    """Where in its row the seat is. One beside both window and aisle is a window's."""
    index = block.index(letter)
    if index in (0, len(block) - 1):
        return SeatPosition.WINDOW
    return SeatPosition.AISLE if " " in (block[index - 1], block[index + 1]) else SeatPosition.MIDDLE


def described(section: Section) -> dict[str, Any]:
    """A section as `layouts.sections` holds it."""
    groups = section.block.split()
    return {
        "section": section.cabin.value,
        "columns": list("".join(groups)),
        "aisles_after": [group[-1] for group in groups[:-1]],
    }
