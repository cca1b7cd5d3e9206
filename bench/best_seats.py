"""Best seats by themselves: how much of a core one party costs, in cabins as full as they get. No database."""

from __future__ import annotations

import random
import time
from statistics import median

from bench.report import figure, percentile, table
from models import Cabin, SeatPosition
from services.fares import Party
from services.seats import Plan, Seat, Section
from services.seats.arrangements import best
from services.seats.wishes import SeatWish, Wishes

BLOCKS = ("ABC", "DEFG", "HJK")
ROWS = 40
EXITS = (20, 21)
ROUNDS = 20
FULL = (0, 50, 80, 95)
PARTIES = (
    ("1 adult", Party(adults=1, children=0, infants=0)),
    ("2 adults", Party(adults=2, children=0, infants=0)),
    ("2 adults, 2 children", Party(adults=2, children=2, infants=0)),
    ("9 adults", Party(adults=9, children=0, infants=0)),
    ("5 adults, 4 children, 2 infants", Party(adults=5, children=4, infants=2)),
)
WISHES = Wishes(kinds=frozenset({SeatWish.WINDOW, SeatWish.AISLE, SeatWish.FRONT}))


def measure() -> str:
    """Milliseconds of a core for one arrangement, median and slowest, by party and by how full the cabin is."""
    plan = cabin()
    rows = [
        [name, *(cell([once(plan, party, full, seed) for seed in range(ROUNDS)]) for full in FULL)]
        for name, party in PARTIES
    ]
    head = ["ms of a core, median (slowest)", *(f"{full} % taken" for full in FULL)]
    return (
        f"The best arrangement in {ROWS} rows of {sum(map(len, BLOCKS))} seats with three wishes, "
        f"{ROUNDS} cabins filled by chance for each cell.\n\n{table(head, rows)}"
    )


def cell(took: list[float]) -> str:
    """Median and slowest."""
    return f"{figure(median(took))} ({figure(percentile(took, 1))})"


def once(plan: Plan, party: Party, full: int, seed: int) -> float:
    """Milliseconds of a core for one party in one cabin."""
    chance = random.Random(seed)
    free = frozenset(number for number in plan.seats if chance.random() * 100 >= full)
    began = time.process_time()
    best(plan, plan.sections[0], free, party, WISHES)
    return (time.process_time() - began) * 1000


def cabin() -> Plan:
    """One cabin of a large aircraft."""
    edges = {block[0] for block in BLOCKS} | {block[-1] for block in BLOCKS}
    windows = {BLOCKS[0][0], BLOCKS[-1][-1]}
    columns = "".join(BLOCKS)
    seats = {
        f"{row}{column}": Seat(
            number=f"{row}{column}",
            section=Cabin.ECONOMY,
            row_number=row,
            column=column,
            position=SeatPosition.WINDOW
            if column in windows
            else SeatPosition.AISLE
            if column in edges
            else SeatPosition.MIDDLE,
            exit_row=row in EXITS,
            extra_legroom=row in (1, *EXITS),
            accessible=column in edges - windows and row % 2 == 0,
        )
        for row in range(1, ROWS + 1)
        for column in columns
    }
    section = Section(
        section=Cabin.ECONOMY, columns=tuple(columns), aisles_after=tuple(block[-1] for block in BLOCKS[:-1])
    )
    return Plan(layout_id=1, sections=(section,), seats=seats)
