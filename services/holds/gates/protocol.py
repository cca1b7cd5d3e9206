"""What a gate is asked, and what it may answer.

A gate stands before the database and spares it work. It never decides: where it sees no chance, the request is diverted
from the writing path to one read in PostgreSQL, which answers; and where that read finds the units free, the request is
written after all. So a gate that is wrong costs a read, and cannot refuse a free seat. Only units are looked at:
quantities of a pool are the database's alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from core.ids import uuid7

Unit = tuple[int, str]
"""A unit of a slot: the slot's id, and the unit's name in it."""


class Entry:
    """One attempt at a hold: the units that it wants, and the id that the hold will have, new for each attempt.

    The id is drawn when it is first asked for: most of a crowd have no chance, and need none.
    """

    __slots__ = ("_hold_id", "units")

    def __init__(self, units: tuple[Unit, ...]) -> None:
        self.units = units
        self._hold_id: UUID | None = None

    @property
    def hold_id(self) -> UUID:
        """The hold's id."""
        if self._hold_id is None:
            self._hold_id = uuid7()
        return self._hold_id


@dataclass(frozen=True, slots=True)
class Won:
    """An attempt that PostgreSQL has committed, and for how many `seconds` from now its hold lasts."""

    entry: Entry
    seconds: float


class Gate(Protocol):
    """Stands before the database. No method raises, and none waits longer than some tens of milliseconds, but
    `settled`. The order of calls for an attempt is `enter`, then either nothing (it was diverted), or one of `confirm`
    and `leave`. `confirm` and `leave` may also be called for attempts that never entered.
    """

    async def enter(self, entries: Sequence[Entry]) -> Sequence[bool]:
        """For each attempt of a batch, in order: does it seem to have a chance? True when in doubt.

        True: its units are noted as on their way, until `confirm` or `leave`, or for two seconds. False: nothing of it
        is noted; it belongs on the reading path, and what it lost against may still be under way (`settled`).
        """
        ...

    async def settled(self, entries: Sequence[Entry]) -> None:
        """Wait until nothing that this process knows to be on its way stands in the way of those attempts.

        To be awaited before the read that answers diverted attempts: what they lost against has then been committed,
        or was taken back. Two seconds at most.
        """
        ...

    async def confirm(self, won: Sequence[Won]) -> None:
        """PostgreSQL committed these. Whoever waits for the holds can be answered before this is called."""
        ...

    async def leave(self, lost: Sequence[Entry]) -> None:
        """These were refused, replayed or failed: take back what they entered, and nothing of anybody else's."""
        ...

    async def taken(self, units: Collection[Unit]) -> None:
        """PostgreSQL just said that these units are somebody's: in a refusal, or to a read."""
        ...

    async def forget(self) -> None:
        """Know nothing any more, where this process keeps it: PostgreSQL failed, and may have lost what it said."""
        ...

    async def aclose(self) -> None:
        """Let go of connections. No other call follows."""
        ...
