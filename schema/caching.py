"""Which answers are shared, with whom, and what puts an end to them: the response cache as Jetway uses it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import strawberry

from core import ids
from core.log import logger
from engine.caching import AnswerCache, Hooks, shared
from engine.operations import Prepared
from resolvers import context
from resolvers.context import Application, Context
from resolvers.flights import FLIGHT_KIND
from subscriptions import topics
from subscriptions.cache import CacheFeed

log = logger("cache")


def of_the_flight(arguments: Mapping[str, Any]) -> Iterable[str]:
    """The facts of the flight with this `id`: its seats, its pools, its day. Raises Invalid for what is no id."""
    return (topics.slot(ids.number_of(FLIGHT_KIND, arguments["id"])),)


FLIGHT = shared(seconds=5, topics=of_the_flight)
"""A flight with its seat map: until something happens to it. The seconds count where the relay is behind."""

SEARCH = shared(seconds=10)
"""Offers say when they were priced, and booking asks anew what is left: each hold of each flight of a route would end
its searches, and on a day of a sale none would ever be shared."""

BOARD = shared(seconds=5)
PLACES = shared(seconds=60)
"""What changes with a deployment."""


def made(
    schema: strawberry.Schema, application: Application, expires_in: Callable[[Context], float | None]
) -> AnswerCache | None:
    """The response cache of this process; None where the settings want none."""
    megabytes = application.settings.response_cache
    if not megabytes:
        return None
    feed = CacheFeed(application.hub)
    hooks = Hooks(audience=audience, share=context.shared, expires_in=expires_in, spoilt=spoilt)
    cache = AnswerCache(schema, hooks, listening=feed, weight=megabytes * 2**20)
    feed.tell(cache.drop, cache.clear)
    return cache


def audience(asked: Context) -> Hashable:
    """Everything on which it depends what a viewer may see of what is shared: the role."""
    return (asked.viewer.role,)


def spoilt(prepared: Prepared, touched: str) -> None:
    """Say that a field was declared as shared whose resolver asks who is asking: a fault of ours that harms nobody."""
    log.warning("not_shared", document=prepared.sha256, touched=touched)
