"""What an invariant is, and what asking it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SOLD = "('PAYMENT_PENDING', 'CONFIRMED', 'CHECKED_IN', 'COMPLETED', 'NO_SHOW')"
"""Bookings whose seats are sold, once their hold is BOOKED; for a moment, while the money is taken, PAYMENT_PENDING."""


@dataclass(frozen=True)
class Invariant:
    """`counted` is SQL for one number; `broken` is SQL for one line of text per fault."""

    name: str
    counted: str
    broken: str


@dataclass(frozen=True)
class Finding:
    """What an invariant found: how much it looked at, and the first faults. It holds where there are none."""

    name: str
    counted: int
    broken: Sequence[str]
