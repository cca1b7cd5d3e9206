"""All groups of one process: where subscriptions are told (`engine.websockets.Hooks.stream`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

from engine.caching.keys import Key, key_of
from engine.operations import Engine, Prepared, RequestRefused
from engine.sharing.groups import Group, Listener, Member, Watch
from engine.sharing.rules import Terms, terms_of

TICK = 0.02
"""Seconds in which what changes is told together."""

MOST_KNOWN = 1_000
"""Operations of which it is remembered how they are shared."""

Share = Callable[[Any, Watch], Any]
"""Given the context of whoever comes first, the context of an execution for all: it has no viewer, and tells the watch
when a resolver looks for one."""


class SharedStreams:
    """The groups, by what is the same for their members."""

    def __init__(self, share: Share, *, tick: float = TICK) -> None:
        self._share = share
        self._tick = tick
        self._terms: dict[tuple[str, str], Terms | None] = {}
        self.groups: dict[Key, Group] = {}

    def join(self, engine: Engine, prepared: Prepared, context: Any, listener: Listener) -> Member | None:
        """Have a listener told what all of its group are told; None where the subscription is not shared.

        Raises RequestRefused for whoever may not see it.
        """
        terms = self._terms_of(engine, prepared)
        if terms is None:
            return None
        try:
            who = terms.audience(context)
        except Exception as error:
            raise RequestRefused(engine.tell([GraphQLError(str(error), original_error=error)])) from error
        common = terms.without_cursor(prepared)
        key = key_of(common, who)
        if key is None:
            return None
        group = self.groups.get(key)
        if group is None:
            group = Group(
                engine, common, terms.audience, who, tick=self._tick, ended=lambda group: self._forget(key, group)
            )
            self.groups[key] = group
            group.begin(self._share(context, group.watch))
        return group.join(listener, context, terms.cursor(prepared))

    async def aclose(self) -> None:
        """End every group."""
        await asyncio.gather(*(group.aclose() for group in list(self.groups.values())))

    def _forget(self, key: Key, group: Group) -> None:
        if self.groups.get(key) is group:
            del self.groups[key]

    def _terms_of(self, engine: Engine, prepared: Prepared) -> Terms | None:
        """How an operation is shared; found once for each."""
        name = prepared.operation.name
        key = prepared.sha256, "" if name is None else name.value
        if key not in self._terms:
            if len(self._terms) >= MOST_KNOWN:
                self._terms.clear()
            self._terms[key] = terms_of(engine.schema._schema, prepared.known, prepared.operation)
        return self._terms[key]
