"""How a stream follows its topics: first what there is, then what changes, and after a gap what was missed.

The order is what makes it whole: subscribe, read the head, read what there is, then deltas (`seats.py` says why).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable
from typing import Protocol, TypeVar

from services import live
from subscriptions.hub import Hub

Event = TypeVar("Event", covariant=True)
AnEvent = TypeVar("AnEvent")


class View(Protocol[Event]):
    """What one viewer knows: everything about its topics up to a position."""

    @property
    def topics(self) -> Collection[str]:
        """What it is about."""

    async def present(self, *, reset: bool) -> Event:
        """What there is now. `reset`: whatever the viewer knew is to be forgotten."""

    async def catch_up(self) -> Event | None:
        """What the viewer missed; None where that is nothing."""

    def apply(self, facts: Iterable[live.PlacedFact]) -> Event | None:
        """What facts change, which are in order; None where they change nothing."""


async def follow(hub: Hub, view: View[AnEvent], *, resumed: bool) -> AsyncGenerator[AnEvent, None]:
    """The events of a view, for ever; `resumed`: its viewer has come back, and is told only what was missed.

    Ends by raising Unavailable where the database is away or the server stops.
    """
    async with hub.subscribe(*view.topics) as mailbox:
        event = await (view.catch_up() if resumed else view.present(reset=False))
        if event is not None:
            yield event
        while True:
            post = await mailbox.take()
            event = await view.catch_up() if post.gap else None
            if event is not None:
                yield event
            event = view.apply(post.facts)
            if event is not None:
                yield event
