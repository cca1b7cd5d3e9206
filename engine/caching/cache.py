"""The cache itself: found by the bytes of a request, or by what they mean; executed once for all who wait."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import strawberry

from engine.caching.entries import ALIAS_BYTES, Alias, Entry, Outcome, Run, stored_of
from engine.caching.keys import Key, key_of
from engine.caching.listening import Deaf, Listening
from engine.caching.room import Room
from engine.caching.rules import Terms, terms_of
from engine.caching.sharing import Sharing
from engine.http.caching import Raw, Stored
from engine.operations import Answer, Prepared, name_of

Execute = Callable[[Any], Awaitable[Answer]]

MOST_WRITERS = 100_000
MOST_PERSONAL = 1_000
LONGEST_REQUEST = 16 * 1024
"""Bytes of a request that is remembered by its bytes."""

SAME_FOR_ALL = {"requested", "limit"}
"""Of `extensions.cost`, what does not depend on who asks."""


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What the cache asks of the application."""

    audience: Callable[[Any], Hashable | None]
    """Everything on which it depends what the viewer of a context may see; None for one with whom nothing is shared."""

    share: Callable[[Any, Sharing], Any]
    """A context like this one, for a shared execution, that tells the Sharing what is done with it."""

    expires_in: Callable[[Any], float | None] = lambda _: None
    """In how many seconds the credentials of a context end; None for never."""

    spoilt: Callable[[Prepared, str], None] = lambda _prepared, _touched: None
    """Told of an operation that was declared as shared, and whose resolvers looked at the viewer."""


@dataclass
class Figures:
    """How often what happened since the process began."""

    found: int = 0
    """Answered by the bytes of the request alone."""
    recognised: int = 0
    """Answered because a request, once decoded, meant the same as another."""
    joined: int = 0
    """Answered by an execution that was under way already."""
    executed: int = 0
    kept: int = 0
    ended: int = 0
    """Ended by facts, while kept or under way."""


