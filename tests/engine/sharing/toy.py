"""A number that changes, and those who watch it together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import strawberry

from engine.errors import Description, Errors
from engine.operations import Asked, Engine
from engine.sharing import Live, SharedStreams, Watch, everybody, shared_by
from engine.sharing.groups import Member

SECRET = "ada's card"


class NotForYou(Exception):
    """A refusal of the toy's own."""


@strawberry.type
class Change:
    """What the number is, and which numbers were not told by themselves."""

    number: int
    told: int

    @strawberry.field
    def whose(self, info: strawberry.Info[Any, Any]) -> str:
        """Whoever watches."""
        return str(info.context.who)

    @strawberry.field
    def hidden(self, info: strawberry.Info[Any, Any]) -> str | None:
        """The same, and nothing is said of it when it goes wrong."""
        try:
            return str(info.context.who)
        except Exception:  # noqa: BLE001 - this is what the test is about
            return None


@dataclass
class World:
    """The number, how it was watched, and what feeds did."""

    number: int = 0
    opened: int = 0
    closed: int = 0
    reached: list[set[Hashable]] = field(default_factory=list)
    executed: int = 0
    feeds: list[Feed] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    fails: Exception | None = None

    def change(self, by: int = 1) -> None:
        """Change it, and say so."""
        for _ in range(by):
            self.number += 1
            for feed in self.feeds:
                feed.stir()


class Feed:
    """The number. A place is a number that is known; below zero is no cursor."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: int | None = None
        self.stir: Callable[[], None]

    @property
    def here(self) -> Hashable:
        return self.told

    def place(self, cursor: str | None) -> Hashable:
        if cursor is not None and not cursor.isdigit():
            raise NotForYou("This is no cursor.")
        return None if cursor is None else int(cursor)

    async def open(self, stir: Callable[[], None]) -> None:
        self.world.opened += 1
        self.stir = stir
        self.world.feeds.append(self)

    async def changes(self) -> Sequence[Change]:
        if self.world.fails is not None:
            raise self.world.fails
        before, self.told = self.told, self.world.number
        return [] if before == self.told or before is None else [Change(number=self.told, told=self.told - before)]

    async def reach(self, places: Collection[Hashable]) -> Sequence[Change]:
        self.world.reached.append(set(places))
        return await self.changes()

    def opening(self, place: Hashable) -> Sequence[Change]:
        if place == self.told:
            return []
        known = place if isinstance(place, int) else 0
        return [Change(number=self.told or 0, told=(self.told or 0) - known)]

    async def close(self) -> None:
        self.world.closed += 1
        self.world.feeds.remove(self)


def role_of(context: Any) -> Hashable:
    """Everything on which it depends what is seen."""
    if context.role == "nobody":
        raise NotForYou("This is not for you.")
    return str(context.role)


@strawberry.type
class Query:
    """There has to be one."""

    @strawberry.field
    def echo(self, text: str | None = None) -> str | None:
        """The same."""
        return text


async def numbers(info: strawberry.Info[Any, Any], of: int = 1, after: str | None = None) -> Live[Change]:
    """The number."""
    del of
    return Live(Feed(info.context.world), after)


async def mine(info: strawberry.Info[Any, Any]) -> Live[Change]:
    """One that looks at who is asking, though it says that it does not."""
    assert info.context.who
    return Live(Feed(info.context.world))


async def odd() -> AsyncGenerator[Change, None]:
    """One that gives no Live."""
    yield Change(number=1, told=1)


def watched(resolver: Any, **more: Any) -> Any:
    """A field of it."""
    return strawberry.subscription(resolver=resolver, graphql_type=AsyncGenerator[Change, None], **more)


@strawberry.type
class Subscription:
    """What is watched."""

    number = watched(numbers, metadata=shared_by(audience=everybody))
    staff = watched(numbers, metadata=shared_by(audience=role_of))
    mine = watched(mine, metadata=shared_by(audience=everybody))
    odd = watched(odd, metadata=shared_by(audience=everybody))
    alone = watched(numbers)


@dataclass
class Context:
    """Somebody."""

    world: World
    who: str = SECRET
    role: str = "clerk"


class Unseen:
    """The context of what many are told: it knows nobody."""

    def __init__(self, world: World, watch: Watch) -> None:
        self.world = world
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        self._watch.spoil(name)


def describe(error: BaseException) -> Description | None:
    return (str(error), {"code": "FORBIDDEN"}) if isinstance(error, NotForYou) else None


@dataclass
class Listener:
    """Somebody who listens, as the transport has it."""

    is_slow: bool = False
    ready: Callable[[], None] | None = None
    heard: list[Any] = field(default_factory=list)

    def when_ready(self, call: Callable[[], None] | None) -> None:
        self.ready = call

    def tell(self, answers: Sequence[bytes]) -> bool:
        for answer in () if self.is_slow else answers:
            self.next(answer)
        return not self.is_slow

    def next(self, answer: bytes) -> None:
        self.heard.append(orjson.loads(answer))

    def refuse(self, errors: Sequence[dict[str, Any]]) -> None:
        self.heard.append([error["extensions"]["code"] for error in errors])

    def complete(self) -> None:
        self.heard.append("complete")

    @property
    def numbers(self) -> list[tuple[int, int]]:
        """What was told: the number, and by how much it had changed."""
        return [next((one["number"], one["told"]) for one in said["data"].values()) for said in self.heard]


class House:
    """An engine, and its groups."""

    def __init__(self) -> None:
        self.world = World()
        self.reports: list[tuple[str, str]] = []
        self.engine = Engine(
            SCHEMA,
            errors=Errors(describe, self.world.faults.append),
            observers=[lambda name, outcome, _: self.reports.append((name, outcome))],
        )
        self.streams = SharedStreams(lambda context, watch: Unseen(context.world, watch), tick=0.0)

    async def join(
        self, document: str, *, context: Context | None = None, listener: Listener | None = None, **variables: Any
    ) -> tuple[Member, Listener]:
        """Subscribe."""
        prepared = await self.engine.prepare(Asked(query=document, variables=variables))
        heard = listener or Listener()
        member = self.streams.join(self.engine, prepared, context or Context(self.world), heard)
        assert member is not None
        return member, heard

    async def settle(self) -> None:
        """Let everything happen that can."""
        for _ in range(30):
            await asyncio.sleep(0)


SCHEMA = strawberry.Schema(Query, subscription=Subscription)
