"""What a shared field gives: a source of events that also knows how to begin in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Hashable, Sequence
from typing import Any, Generic, Protocol, TypeVar

E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)


class Feed(Protocol[E_co]):
    """The present state of something, and how it changes. Belongs to one task, which reads it for many.

    A *place* is how much somebody knows: nothing, everything up to a cursor, everything up to now.
    """

    @property
    def here(self) -> Hashable:
        """The place of whoever was told everything up to now."""

    def place(self, cursor: str | None) -> Hashable:
        """The place of whoever comes with this cursor, or None. Raises what refuses a cursor that means nothing."""

    async def open(self, stir: Callable[[], None]) -> None:
        """Begin to listen; `stir` is called whenever there may be something for `changes` to tell."""

    async def changes(self) -> Sequence[E_co]:
        """What those who are here are to be told next; nothing where nothing has changed. Raises what ends the feed."""

    async def reach(self, places: Collection[Hashable]) -> Sequence[E_co]:
        """Have at hand what brings everybody from these places to here; what those who are here are to be told first.

        Raises where that cannot be had now, and is as it was then.
        """

    def opening(self, place: Hashable) -> Sequence[E_co]:
        """What brings somebody from a place that was reached to here. The same object as long as it says the same."""

    async def close(self) -> None:
        """Listen no more."""


class Live(Generic[E]):
    """What the resolver of a shared field returns. Iterated over, it tells one subscriber alone."""

    def __init__(self, feed: Feed[E], after: str | None = None) -> None:
        self.feed = feed
        self.after = after

    async def __aiter__(self) -> AsyncGenerator[E, None]:
        """What changed since `after`, or the present state; then each change. Raises what refuses or ends the feed."""
        feed, stirred = self.feed, asyncio.Event()
        place = feed.place(self.after)
        await feed.open(stirred.set)
        try:
            await feed.reach([place])
            for event in feed.opening(place):
                yield event
            while True:
                for event in await feed.changes():
                    yield event
                await stirred.wait()
                stirred.clear()
        finally:
            await feed.close()


def feed_of(source: Any) -> Feed[Any] | None:
    """The feed of a subscription's source; None for any other source."""
    return source.feed if isinstance(source, Live) else None
