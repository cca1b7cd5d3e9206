"""One group: everybody who subscribed to the same, served by one task."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Hashable, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from graphql import GraphQLError

from engine.errors import internal
from engine.operations import Answer, Engine, Opened, Prepared, RequestRefused
from engine.sharing.feeds import Feed, feed_of
from engine.sharing.rules import Audience, everybody
from engine.surroundings import request_ids

MANY = 256
"""So many members are told before others have their turn: about 2 ms."""

HERE = object()
"""The place of whoever was told everything."""

COMING = object()
"""The place of whoever has just come."""

GONE = object()
"""The place of whoever has left."""

NO_LONGER = {"message": "You may no longer see this.", "extensions": {"code": "FORBIDDEN"}}


NAMES = request_ids()


class Personal(Exception):
    """A resolver of a shared field looked at who is watching. Nothing of what it made was sent."""


class Watch:
    """What a shared execution is watched by. The context without a viewer tells it what the resolvers do."""

    ends_by_facts = True
    """What is read must not be older than what was told: it is not to come from a replica that may be behind."""

    def __init__(self) -> None:
        self.touched: str | None = None

    def lasts(self, seconds: float) -> None:
        """How long an answer is true does not matter here: changes are told."""

    def spoil(self, touched: str) -> None:
        """A resolver looked at `touched`, which is a viewer's. Raises Personal; it is no use to hide that."""
        self.touched = touched
        raise Personal(f"A shared subscription looked at `{touched}`.")


class Listener(Protocol):
    """The way to one client. None of it waits, and none of it raises."""

    def when_ready(self, call: Callable[[], None] | None) -> None:
        """Call this, and nothing else, once it has taken what it was told; None for nothing."""

    def tell(self, answers: Sequence[bytes]) -> bool:
        """Tell it encoded answers; False, and it is told nothing, where it has not taken what it was told before."""

    def next(self, answer: bytes) -> None:
        """Tell it an encoded answer, whatever it has taken."""

    def refuse(self, errors: Sequence[dict[str, Any]]) -> None:
        """End with `error`."""

    def complete(self) -> None:
        """End with `complete`."""


class Member:
    """One subscriber, and how much of the feed it knows."""

    __slots__ = ("context", "group", "listener", "place")

    def __init__(self, group: Group, listener: Listener, context: Any, place: Hashable) -> None:
        self.group = group
        self.listener = listener
        self.context = context
        self.place = place

    def leave(self) -> None:
        """Be told nothing more."""
        self.group.leave(self)

    def go_on(self) -> None:
        """Be brought to the present, now that all was taken that was sent."""
        self.listener.when_ready(None)
        self.group.wait(self)


