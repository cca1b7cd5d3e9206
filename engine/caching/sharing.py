"""What a shared execution does: how long its answer is true, and whether it is anybody's at all."""

from __future__ import annotations

import math


class Sharing:
    """Belongs to one execution. The context of that execution tells it what the resolvers do."""

    def __init__(self, *, ends_by_facts: bool = False) -> None:
        self.ends_by_facts = ends_by_facts
        """Whether facts end the answer. Then it is to be read where everything is that was told: not from a replica
        that may be behind."""
        self.seconds = math.inf
        """For how long the answer is true, as far as resolvers said."""
        self.spoilt: str | None = None
        """What of the viewer was touched first; None where nothing was."""

    def lasts(self, seconds: float) -> None:
        """The answer is true for no longer than that: it shows something with a deadline."""
        self.seconds = min(self.seconds, seconds)

    def spoil(self, touched: str) -> None:
        """The answer is the viewer's own, since a resolver looked at `touched`."""
        if self.spoilt is None:
            self.spoilt = touched