class AnswerCache:
    """Keeps answers of up to `weight` bytes in this process. Belongs to one event loop."""

    def __init__(
        self,
        schema: strawberry.Schema,
        hooks: Hooks,
        *,
        listening: Listening | None = None,
        weight: int = 64 * 2**20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.schema = schema._schema
        self.hooks = hooks
        self.listening = listening or Deaf()
        self.clock = clock
        self.figures = Figures()
        self.entries: Room[Key, Entry] = Room(weight, self._end)
        self.aliases: Room[Hashable, Alias] = Room(weight // 4)
        self.runs: dict[Key, Run] = {}
        self.by_topic: dict[str, set[Run | Entry]] = {}
        self.writers: OrderedDict[Hashable, float] = OrderedDict()
        self.personal: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.tasks: set[asyncio.Future[Outcome]] = set()

    def find(self, raw: Raw) -> Stored | None:
        """The answer to exactly this request, where it is kept and true."""
        alias = self.aliases.get(raw.asked)
        if alias is None or raw.fresh:
            return None
        now, entry = self.clock(), alias.entry
        if not (entry.made_at <= now < entry.dies_at and now < alias.until):
            self.aliases.pop(raw.asked)
            return None
        if self.writers and entry.made_at < self._wrote_at(raw):
            return None
        alias.used = entry.used = True
        self.figures.found += 1
        return entry.at(now)

    async def answer(self, raw: Raw, prepared: Prepared, context: Any, execute: Execute) -> Stored | None:
        """The answer to a query, kept or executed now; None where it is for this client alone to execute."""
        terms = terms_of(self.schema, prepared)
        audience = None if terms is None else self.hooks.audience(context)
        key = None if audience is None else key_of(prepared, audience)
        if terms is None or key is None or key[:2] in self.personal:
            return None
        now = self.clock()
        since = now if raw.fresh else self._wrote_at(raw)
        entry = self.entries.get(key)
        if entry is not None and since <= entry.made_at <= now < entry.dies_at:
            self.figures.recognised += 1
            entry.used = True
            self._remember(raw, entry, context)
            return entry.at(now)
        run = self.runs.get(key)
        if run is not None and run.began >= since:
            self.figures.joined += 1
            outcome = await asyncio.shield(run.outcome)
            return None if outcome.personal else outcome.stored
        run = self._begin(key, terms, now, lambda run: self._executed(run, terms, prepared, context, execute))
        outcome = await asyncio.shield(run.outcome)
        if outcome.entry is not None:
            self._remember(raw, outcome.entry, context)
        return outcome.stored

    def wrote(self, raw: Raw) -> None:
        """A mutation of this sender has ended: it is shown nothing any more that was read before.

        It is known by its credentials and by its address, either of which may change between two requests; whoever
        shares an address with others has some answers made anew for their sake.
        """
        for sender in raw.senders:
            self.writers.pop(sender, None)
            self.writers[sender] = self.clock()
        while len(self.writers) > MOST_WRITERS:
            self.writers.popitem(last=False)

    def forget_requests(self) -> None:
        """Credentials may have ended before their time: every request is decoded, and its sender looked at, again."""
        self.aliases.clear()

    def drop(self, topic: str) -> None:
        """A fact was told on this topic: what depends on it is true no longer."""
        for one in tuple(self.by_topic.get(topic, ())):
            self.figures.ended += 1
            self._end(one)

    def clear(self, topics: Iterable[str] | None = None) -> None:
        """Facts may have been missed: nothing that depends on facts, of these topics or any, is true any longer."""
        for topic in tuple(self.by_topic if topics is None else topics):
            self.drop(topic)

    def _wrote_at(self, raw: Raw) -> float:
        """When this sender wrote last, as far as we know."""
        return max([self.writers.get(sender, -math.inf) for sender in raw.senders])

    def _begin(self, key: Key, terms: Terms, now: float, executed: Callable[[Run], Awaitable[Outcome]]) -> Run:
        """Start an execution, which goes on where whoever began it is cancelled."""
        run = Run(key, terms.topics, now)
        run.heard = not terms.topics or self.listening.hears(terms.topics)
        task = asyncio.ensure_future(executed(run))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        run.outcome = task
        self.runs[key] = run
        self._register(run)
        return run

    async def _executed(self, run: Run, terms: Terms, prepared: Prepared, context: Any, execute: Execute) -> Outcome:
        """What comes of an execution; kept where it may be."""
        self.figures.executed += 1
        sharing = Sharing(ends_by_facts=bool(terms.topics))
        try:
            answer = await execute(self.hooks.share(context, sharing))
        finally:
            may_keep = run.heard and not run.doomed
            self._end(run)
        if sharing.spoilt is not None:
            self._keep_personal(run.key, prepared, sharing.spoilt)
        seconds = min(terms.seconds, sharing.seconds)
        body = answer.encode()
        personal = sharing.spoilt is not None or not is_same_for_all(answer)
        if answer.errors or personal or seconds <= 0 or not may_keep:
            return Outcome(Stored(body), personal)
        stored = stored_of(body, seconds, terms.topics, name_of(prepared.operation))
        entry = Entry(run.key, terms.topics, run.began, run.began + seconds, stored)
        return Outcome(entry.stored, personal, entry if self._keep(entry) else None)

    def _keep(self, entry: Entry) -> bool:
        """Keep an entry in place of the one before it; False where it is too large."""
        old = self.entries.get(entry.key)
        if old is not None:
            if old.made_at > entry.made_at:
                return False
            self._end(old)
        if not self.entries.put(entry.key, entry):
            return False
        self.figures.kept += 1
        self._register(entry)
        return True

    def _keep_personal(self, key: Key, prepared: Prepared, touched: str) -> None:
        """Remember that an operation is nobody else's."""
        self.hooks.spoilt(prepared, touched)
        self.personal[key[:2]] = None
        if len(self.personal) > MOST_PERSONAL:
            self.personal.popitem(last=False)

    def _remember(self, raw: Raw, entry: Entry, context: Any) -> None:
        """Have these bytes find the entry, as long as their credentials are good."""
        weight = len(raw.content) + len(raw.authorization or b"")
        if weight <= LONGEST_REQUEST:
            seconds = self.hooks.expires_in(context)
            until = math.inf if seconds is None else self.clock() + seconds
            self.aliases.put(raw.asked, Alias(entry, until, ALIAS_BYTES + weight))

    def _register(self, one: Run | Entry) -> None:
        for topic in one.topics:
            self.by_topic.setdefault(topic, set()).add(one)

    def _end(self, one: Run | Entry) -> None:
        """Keep an entry no longer, or let nobody join an execution any more, and keep nothing of it."""
        for topic in one.topics:
            members = self.by_topic.get(topic)
            if members is not None:
                members.discard(one)
                if not members:
                    del self.by_topic[topic]
        if isinstance(one, Entry):
            if self.entries.get(one.key) is one:
                self.entries.pop(one.key)
            one.end()
        else:
            if self.runs.get(one.key) is one:
                del self.runs[one.key]
            one.doomed = True


def is_same_for_all(answer: Answer) -> bool:
    """Whether nothing beside the data may be about who asks: extensions of the schema may say anything."""
    extensions = answer.extensions or {}
    return not extensions or (set(extensions) == {"cost"} and set(extensions["cost"]) <= SAME_FOR_ALL)
