"""Attempts at holds, as gates see them."""

from __future__ import annotations

from collections.abc import Sequence

from services.holds.gates import Entry, Gate, Won

MINUTES = 600.0
"""Seconds that a hold lasts: longer than any test."""


def attempt(slot_id: int, *units: str) -> Entry:
    """Somebody's attempt at those units of a slot."""
    return Entry(tuple((slot_id, unit) for unit in units))


def attempt_at(*units: tuple[int, str]) -> Entry:
    """The same over several slots."""
    return Entry(units)


async def hold(gate: Gate, entry: Entry, seconds: float = MINUTES) -> None:
    """Enter, and have PostgreSQL commit."""
    assert await gate.enter([entry]) == [True]
    await gate.confirm([Won(entry, seconds)])


async def has_a_chance(gate: Gate, entry: Entry) -> bool:
    """What the gate says of one attempt, which is taken back."""
    (chance,) = await gate.enter([entry])
    if chance:
        await gate.leave([entry])
    return chance


async def chances(gate: Gate, slot_id: int, units: Sequence[str]) -> dict[str, bool]:
    """What the gate says of a stranger's attempt at each of the units, alone."""
    return {unit: await has_a_chance(gate, attempt(slot_id, unit)) for unit in units}
