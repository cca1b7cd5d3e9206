"""The shell of `app.py` around a schema of a few toy fields, on a real port; for what belongs to the shell alone."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

import strawberry

import app
from core.db import Database
from core.errors import Forbidden, Invalid, RateLimited
from core.settings import Settings, asyncpg_url
from resolvers.context import Info
from services.gateways import Gateways

SECRET = "hunter2"


@strawberry.type
class Query:
    """Fields that behave, and fields that do not."""

    @strawberry.field
    async def hello(self, name: str = "world") -> str:
        """A greeting."""
        return f"hello {name}"

    @strawberry.field
    async def who(self, info: Info) -> str:
        """Who is asking."""
        return info.context.actor

    @strawberry.field
    async def ip(self, info: Info) -> str:
        """From where."""
        return info.context.ip

    @strawberry.field
    async def fault(self) -> str | None:
        """A fault of ours."""
        raise ZeroDivisionError(SECRET)

    @strawberry.field
    async def refusal(self) -> str | None:
        """A refusal that names a field."""
        raise Invalid("Airports differ.", field="destination", code="SAME_AIRPORT")

    @strawberry.field
    async def impatient(self) -> str | None:
        """A refusal that names a time."""
        raise RateLimited("Too many.", retry_after=7)

    @strawberry.field
    def again(self) -> Query:
        """The same once more."""
        return Query()


@strawberry.type
class Mutation:
    """One field."""

    @strawberry.mutation
    async def change(self) -> bool:
        """Change nothing."""
        return True


@strawberry.type
class Subscription:
    """Streams."""

    @strawberry.subscription
    async def count(self, to: int) -> AsyncIterator[int]:
        """From one up."""
        for number in range(1, to + 1):
            yield number

    @strawberry.subscription
    async def forever(self, info: Info) -> AsyncIterator[str]:
        """Says who is asking, and then nothing any more."""
        yield info.context.actor
        await asyncio.Event().wait()

    @strawberry.subscription
    async def breaks(self) -> AsyncIterator[int]:
        """Says one, and has a fault."""
        yield 1
        raise ZeroDivisionError(SECRET)

    @strawberry.subscription
    async def refused(self, flights: int = 0) -> AsyncIterator[int]:
        """Is refused before anything is said."""
        if flights == 0:
            raise Invalid("No such flight.", field="flightIds")
        yield flights


def toy_schema() -> strawberry.Schema:
    """The schema."""
    return strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)


async def receive_webhook(
    database: Database, gateways: Gateways, name: str, body: bytes, headers: Mapping[str, str]
) -> None:
    """Takes what is signed `good` and was not changed on the way."""
    if (headers.get("stripe-signature"), body) != ("good", b'{"raw":  1}'):
        raise Forbidden("The signature is not good.")


@contextmanager
def toy_server(settings: Settings) -> Iterator[str]:
    """Serve it, in a thread, and give its address."""
    server_app = app.shell(toy_schema(), receive_webhook, lambda: app.opened(settings))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = app.serving(server_app, settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def toy_settings(database_url: str, redis_url: str, secret: bytes = b"s" * 32) -> Settings:
    """Settings under which nothing is called but the database and Valkey."""
    return Settings(
        host="127.0.0.1",
        port=0,
        database_url=asyncpg_url(database_url),
        read_database_url=asyncpg_url(database_url),
        redis_url=redis_url,
        secrets=(secret,),
        stripe_api_key="sk_test_toy",
        stripe_webhook_secret="whsec_toy",
        stripe_api_base="http://127.0.0.1:9",
        pool_size=4,
        log_level="INFO",
        trusted_proxies="",
    )


def without_database(settings: Settings) -> Settings:
    """The same, with a database that does not answer."""
    nowhere = "postgresql+asyncpg://jetway@127.0.0.1:9/jetway"
    return dataclasses.replace(settings, database_url=nowhere, read_database_url=nowhere)
