"""How often something may happen: so many at once, and then so many a second."""

from __future__ import annotations


class Pace:
    """Counts one kind of thing, in one number (the generic cell rate algorithm, ITU-T I.371). Times are in seconds."""

    __slots__ = ("_due", "_interval", "_slack")

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1 / per_second
        self._slack = self._interval * (burst - 1)
        self._due = 0.0

    def take(self, now: float) -> float:
        """Count one more at `now`, a monotonic clock's; 0. Or, where that is too soon, how long it is to wait."""
        due = max(self._due, now)
        early = due - self._slack - now
        if early > 0:
            return early
        self._due = due + self._interval
        return 0.0
