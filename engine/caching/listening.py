"""Where the cache hears of facts: a port that the application fills in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class Listening(Protocol):
    """Listens to topics on behalf of a cache, and calls its `drop` and `clear`."""

    def hears(self, topics: Collection[str]) -> bool:
        """Whether every fact that is told on these topics from now on reaches the cache, or a `clear` does.

        Answers at once and raises nothing. What it does not listen to yet it begins to, so that the next question may
        find it so. Before it stops listening to a topic it drops it.
        """


class Deaf:
    """Hears of nothing: what depends on facts is not kept."""

    def hears(self, topics: Collection[str]) -> bool:
        """Whether there is nothing to be heard."""
        return not topics
