"""What is kept of an operation: its answer, an execution that is under way, and the bytes that ask for it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection
from dataclasses import dataclass, field

from engine.caching.keys import Key
from engine.http.caching import Stored, etag_of

ENTRY_BYTES, ALIAS_BYTES = 1_000, 500
"""What one weighs beside its bytes, about."""

BY_FACTS = "private, no-cache"
"""Facts reach us and no cache beyond us: those have to ask each time, with the ETag."""


@dataclass(eq=False, slots=True)
class Entry:
    """An answer that is kept."""

    key: Key
    topics: frozenset[str]
    made_at: float
    """When its execution began."""
    dies_at: float
    stored: Stored
    weight: int = field(init=False)
    used: bool = False

    def __post_init__(self) -> None:
        self.weight = ENTRY_BYTES + len(self.stored.body)

    def end(self) -> None:
        """It is true no longer, and its bytes are let go."""
        self.dies_at = -math.inf
        self.stored = NOTHING

    def at(self, now: float) -> Stored:
        """The answer, with its age in whole seconds."""
        age = int(now - self.made_at)
        stored = self.stored
        if age != stored.age:
            stored = self.stored = Stored(stored.body, stored.etag, stored.cache_control, age, stored.operation)
        return stored


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an execution."""

    stored: Stored
    personal: bool
    """Whether it is for the client alone in whose name it was executed."""
    entry: Entry | None = None
    """Where it is kept."""


@dataclass(eq=False, slots=True)
class Run:
    """An execution under way, for which others may wait too."""

    key: Key
    topics: frozenset[str]
    began: float
    outcome: asyncio.Future[Outcome] = field(init=False)
    heard: bool = False
    """Whether facts on its topics would have reached us since it began."""
    doomed: bool = False
    """Whether it is over, or a fact was told meanwhile: nobody joins it any more."""


@dataclass(eq=False, slots=True)
class Alias:
    """Bytes that ask for an entry, with credentials that are good until then."""

    entry: Entry
    until: float
    weight: int
    used: bool = False


NOTHING = Stored(b"")


def stored_of(body: bytes, seconds: float, topics: Collection[str], operation: str) -> Stored:
    """A fresh answer that is true for so long, or until a fact is told on one of its topics."""
    cache_control = BY_FACTS if topics else f"private, max-age={int(seconds)}"
    return Stored(body, etag_of(body), cache_control, 0, operation)
