"""What the response cache hears: the facts of the slots that its answers show.

Its topics are listened to from the first time that an answer depends on them, whether or not it is kept, and as long as
they are among those asked for last: the next answer can be kept then.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection

from services import live
from subscriptions.hub import Hub

MOST_TOPICS = 4_096


class Ear:
    """A member of the hub for one topic."""

    def __init__(self, topic: str, drop: Callable[[str], None]) -> None:
        self.topic = topic
        self.drop = drop

    def put(self, fact: live.PlacedFact) -> None:
        """Something happened."""
        del fact
        self.drop(self.topic)

    def lose(self, cause: str) -> None:
        """Something may have happened."""
        del cause
        self.drop(self.topic)

    def close(self) -> None:
        """Nothing is heard any more."""
        self.drop(self.topic)


class CacheFeed:
    """Listens on behalf of one cache (`engine.caching.Listening`). `drop` and `clear` are the cache's."""

    def __init__(self, hub: Hub, *, most: int = MOST_TOPICS) -> None:
        self._hub = hub
        self._most = most
        self._ears: OrderedDict[str, Ear] = OrderedDict()
        self._joining: set[asyncio.Task[None]] = set()
        self._drop: Callable[[str], None] = lambda _: None

    def tell(self, drop: Callable[[str], None], clear: Callable[[], None]) -> None:
        """Whom to tell: `drop` of each topic on which something happened, `clear` when nothing is heard any more."""
        self._drop = drop
        self._hub.when_lost(clear)

    def hears(self, topics: Collection[str]) -> bool:
        """Whether facts on all of these topics reach us now; those that did not soon will."""
        for topic in topics:
            if topic in self._ears:
                self._ears.move_to_end(topic)
            else:
                self._listen(topic)
        return all(map(self._hub.hears, topics))

    def _listen(self, topic: str) -> None:
        ear = self._ears[topic] = Ear(topic, lambda one: self._drop(one))
        joining = asyncio.ensure_future(self._hub.join(topic, ear))
        self._joining.add(joining)
        joining.add_done_callback(self._joining.discard)
        while len(self._ears) > self._most:
            oldest, ear = self._ears.popitem(last=False)
            self._drop(oldest)
            self._hub.leave(oldest, ear)
