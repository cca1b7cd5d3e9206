"""A clock of seconds that goes forward when it is told to."""

from __future__ import annotations


class Ticking:
    """Stands at `seconds`."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def tick(self, seconds: float) -> None:
        """Go forward."""
        self.seconds += seconds