class Group:
    """Everybody who subscribed to `prepared` and is of the audience `who`.

    It ends with its last member, or all members with it; then `ended` is called. `tick` is the time in seconds in which
    what changes is told together.
    """

    def __init__(
        self,
        engine: Engine,
        prepared: Prepared,
        audience: Audience,
        who: Hashable,
        *,
        tick: float,
        ended: Callable[[Group], None],
    ) -> None:
        self.engine = engine
        self.prepared = prepared
        self.audience = audience
        self.who = who
        self.watch = Watch()
        self.name = next(NAMES)
        """Stands for a request's id where a fault of the group is told: it is no member's."""
        self._tick = tick
        self._ended = ended
        self._cursors: list[tuple[Member, str | None]] = []
        self._members: dict[Member, None] = {}
        self._waiting: dict[Member, None] = {}
        """Members who are to be brought to the present."""
        self._stirred = asyncio.Event()
        self._opened: tuple[object, bytes] | None = None
        """The opening that was told last, with what it was encoded to: most who come are told the same."""
        self._here: Hashable = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, context: Any) -> None:
        """Execute it in that context, which has no viewer, for all who join."""
        nobodys = contextvars.Context()
        self._task = asyncio.get_running_loop().create_task(self._run(context), context=nobodys)

    def join(self, listener: Listener, context: Any, cursor: str | None) -> Member:
        """One more member, who is told what changed since the cursor, or the present state, and then all changes."""
        member = Member(self, listener, None if self.audience is everybody else context, COMING)
        self._members[member] = None
        self._cursors.append((member, cursor))
        self._stirred.set()
        return member

    def wait(self, member: Member) -> None:
        """Have a member brought to the present."""
        if member in self._members:
            self._waiting[member] = None
            self._stirred.set()

    def leave(self, member: Member) -> None:
        """Tell this member nothing more, nor anybody, where it was the last one."""
        if self._drop(member, "ok") and not self._members and self._task is not None:
            self._ended(self)
            self._task.cancel()

    async def aclose(self) -> None:
        """End, for everybody."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, context: Any) -> None:
        """Tell everybody, until nobody is left or something ends it for all."""
        try:
            async with aclosing(await self.engine.open(self.prepared, context, request_id=self.name)) as opened:
                await self._tell_from(opened)
        except RequestRefused as refusal:
            self._end(list(self._members), refusing(refusal.errors))
        except Personal as fault:
            self.engine.errors.unexpected(fault)
            message, extensions = internal(self.name)
            self._end(list(self._members), refusing([{"message": message, "extensions": extensions}]))
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            self._end(list(self._members), self._telling(error))

    async def _tell_from(self, opened: Opened) -> None:
        """Tell what the feed says, for ever. Raises what ends the feed, or this group."""
        self._untouched()
        feed = feed_of(opened.source)
        if feed is None:
            raise TypeError("The resolver of a shared subscription did not return a Live.")
        try:
            await feed.open(self._stirred.set)
            while self._members:
                await self._stirred.wait()
                self._stirred.clear()
                told = await self._round(opened, feed)
                if told:
                    await asyncio.sleep(self._tick)
        finally:
            await feed.close()

    async def _round(self, opened: Opened, feed: Feed[Any]) -> bool:
        """Tell those who are here what has changed, then bring others here; whether anything was to be told."""
        changes = await feed.changes() if self._here is not None else ()
        await self._tell(opened, feed, changes)
        waiting = self._places(feed)
        if not waiting:
            return bool(changes)
        try:
            first = await feed.reach({member.place for member in waiting})
        except Exception as error:  # noqa: BLE001 - those who were here before are not touched by it
            self._end(waiting, self._telling(error))
            return True
        await self._tell(opened, feed, first)
        await self._admit(opened, feed, waiting)
        return True

    def _places(self, feed: Feed[Any]) -> list[Member]:
        """Those who wait to be brought here, each at a place; whoever comes with what is no cursor is refused."""
        cursors, self._cursors = self._cursors, []
        for member, cursor in cursors:
            try:
                member.place = feed.place(cursor)
            except Exception as error:  # noqa: BLE001 - it refuses this one alone
                self._end([member], self._telling(error))
            else:
                self.wait(member)
        waiting, self._waiting = self._waiting, {}
        return list(waiting)

    async def _tell(self, opened: Opened, feed: Feed[Any], events: Sequence[Any]) -> None:
        """Tell everybody who is here; those who are slow stay behind, where they were."""
        before, self._here = self._here, feed.here
        if not events:
            return
        answers = [await self._encoded(opened, event) for event in events]
        is_for_all = self.audience is everybody
        for count, member in enumerate(list(self._members), 1):
            if count % MANY == 0:
                await asyncio.sleep(0)
            if member.place is not HERE or not (is_for_all or self._may_stay(member)):
                continue
            if not member.listener.tell(answers):
                member.place = before
                member.listener.when_ready(member.go_on)

    async def _admit(self, opened: Opened, feed: Feed[Any], waiting: Sequence[Member]) -> None:
        """Bring those here whose places were reached, each with one opening for all who come from there."""
        openings: dict[Hashable, list[bytes]] = {}
        for count, member in enumerate(waiting, 1):
            if count % MANY == 0:
                await asyncio.sleep(0)
            if member not in self._members or not self._may_stay(member):
                continue
            if member.place not in openings:
                events = feed.opening(member.place)
                openings[member.place] = [await self._kept(opened, event) for event in events]
            if member.listener.tell(openings[member.place]):
                member.place = HERE
            else:
                member.listener.when_ready(member.go_on)

    async def _kept(self, opened: Opened, event: object) -> bytes:
        """An opening as it is told; the one that was told last is not made again."""
        if self._opened is None or self._opened[0] is not event:
            self._opened = event, await self._encoded(opened, event)
        return self._opened[1]

    async def _encoded(self, opened: Opened, event: object) -> bytes:
        """An event as it is told. Raises Personal."""
        answer = await opened.answer(event)
        self._untouched()
        return answer.encode()

    def _untouched(self) -> None:
        """Raises Personal where a resolver looked at who is watching, whatever it did then."""
        if self.watch.touched is not None:
            raise Personal(f"A shared subscription looked at `{self.watch.touched}`.")

    def _may_stay(self, member: Member) -> bool:
        """Whether somebody is still of this group's audience; whoever is not is told so."""
        if self.audience is everybody:
            return True
        try:
            if self.audience(member.context) == self.who:
                return True
            errors = [NO_LONGER]
        except Exception as error:  # noqa: BLE001 - it refuses this one alone
            errors = self._told(error)
        self._end([member], refusing(errors))
        return False

    def _told(self, error: Exception) -> list[dict[str, Any]]:
        """An exception as clients may know it."""
        return self.engine.tell([GraphQLError(str(error), original_error=error)], self.name)

    def _telling(self, error: Exception) -> Callable[[Listener], None]:
        """What tells a subscriber that an exception ended its stream."""
        errors = self._told(error)
        content = Answer(None, errors).encode()

        def tell(listener: Listener) -> None:
            listener.next(content)
            listener.complete()

        return tell

    def _end(self, members: Sequence[Member], tell: Callable[[Listener], None]) -> None:
        """End the subscriptions of some."""
        for member in members:
            if self._drop(member, "error"):
                tell(member.listener)
        if not self._members:
            self._ended(self)

    def _drop(self, member: Member, outcome: str) -> bool:
        """Have a member no more; whether it was there."""
        if member not in self._members:
            return False
        del self._members[member]
        self._waiting.pop(member, None)
        member.place = GONE
        member.listener.when_ready(None)
        self.engine.report(self.prepared, outcome)
        return True


def refusing(errors: Sequence[dict[str, Any]]) -> Callable[[Listener], None]:
    """What ends a subscriber's stream with these errors."""
    return lambda listener: listener.refuse(errors)
