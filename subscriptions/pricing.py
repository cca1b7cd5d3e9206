"""What searches come to now, looked at once for everybody in this process who watches the same search.

Whatever happens to a flight of the route (a seat held, sold or let go, a class limited, a delay, a cancellation) rings
a bell, and the search is priced again: at once after a quiet while, and no more than every few seconds however much
happens. So viewers are told the newest prices, and none of those in between; and no fact waits for them. What no fact
tells (a new flight, a new fare, an offer that is about to end) is found once a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from core.db import Database
from core.errors import Unavailable
from services import itineraries, live
from services.itineraries import Candidate, FlightSearchInput, OfferSort
from subscriptions import topics
from subscriptions.hub import Hub

PAUSE_SECONDS = 5.0
"""The least time between two looks at the prices of one search."""

LOOK_SECONDS = 60.0
"""The longest."""

STOPPING = "This server is stopping; subscribe again, with the last cursor."


class Prices:
    """The searches that are watched in this process. Belongs to one event loop."""

    def __init__(
        self, db: Database, hub: Hub, *, pause_seconds: float = PAUSE_SECONDS, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._db = db
        self._hub = hub
        self._pause_seconds = pause_seconds
        self._look_seconds = look_seconds
        self._watched: dict[str, Watched] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def watch(self, search: FlightSearchInput) -> AsyncIterator[Watched]:
        """Have a search looked at for as long as the block lasts."""
        key = repr(replace(search, sort=OfferSort.PRICE))
        watched = self._watched.get(key)
        if watched is None or watched.has_ended:
            watched = self._watched[key] = Watched(self._looking_at(search))
            self._tasks.add(watched.task)
            watched.task.add_done_callback(self._tasks.discard)
        watched.viewers += 1
        try:
            yield watched
        finally:
            watched.viewers -= 1
            if not watched.viewers:
                watched.task.cancel()
                if self._watched.get(key) is watched:
                    del self._watched[key]

    async def aclose(self) -> None:
        """Look at nothing any more; whoever still watches is told that the server stops."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _looking_at(self, search: FlightSearchInput) -> AsyncIterator[Sequence[Candidate]]:
        """What is offered for a search, now and whenever that may have changed."""
        now = asyncio.get_running_loop().time
        reader = self._db.reader(primary=True)
        async with Listening(self._hub) as listening:
            while True:
                looked_at = now()
                await listening.to(map(topics.slot, await itineraries.slots_of(reader, search)))
                yield await itineraries.one_way(reader, search)
                await listening.bell.rung(self._look_seconds)
                await asyncio.sleep(self._pause_seconds - (now() - looked_at))


class Watched:
    """One search that somebody watches."""

    def __init__(self, looks: AsyncIterator[Sequence[Candidate]]) -> None:
        self.viewers = 0
        self._found: Sequence[Candidate] = ()
        self._count = 0
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._look(looks), name="prices")
        self.task.add_done_callback(self._end)

    @property
    def has_ended(self) -> bool:
        """Whether it is looked at no more."""
        return self.task.done()

    async def newer(self, seen: int) -> tuple[int, Sequence[Candidate]]:
        """The number of the last look, greater than `seen`, and what was found; waits for it.

        Raises what ended the looking: Invalid for a search that cannot be meant (any more), Unavailable.
        """
        while self._count <= seen:
            if self.task.cancelled():
                raise Unavailable(STOPPING)
            if self.task.done():
                self.task.result()
            await self._news.wait()
        return self._count, self._found

    async def _look(self, looks: AsyncIterator[Sequence[Candidate]]) -> None:
        async for found in looks:
            self._found = found
            self._count += 1
            self._tell()

    def _tell(self) -> None:
        """Wake everybody who waits for news."""
        self._news.set()
        self._news = asyncio.Event()

    def _end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # whoever waits is told; where nobody does, nobody is to be
        self._tell()


class Bell:
    """A member of the hub that only knows whether anything has happened."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._closed = False

    def put(self, fact: live.PlacedFact) -> None:
        """Something happened."""
        del fact
        self._rung.set()

    def lose(self, cause: str) -> None:
        """Something may have happened."""
        del cause
        self._rung.set()

    def close(self) -> None:
        """Nothing is heard any more."""
        self._closed = True
        self._rung.set()

    async def rung(self, seconds: float) -> None:
        """Return once it has rung since it was last asked, or after so many seconds. Raises Unavailable once closed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        if self._closed:
            raise Unavailable(STOPPING)
        self._rung.clear()


class Listening:
    """A bell that hangs on some topics for as long as the block lasts."""

    def __init__(self, hub: Hub) -> None:
        self.bell = Bell()
        self._hub = hub
        self._topics: set[str] = set()

    async def __aenter__(self) -> Listening:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave(self._topics)

    async def to(self, wanted: Iterable[str]) -> None:
        """Listen to these topics and no others: whatever is published on them from now on rings the bell."""
        topics_ = set(wanted)
        self._leave(self._topics - topics_)
        new = topics_ - self._topics
        self._topics = topics_
        await asyncio.gather(*(self._hub.join(topic, self.bell) for topic in new))

    def _leave(self, topics_: set[str]) -> None:
        for topic in topics_:
            self._hub.leave(topic, self.bell)
