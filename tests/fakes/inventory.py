"""Holds of one slot in plain Python: what the database is compared with. No locks, no SQL, minutes for clocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


class Refused(Exception):
    """The step changes nothing. Its argument names the refusal's code."""


@dataclass
class ModelHold:
    """A hold: what it was placed with, and what has become of it. Times are minutes."""

    units: frozenset[str]
    minutes: int
    deadline: int
    cap: int
    extensions: int = 0
    status: str = "ACTIVE"


@dataclass
class Inventory:
    """A slot whose pools are sections of its seats. `owners` are the seats that a hold keeps or has bought."""

    sections: dict[str, str]
    authorised: dict[str, int]
    now: int = 0
    holds: list[ModelHold] = field(default_factory=list)
    owners: dict[str, ModelHold] = field(default_factory=dict)

    def place(self, units: frozenset[str], minutes: int) -> ModelHold:
        """Hold all of the units; raises Refused with those that are somebody else's, or for a full pool."""
        taken = frozenset(unit for unit in units if self.seat(unit) != "AVAILABLE")
        if taken:
            raise Refused("SEATS_TAKEN", taken)
        wanted = self.count(units)
        if self.is_full(wanted):
            self.expire(hold for hold in self.holds if set(self.count(hold.units)) & set(wanted))
        if self.is_full(wanted):
            raise Refused("SOLD_OUT")
        hold = ModelHold(units=units, minutes=minutes, deadline=self.now + minutes, cap=self.now + 30)
        self.holds.append(hold)
        self.owners |= dict.fromkeys(units, hold)
        return hold

    def extend(self, hold: ModelHold) -> None:
        """Move the deadline."""
        self.check_alive(hold)
        deadline = min(self.now + hold.minutes, hold.cap)
        if hold.extensions == 2 or deadline <= hold.deadline:
            raise Refused("EXTENSION_LIMIT")
        hold.deadline, hold.extensions = deadline, hold.extensions + 1

    def release(self, hold: ModelHold) -> None:
        """Give everything back."""
        if hold.status != "RELEASED":
            self.check_alive(hold)
            self.end(hold, "RELEASED")

    def expire(self, holds: Iterable[ModelHold]) -> int:
        """Write down which of the holds have reached their deadline; how many."""
        due = self.due(holds)
        for hold in due:
            self.end(hold, "EXPIRED")
        return len(due)

    def due(self, holds: Iterable[ModelHold]) -> list[ModelHold]:
        """Those whose deadline has passed without anybody having written it down."""
        return [hold for hold in holds if hold.status == "ACTIVE" and hold.deadline <= self.now]

    def take_over(self, hold: ModelHold) -> None:
        """Sell what the hold keeps, even late, as long as all of it is still its own."""
        if hold.status != "ACTIVE" or any(self.owners.get(unit) is not hold for unit in hold.units):
            raise Refused("HOLD_EXPIRED")
        hold.status = "BOOKED"

    def give_back(self, hold: ModelHold, units: frozenset[str]) -> None:
        """Return some of what was sold."""
        if hold.status != "BOOKED" or any(self.owners.get(unit) is not hold for unit in units):
            raise Refused("SEATS_NOT_BOOKED")
        for unit in units:
            del self.owners[unit]

    def seat(self, unit: str) -> str:
        """What everybody sees."""
        owner = self.owners.get(unit)
        if owner is None or (owner.status == "ACTIVE" and owner.deadline <= self.now):
            return "AVAILABLE"
        return "BOOKED" if owner.status == "BOOKED" else "LOCKED"

    def pools(self) -> dict[str, tuple[int, int]]:
        """Held and sold per pool: an ACTIVE hold counts whole until its end is written down."""
        held = [unit for hold in self.holds if hold.status == "ACTIVE" for unit in hold.units]
        sold = [unit for unit, hold in self.owners.items() if hold.status == "BOOKED"]
        counts = self.count(held), self.count(sold)
        return {pool: (counts[0].get(pool, 0), counts[1].get(pool, 0)) for pool in self.authorised}

    def count(self, units: Iterable[str]) -> dict[str, int]:
        """How many of each pool."""
        sections = [self.sections[unit] for unit in units]
        return {section: sections.count(section) for section in sections}

    def is_full(self, wanted: dict[str, int]) -> bool:
        """Whether some pool has fewer places than are wanted."""
        return any(sum(self.pools()[pool]) + more > self.authorised[pool] for pool, more in wanted.items())

    def check_alive(self, hold: ModelHold) -> None:
        """Raises Refused unless the hold lives."""
        if hold.status != "ACTIVE" or hold.deadline <= self.now:
            raise Refused("HOLD_EXPIRED")

    def end(self, hold: ModelHold, status: str) -> None:
        """What the hold still keeps is nobody's."""
        hold.status = status
        self.owners = {unit: owner for unit, owner in self.owners.items() if owner is not hold}
