"""What a feed remembers of its facts: enough to bring those who come back to where everybody is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import attrgetter

from core.db import ReadSession
from services import live
from services.live import PlacedFact

LOGGED = 256
"""Facts that are kept at least; older ones are read from PostgreSQL when somebody comes back from before them."""

POSITION = attrgetter("position")


class Log:
    """The facts of some topics, of kinds that begin so, up to `position`, and for as long as is known.

    `position` is None until it has begun.
    """

    def __init__(self, topics: Sequence[str], kinds: str = "") -> None:
        self.position: int | None = None
        self._topics = topics
        self._kinds = kinds
        self._facts: list[PlacedFact] = []
        self._floor = 0
        """Above it every fact is here."""
        self._bottom = 0
        """Below it nothing can be known."""

    async def begin(self, session: ReadSession, since: int | None) -> None:
        """Be at the head, and know what happened since a position, or nothing. The session reads the primary.

        Whatever is read after this, in this session or later, is as new as the facts up to the head, or newer.
        """
        self.position = head = await live.head(session)
        since = head if since is None else min(since, head)
        past = await live.history(session, self._topics, since, self._kinds)
        self._facts = [fact for fact in past.facts if fact.position <= head]
        self._floor = past.floor
        self._bottom = past.floor if past.floor > since else 0

    def is_behind(self, positions: Iterable[int]) -> bool:
        """Whether somebody comes from further than this has got, from another process perhaps: it is to `advance`."""
        return self.position is not None and any(one > self.position for one in positions)

    def lacks(self, positions: Iterable[int]) -> int | None:
        """The first of some positions since which what happened is to be `remember`ed; None where all that can is."""
        return min((one for one in positions if self._bottom <= one < self._floor), default=None)

    async def remember(self, session: ReadSession, since: int) -> None:
        """Know what happened since a position that it `lacks`; as much of it as can be known."""
        past = await live.history(session, self._topics, since, self._kinds)
        if past.floor > since:
            self._bottom = past.floor
        if past.floor < self._floor:
            self._floor = past.floor
            self._facts = [fact for fact in past.facts if fact.position <= (self.position or 0)]

    async def advance(self, session: ReadSession) -> list[PlacedFact] | None:
        """Be at the head; what has happened until then, of the kinds that matter. None where that is not known.

        A head may be further than any fact that was heard: it counts those of other topics too.
        """
        since, head = self.position or 0, await live.head(session)
        past = await live.history(session, self._topics, since, self._kinds)
        if past.floor > since:
            return None
        new = self.take(fact for fact in past.facts if fact.position <= head)
        self.position = max(since, head)
        return new

    def take(self, facts: Iterable[PlacedFact]) -> list[PlacedFact]:
        """Take in facts, which may come twice; those that are new, and of the kinds that matter, in order."""
        if self.position is None:
            return []
        new = {fact.position: fact for fact in facts if fact.position > self.position}
        if not new:
            return []
        self.position = max(new)
        told = [new[position] for position in sorted(new) if new[position].kind.startswith(self._kinds)]
        self._facts += told
        if len(self._facts) > 2 * LOGGED:
            self._floor = self._facts[-LOGGED - 1].position
            self._facts = self._facts[-LOGGED:]
        return told

    def knows(self, position: int) -> bool:
        """Whether everything is here that happened between that position and ours."""
        return self.position is not None and self._floor <= position <= self.position

    def since(self, position: int) -> list[PlacedFact]:
        """What happened after a position that it `knows`."""
        return self._facts[bisect_right(self._facts, position, key=POSITION) :]
