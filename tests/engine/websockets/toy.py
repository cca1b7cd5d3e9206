"""The toy schema of the HTTP transport's tests behind sockets, on a real server."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvicorn
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from engine.errors import Errors, Refused
from engine.http import Caller
from engine.operations import Engine
from engine.websockets import GraphQLSocket, Hooks, Options, evenly
from engine.websockets.hooks import Stream, alone
from engine.websockets.serving import DrainingServer, SocketProtocol
from tests.engine.http.toy import SCHEMA, Watch, describe

T = TypeVar("T")

SERVER_LIMIT = 512 * 1024
"""Bytes of a message that the server itself takes; more than the application does."""


@dataclass
class Toy:
    """The transport over the toy schema, and what happened in it."""

    app: GraphQLSocket
    watch: Watch

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of any socket."""
        census = self.app.census
        counted = census.count, census.silent, len(census.clients), len(census.sockets), len(census.known)
        return counted == (0, 0, 0, 0, 0) and self.watch.opened <= self.watch.closed


def identities_of(context: dict[str, Any]) -> tuple[str, ...]:
    """Whoever asks."""
    return (f"user:{context['who']}",)


def toy(
    *,
    expires_in: Callable[[Any], float | None] = lambda _: None,
    caller: Caller = Caller(),  # noqa: B008 - it never changes
    stream: Stream = alone,
    client_of: Callable[[HTTPConnection], str | None] = lambda _: "somebody",
    **options: Any,
) -> Toy:
    """A transport of one's own."""
    watch = Watch()
    errors = Errors(describe, watch.faults.append)

    def make_context(connection: HTTPConnection, authorization: str | None) -> dict[str, Any]:
        if authorization == "Bearer fault":
            raise ZeroDivisionError
        if authorization is not None and not authorization.startswith("Bearer good-"):
            raise Refused(401, "The token is no good.", {})
        return {"who": (authorization or "Bearer good-guest").removeprefix("Bearer good-"), "watch": watch}

    hooks = Hooks(
        make_context=make_context,
        expires_in=expires_in,
        identities_of=identities_of,
        client_of=client_of,
        stream=stream,
        caller_of=lambda _: caller,
    )
    app = GraphQLSocket(Engine(SCHEMA, errors=errors), errors=errors, hooks=hooks, options=Options(**options))
    return Toy(app, watch)


@dataclass
class Serving:
    """A server under way."""

    standing: Toy
    server: uvicorn.Server
    port: int
    loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"ws://127.0.0.1:{self.port}/graphql"

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, and where it runs."""
        self.loop = asyncio.get_running_loop()
        scope["request_id"] = "trip-7"
        await self.standing.app(scope, receive, send)

    def call(self, function: Callable[[], T]) -> T:
        """What a function gives in the server's event loop; there has been a connection."""

        async def called() -> T:
            return function()

        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(called(), self.loop).result()


@contextmanager
def served(
    standing: Toy, *, spread: float = 0.0, ping: float = 20.0, protocol: Any = SocketProtocol
) -> Iterator[Serving]:
    """Serve it on a port of its own, in a thread; when it stops, sockets are closed over `spread` seconds.

    The server itself asks for a sign of life every `ping` seconds, and waits as long for it.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            lambda *event: serving.app(*event),
            interface="asgi3",
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=1,
            ws=protocol,
            ws_max_size=SERVER_LIMIT,
            ws_per_message_deflate=False,
            ws_ping_interval=ping,
            ws_ping_timeout=ping,
        )
        server = DrainingServer(config, lambda: standing.app.drain(evenly(spread)))
        serving = Serving(standing, server, listener.getsockname()[1])
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield serving
        finally:
            server.should_exit = True
            thread.join()
