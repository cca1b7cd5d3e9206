"""The gate that every process has for itself: what it knows to be taken, and what it is about to take."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from itertools import chain

from services.holds.gates.protocol import Entry, Unit, Won

KNOWN_SECONDS = 1.0
"""How long PostgreSQL's word that a unit is taken counts. What becomes free elsewhere is free here after that."""

FLIGHT_SECONDS = 2.0
"""How long an attempt that nobody ends counts as under way."""

UNITS = 100_000
"""How many taken units are known at most; the oldest are forgotten first. Some 30 MB."""


class Flight:
    """An attempt between `enter` and its end; `landed` is set then."""

    __slots__ = ("landed", "overdue_at")

    def __init__(self, overdue_at: float) -> None:
        self.overdue_at = overdue_at
        self.landed = asyncio.Event()


class LocalGate:
    """One process's own view: of a thousand rivals for a hundred seats it lets some fifty through to be written.

    A unit is known as taken for one second after PostgreSQL said so, and never past its hold's deadline. That is all
    there is to staleness: a seat that is released, expires, or is given back by a booking needs to tell nobody, and a
    gap in what was heard loses nothing, since nothing is heard. The services that move claims later know no gates: what
    is stale costs one read.

    A unit on its way in another attempt of this process diverts a rival for the time of that attempt only. Belongs to
    one event loop. `clock` tells seconds that only go forward.
    """

    def __init__(self, *, units: int = UNITS, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = units
        self._clock = clock
        self._known: OrderedDict[Unit, float] = OrderedDict()
        self._flights: OrderedDict[Entry, Flight] = OrderedDict()
        self._flying: dict[Unit, Entry] = {}

    async def enter(self, entries: Sequence[Entry]) -> Sequence[bool]:
        """See `Gate.enter`."""
        now = self._clock()
        self._tidy(now)
        known, flying = self._known, self._flying
        chances = []
        for entry in entries:
            for unit in entry.units:
                if known.get(unit, now) > now or flying.get(unit, entry) is not entry:
                    chances.append(False)
                    break
            else:
                self._take_off(entry, now)
                chances.append(True)
        return chances

    async def settled(self, entries: Sequence[Entry]) -> None:
        """See `Gate.settled`. Attempts that begin meanwhile are not waited for."""
        units = set(chain.from_iterable([entry.units for entry in entries]))
        rivals = set(map(self._flying.get, units)).difference(entries)
        in_the_way = [self._flights[rival] for rival in rivals if rival is not None]
        if not in_the_way:
            return
        last = max(flight.overdue_at for flight in in_the_way)
        try:
            async with asyncio.timeout(max(0.0, last - self._clock())):
                for flight in in_the_way:
                    await flight.landed.wait()
        except TimeoutError:
            self._tidy(self._clock())

    async def confirm(self, won: Sequence[Won]) -> None:
        """See `Gate.confirm`."""
        now = self._clock()
        for one in won:
            self._land(one.entry)
            self._know(one.entry.units, now + min(KNOWN_SECONDS, one.seconds))

    async def leave(self, lost: Sequence[Entry]) -> None:
        """See `Gate.leave`."""
        for entry in lost:
            self._land(entry)

    async def taken(self, units: Collection[Unit]) -> None:
        """See `Gate.taken`."""
        self._know(units, self._clock() + KNOWN_SECONDS)

    async def forget(self) -> None:
        """See `Gate.forget`. What is under way still is."""
        self._known.clear()

    async def aclose(self) -> None:
        """See `Gate.aclose`."""

    def _take_off(self, entry: Entry, now: float) -> None:
        if entry.units and entry not in self._flights:
            self._flights[entry] = Flight(now + FLIGHT_SECONDS)
            self._flying.update(dict.fromkeys(entry.units, entry))

    def _land(self, entry: Entry) -> None:
        flight = self._flights.pop(entry, None)
        if flight is None:
            return
        for unit in entry.units:
            if self._flying.get(unit) is entry:
                del self._flying[unit]
        flight.landed.set()

    def _know(self, units: Collection[Unit], until: float) -> None:
        for unit in units:
            self._known[unit] = until
            self._known.move_to_end(unit)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def _tidy(self, now: float) -> None:
        """Drop what does not count any more. Both are in order of time, but for holds of less than a second."""
        while self._flights and (oldest := next(iter(self._flights.items())))[1].overdue_at <= now:
            self._land(oldest[0])
        while self._known and next(iter(self._known.values())) <= now:
            self._known.popitem(last=False)
