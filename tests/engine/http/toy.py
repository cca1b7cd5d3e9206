"""A small schema behind the transport, on a real server: greetings, faults, refusals, and streams that count."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import strawberry
import uvicorn
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp
from strawberry.schema.config import StrawberryConfig

from engine.errors import Description, Errors, Refused
from engine.http import Caller, Events, GraphQLHTTP, Lane, Options, ResponseCache, into_variable, lane_protocol
from engine.operations import Answer, Engine

SECRET = "the password is swordfish"


class NoSuchThing(Exception):
    """A refusal of the toy's own."""


@strawberry.type
class Query:
    """What the toy answers."""

    @strawberry.field
    def hello(self, name: str = "world") -> str:
        """A greeting."""
        return f"hello {name}"

    @strawberry.field
    def who(self, info: strawberry.Info[Any, Any]) -> str:
        """Whoever asks."""
        return str(info.context["who"])

    @strawberry.field
    def fault(self) -> str | None:
        """A fault of ours."""
        raise RuntimeError(SECRET)

    @strawberry.field
    def refusal(self) -> str | None:
        """A refusal that may be told."""
        raise NoSuchThing("There is no such thing.")

    @strawberry.field
    def strict_fault(self) -> str:
        """A fault that takes all of `data` with it."""
        raise RuntimeError(SECRET)


@strawberry.type
class Mutation:
    """What the toy changes."""

    @strawberry.mutation
    def change(self, info: strawberry.Info[Any, Any], by: int = 1) -> int:
        """How often it was changed."""
        watch: Watch = info.context["watch"]
        watch.changes += by
        return watch.changes


@strawberry.type
class Tick:
    """One number, and where it stands in its stream."""

    number: int
    cursor: str


@strawberry.type
class Subscription:
    """What the toy streams."""

    @strawberry.subscription
    async def count(
        self, info: strawberry.Info[Any, Any], to: int = 3, after: str | None = None
    ) -> AsyncGenerator[Tick, None]:
        """From one (or whatever comes after the cursor) to `to`."""
        for number in range(int(after or 0) + 1, to + 1):
            yield Tick(number=number, cursor=str(number))

    @strawberry.subscription
    async def forever(self, info: strawberry.Info[Any, Any]) -> AsyncGenerator[int, None]:
        """One event, and then nothing more."""
        watch: Watch = info.context["watch"]
        watch.opened += 1
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            watch.closed += 1

    @strawberry.subscription
    async def flood(self, info: strawberry.Info[Any, Any]) -> AsyncGenerator[str, None]:
        """Large events without end."""
        watch: Watch = info.context["watch"]
        try:
            while True:
                watch.produced += 1
                yield "x" * 65_536
        finally:
            watch.closed += 1

    @strawberry.subscription
    async def breaks(self) -> AsyncGenerator[int, None]:
        """One event, and then a fault."""
        yield 1
        raise RuntimeError(SECRET)

    @strawberry.subscription
    def refused(self) -> AsyncGenerator[int, None]:
        """A refusal in place of a stream."""
        raise NoSuchThing("There is no such stream.")

    @strawberry.subscription
    def faulty(self) -> AsyncGenerator[int, None]:
        """A fault in place of a stream."""
        raise RuntimeError(SECRET)


@dataclass
class Watch:
    """What happened inside the server, for tests to look at."""

    opened: int = 0
    closed: int = 0
    produced: int = 0
    changes: int = 0
    faults: list[BaseException] = field(default_factory=list)

    def forget(self) -> None:
        """Begin anew."""
        self.opened = self.closed = self.produced = self.changes = 0
        self.faults.clear()


@dataclass
class Toy:
    """The transport over the toy schema, and what happened in it."""

    app: GraphQLHTTP
    watch: Watch


def describe(error: BaseException) -> Description | None:
    """The toy's refusals in full; the rest is masked."""
    return (str(error), {"code": "NOT_FOUND"}) if isinstance(error, NoSuchThing) else None


def cursor_of(answer: Answer) -> str | None:
    """Where an answer says that it stands."""
    for value in (answer.data or {}).values():
        if isinstance(value, dict) and "cursor" in value:
            return str(value["cursor"])
    return None


SCHEMA = strawberry.Schema(Query, Mutation, Subscription, config=StrawberryConfig(auto_camel_case=True))


def toy(
    *, options: Options | None = None, cache: ResponseCache | None = None, caller: Caller | None = None, **events: Any
) -> Toy:
    """A transport of one's own."""
    watch = Watch()
    errors = Errors(describe, watch.faults.append)

    def make_context(connection: HTTPConnection, authorization: str | None) -> dict[str, Any]:
        if authorization is not None and not authorization.startswith("Bearer good-"):
            raise Refused(401, "The token is no good.", {})
        return {"who": (authorization or "Bearer good-guest").removeprefix("Bearer good-"), "watch": watch}

    app = GraphQLHTTP(
        Engine(SCHEMA, errors=errors),
        make_context=make_context,
        errors=errors,
        options=options,
        streaming=Events(cursor_of=cursor_of, resume=into_variable("after"), **events),
        cache=cache,
        **({} if caller is None else {"caller_of": lambda _: caller}),
    )
    return Toy(app, watch)


def lane_of(app: GraphQLHTTP) -> type[Any]:
    """uvicorn's protocol with a lane that answers whatever it can."""

    def ignore(*_: object) -> None:
        """Nobody reads it."""

    unexpected = app.errors.unexpected
    lane = Lane(app, path="/graphql", headers=(), bind=ignore, write=ignore, unexpected=unexpected, executes=True)
    return lane_protocol(lambda: lane)


@contextmanager
def served(app: ASGIApp, http: Any = "auto") -> Iterator[str]:
    """Serve an application on a port of its own, in a thread; its address, with `/graphql`."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=http, lifespan="off", log_config=None, timeout_graceful_shutdown=1, ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/graphql"
        finally:
            server.should_exit = True
            thread.join()
