"""What one process is taking at this moment: it spares rivals a conflict, and guards nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.seats.suggestions import Suggestion


@dataclass(eq=False)
class Attempt:
    """Seats that somebody in this process is taking now, by (slot, number)."""

    units: frozenset[tuple[int, str]]
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False)
class Watch:
    """The attempts that were under way at any time since the watch began."""

    seen: set[Attempt]

    def units_of(self, slot_id: int) -> frozenset[str]:
        """The seats of a flight that they take or took."""
        return frozenset(unit for attempt in self.seen for slot, unit in attempt.units if slot == slot_id)

    async def over(self, slot_ids: Set[int]) -> None:
        """Wait until none of those for these flights is under way any more."""
        for attempt in [one for one in self.seen if any(slot in slot_ids for slot, _ in one.units)]:
            await attempt.over.wait()


class Desk:
    """The attempts of one process to take seats that it chose itself. Belongs to one event loop."""

    def __init__(self) -> None:
        self._under_way: set[Attempt] = set()
        self._watches: set[Watch] = set()

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        """While reading what is free: an attempt that ends meanwhile may be missing in what is read, but not here."""
        watch = Watch(set(self._under_way))
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)

    def begin(self, suggestions: Sequence[Suggestion]) -> Attempt:
        """These seats are being taken, until the attempt is given to `end`."""
        attempt = Attempt(frozenset((one.slot_id, number) for one in suggestions for number in one.numbers))
        self._under_way.add(attempt)
        for watch in self._watches:
            watch.seen.add(attempt)
        return attempt

    def end(self, attempt: Attempt) -> None:
        """They are taken, or free again: the database knows."""
        self._under_way.discard(attempt)
        attempt.over.set()
