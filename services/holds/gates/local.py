"""The gate that every process has for itself: what it knows to be taken, and what it is about to take."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from services.holds.gates.protocol import Entry, Unit, Won

KNOWN_SECONDS = 1.0
"""How long PostgreSQL's word that a unit is taken counts. What becomes free elsewhere is free here after that."""

FLIGHT_SECONDS = 2.0
"""How long an attempt that nobody ends counts as under way."""

UNITS = 100_000
"""How many taken units are known at most; the oldest are forgotten first. Some 30 MB."""


class Flight:
    """An attempt between `enter` and its end. `landed` is set once it is neither."""

    __slots__ = ("entry", "landed", "overdue_at")

    def __init__(self, entry: Entry, overdue_at: float) -> None:
        self.entry = entry
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
        self._flights: OrderedDict[UUID, Flight] = OrderedDict()
        self._flying: dict[Unit, Flight] = {}

    async def enter(self, entries: Sequence[Entry]) -> Sequence[bool]:
        """See `Gate.enter`."""
        now = self._clock()
        self._tidy(now)
        return [self._take_off(entry, now) for entry in entries]

    async def settled(self, entries: Sequence[Entry]) -> None:
        """See `Gate.settled`. Attempts that begin meanwhile are not waited for."""
        in_the_way = {
            flight
            for entry in entries
            for unit in entry.units
            if (flight := self._flying.get(unit)) is not None and flight.entry.hold_id != entry.hold_id
        }
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
            self._land(one.entry.hold_id)
            self._know(one.entry.units, now + min(KNOWN_SECONDS, one.seconds))

    async def leave(self, lost: Sequence[Entry]) -> None:
        """See `Gate.leave`."""
        for entry in lost:
            self._land(entry.hold_id)

    async def taken(self, units: Collection[Unit]) -> None:
        """See `Gate.taken`."""
        self._know(units, self._clock() + KNOWN_SECONDS)

    async def forget(self) -> None:
        """See `Gate.forget`. What is under way still is."""
        self._known.clear()

    async def aclose(self) -> None:
        """See `Gate.aclose`."""

    def _take_off(self, entry: Entry, now: float) -> bool:
        if any(self._is_hopeless(unit, entry.hold_id, now) for unit in entry.units):
            return False
        if entry.units and entry.hold_id not in self._flights:
            flight = self._flights[entry.hold_id] = Flight(entry, now + FLIGHT_SECONDS)
            self._flying.update(dict.fromkeys(entry.units, flight))
        return True

    def _is_hopeless(self, unit: Unit, hold_id: UUID, now: float) -> bool:
        if self._known.get(unit, now) > now:
            return True
        flight = self._flying.get(unit)
        return flight is not None and flight.entry.hold_id != hold_id

    def _land(self, hold_id: UUID) -> None:
        flight = self._flights.pop(hold_id, None)
        if flight is None:
            return
        for unit in flight.entry.units:
            if self._flying.get(unit) is flight:
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
        while self._flights and (flight := next(iter(self._flights.values()))).overdue_at <= now:
            self._land(flight.entry.hold_id)
        while self._known and next(iter(self._known.values())) <= now:
            self._known.popitem(last=False)
