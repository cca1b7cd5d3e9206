"""A small shop whose answers are shared: what it shows, who asks, what is told, and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import strawberry

from engine.caching import AnswerCache, Hooks, Sharing, shared
from engine.errors import Errors
from engine.http import GraphQLHTTP, Raw, Stored
from engine.operations import Asked, Engine

Info = strawberry.Info[Any, None]


class Viewer:
    """Whoever asks; a shared execution that looks at the name is spoilt."""

    def __init__(self, name: str, shop: Shop, sharing: Sharing | None = None) -> None:
        self._name = name
        self.shop = shop
        self.sharing = sharing

    @property
    def name(self) -> str:
        """Who it is."""
        if self.sharing is not None:
            self.sharing.spoil("name")
        return self._name

    @property
    def audience(self) -> str | None:
        """Staff see other things than customers; a spy shares nothing."""
        return None if self._name == "spy" else self._name.partition("-")[0]


@strawberry.input
class Wanted:
    """Which thing, and how many."""

    name: str
    count: int = 1


@strawberry.type
class Query:
    """What the shop shows."""

    @strawberry.field(metadata=shared(seconds=60))  # type: ignore[untyped-decorator]
    def motto(self, info: Info) -> str:
        """The same for everybody."""
        info.context.shop.executed.append("motto")
        return "all is well"

    @strawberry.field(metadata=shared(seconds=60, topics=lambda of: [f"shelf:{of['shelf']}"]))  # type: ignore[untyped-decorator]
    async def things(self, info: Info, shelf: int = 1) -> int:
        """How many are on a shelf."""
        shop: Shop = info.context.shop
        shop.executed.append(f"things {shelf}")
        seen = shop.shelves.get(shelf, 0)
        await shop.pause()
        if shop.deadline is not None and info.context.sharing is not None:
            info.context.sharing.lasts(shop.deadline - shop.now)
        return seen

    @strawberry.field(metadata=shared(seconds=60))  # type: ignore[untyped-decorator]
    async def price(self, info: Info, of: Wanted) -> int:
        """What it costs."""
        info.context.shop.executed.append(f"price {of.name} {of.count}")
        return of.count * 100

    @strawberry.field(metadata=shared(seconds=60))  # type: ignore[untyped-decorator]
    async def greeting(self, info: Info) -> str:
        """Declared as shared, and yet everybody's own: a mistake."""
        info.context.shop.executed.append("greeting")
        await info.context.shop.pause()
        return f"hello {info.context.name}"

    @strawberry.field(metadata=shared(seconds=60))  # type: ignore[untyped-decorator]
    async def broken(self, info: Info) -> str | None:
        """Fails."""
        info.context.shop.executed.append("broken")
        raise ValueError("broken")

    @strawberry.field
    def mine(self, info: Info) -> str:
        """Not shared."""
        info.context.shop.executed.append("mine")
        return f"{info.context.name}'s"


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    def take(self, info: Info, shelf: int = 1) -> int:
        """One thing less; nobody is told yet."""
        shelves = info.context.shop.shelves
        shelves[shelf] -= 1
        return int(shelves[shelf])


SCHEMA = strawberry.Schema(Query, Mutation)


@dataclass
class Shop:
    """The cache over that schema, and all that tests look at."""

    now: float = 1_000.0
    deaf: bool = False
    deadline: float | None = None
    weight: int = 2**20
    shelves: dict[int, int] = field(default_factory=lambda: {1: 10, 2: 20})
    executed: list[str] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    spoilt: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None
    expires: float | None = None

    def __post_init__(self) -> None:
        hooks = Hooks(
            audience=lambda viewer: viewer.audience,
            share=lambda viewer, sharing: Viewer(viewer._name, self, sharing),
            expires_in=lambda _: None if self.expires is None else self.expires - self.now,
            spoilt=lambda _, touched: self.spoilt.append(touched),
        )
        self.cache = AnswerCache(SCHEMA, hooks, listening=self, weight=self.weight, clock=lambda: self.now)
        self.errors = Errors(lambda error: (str(error), {"code": "NO"}), lambda _: None)
        self.engine = Engine(SCHEMA, errors=self.errors)
        self.http = GraphQLHTTP(
            self.engine,
            make_context=lambda _, authorization: Viewer((authorization or "guest-0").removeprefix("Bearer "), self),
            errors=self.errors,
            cache=self.cache,
        )

    def hears(self, topics: Collection[str]) -> bool:
        """Everything, unless it is deaf."""
        self.asked_for.extend(topics)
        return not self.deaf

    async def pause(self) -> None:
        """Wait where a test wants it."""
        if self.gate is not None:
            await self.gate.wait()

    async def ask(self, query: str, who: str = "guest-0", **more: Any) -> tuple[Stored | None, bytes]:
        """As the transport asks: what the cache has, and the answer either way."""
        variables: Mapping[str, Any] | None = more.pop("variables", None)
        content = f"{query} {variables}".encode()
        raw = Raw("POST", content, who.encode(), address=more.pop("address", who), **more)
        found = self.cache.find(raw)
        if found is not None:
            return found, found.body
        viewer = Viewer(who, self)
        prepared = await self.engine.prepare(Asked(query=query, variables=variables))
        stored = await self.cache.answer(raw, prepared, viewer, lambda context: self.engine.execute(prepared, context))
        if stored is not None:
            return stored, stored.body
        return None, (await self.engine.execute(prepared, viewer)).encode()

    async def told(self, query: str, who: str = "guest-0", **more: Any) -> bytes:
        """The answer alone."""
        return (await self.ask(query, who, **more))[1]


async def turns(most: int = 20) -> None:
    """Let everything go on that can: nothing in the shop waits for anything but its gate."""
    for _ in range(most):
        await asyncio.sleep(0)
