"""The hub: brings the facts of a topic to everybody in this process who subscribed to it.

However many subscribe, a topic is one subscription at Valkey and each message is decoded once. What a subscriber has
not read yet waits in its `Mailbox`, which is bounded. Where something may have been missed (the connection to Valkey
was renewed, a mailbox was full) the mailbox says so, and the subscriber catches up from PostgreSQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol, Self

from broadcaster import Broadcast, Event
from prometheus_client import Counter, Gauge

from core.errors import Unavailable
from core.log import logger
from services import live
from subscriptions.pubsub import Gap, PubSub

CAPACITY = 256
"""Facts that wait for one subscriber. It reads them all at once, so this is what happens while it sends one message."""

SUBSCRIBERS = Gauge("jetway_hub_subscribers", "Subscribers of the hub.")
TOPICS = Gauge("jetway_hub_topics", "Topics that somebody in this process subscribed to.")
GAPS = Counter("jetway_hub_gaps_total", "Mailboxes told that they may have missed something.", ["cause"])

log = logger("hub")


class Post(NamedTuple):
    """What waited in a mailbox: facts, in order for each topic, and whether some before them are missing."""

    gap: bool
    facts: list[live.PlacedFact]


class Member(Protocol):
    """What the hub tells: at once, without waiting for it to listen."""

    def put(self, fact: live.PlacedFact) -> None:
        """A fact of a topic that it is a member of."""

    def lose(self, cause: str) -> None:
        """Facts may have been missed."""

    def close(self) -> None:
        """Nothing comes any more."""


class Mailbox:
    """What one subscriber has not read yet: at most `capacity` facts, past that only the news of a gap."""

    def __init__(self, capacity: int, stir: Callable[[], None] | None = None, kinds: str = "") -> None:
        self._capacity = capacity
        self._stir = stir
        self._kinds = kinds
        self._facts: list[live.PlacedFact] = []
        self._gap = False
        self._closed = False
        self._something = asyncio.Event()

    def put(self, fact: live.PlacedFact) -> None:
        """Leave a fact for the subscriber, where it is of a kind that matters."""
        if not fact.kind.startswith(self._kinds):
            return
        if len(self._facts) >= self._capacity:
            self.lose("overflow")
        self._facts.append(fact)
        self._stirs()

    def lose(self, cause: str) -> None:
        """Say that something may be missing. What waits is dropped: catching up brings it again."""
        self._facts.clear()
        if not self._gap:
            GAPS.labels(cause).inc()
        self._gap = True
        self._stirs()

    def close(self) -> None:
        """Say that nothing comes any more."""
        self._closed = True
        self._stirs()

    async def take(self) -> Post:
        """All that waits, at once; waits for something where there is nothing. Raises Unavailable once closed."""
        await self._something.wait()
        return self.now()

    def now(self) -> Post:
        """All that waits, which may be nothing. Raises Unavailable once closed."""
        if self._closed:
            raise Unavailable("This server is stopping; subscribe again, with the last cursor.")
        self._something.clear()
        post = Post(self._gap, self._facts)
        self._gap, self._facts = False, []
        return post

    def _stirs(self) -> None:
        self._something.set()
        if self._stir is not None:
            self._stir()


class Hub(Broadcast):
    """The topics of one process, over the Redis or Valkey at `url`. Belongs to one event loop."""

    def __init__(self, url: str, *, capacity: int = CAPACITY) -> None:
        self._pubsub = PubSub(url)
        super().__init__(backend=self._pubsub)
        self._capacity = capacity
        self._members: dict[str, set[Member]] = {}

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def disconnect(self) -> None:
        """Close every mailbox, then the connections."""
        for member in {one for members in self._members.values() for one in members}:
            member.close()
        await super().disconnect()

    @asynccontextmanager
    async def subscribe(  # type: ignore[override]
        self, *topics: str, stir: Callable[[], None] | None = None, kinds: str = ""
    ) -> AsyncIterator[Mailbox]:
        """A mailbox for the facts of `topics`: whatever is published from now on gets into it, or a gap does.

        `kinds`: how the kinds begin of those that matter.

        `stir` is called whenever something does. Where Valkey is away this returns after a second; the mailbox gets a
        gap when it is back.
        """
        mailbox = Mailbox(self._capacity, stir, kinds)
        for topic in topics:
            self._enter(topic, mailbox)
        SUBSCRIBERS.inc()
        try:
            await asyncio.gather(*(self._pubsub.subscribe(topic) for topic in topics))
            yield mailbox
        finally:
            for topic in set(topics):
                self.leave(topic, mailbox)
            SUBSCRIBERS.dec()

    def join(self, topic: str, member: Member) -> Awaitable[None]:
        """Tell a member of a topic's facts from now on, until it `leave`s.

        What it returns is to be awaited: it asks Valkey, and is done once Valkey knows, or after a second.
        """
        self._enter(topic, member)
        return self._pubsub.subscribe(topic)

    def leave(self, topic: str, member: Member) -> None:
        """Tell it nothing more."""
        members = self._members.get(topic, set())
        members.discard(member)
        if not members:
            self._members.pop(topic, None)
            self._pubsub.forget(topic)
        TOPICS.set(len(self._members))

    def hears(self, topic: str) -> bool:
        """Whether a fact that is published now would reach the topic's members, as far as is known."""
        return self._pubsub.hears(topic)

    def when_lost(self, call: Callable[[], None]) -> None:
        """Call this as soon as the connection is known to be lost: members hear of it only when it is back."""
        self._pubsub.lost = call

    def _enter(self, topic: str, member: Member) -> None:
        self._members.setdefault(topic, set()).add(member)
        TOPICS.set(len(self._members))

    async def _listener(self) -> None:
        while True:
            self._deliver(await self._pubsub.next_published())

    def _deliver(self, event: Event) -> None:
        members = tuple(self._members.get(event.channel, ()))
        fact = None if isinstance(event, Gap) else read(event)
        for member in members:
            if fact is None:
                member.lose("connection" if isinstance(event, Gap) else "unreadable")
            else:
                member.put(fact)


def read(event: Event) -> live.PlacedFact | None:
    """The fact in a message; None, with an error in the log, where there is none."""
    try:
        return live.from_wire(event.message)
    except (ValueError, KeyError, TypeError):
        log.exception("hub.unreadable", channel=event.channel, message=event.message[:200])
        return None
