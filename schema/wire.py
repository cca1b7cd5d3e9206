"""GraphQL as clients reach it: the schema in the engine, over HTTP, server-sent events and WebSocket at one address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

import strawberry
from redis.exceptions import RedisError
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from core import loops, telemetry
from core.log import bind_request, logger
from core.settings import Settings
from engine.caching import AnswerCache
from engine.documents import Documents, Policy, Reading, Trusted, ValkeyStore
from engine.errors import Errors
from engine.execution import DocumentPlans, WritingExecutor
from engine.http import Caller, Events, GraphQLHTTP, Lane, Options, into_variable
from engine.limits import Limits
from engine.operations import Answer, Engine
from engine.sharing import SharedStreams
from engine.surroundings import browser_headers
from engine.websockets import GraphQLSocket, Hooks, evenly, together
from engine.websockets import Options as SocketOptions
from resolvers.context import Application, Context, unseen
from schema import caching
from schema.credentials import (
    API_KEY,
    DEVICE,
    Credentials,
    client_identity,
    context_of,
    credentials_of,
    expires_in,
    identities_of,
    is_good,
)
from schema.http import POLICY, describe, journal, unexpected
from services.documents import Registry
from subscriptions.clients import Clients
from subscriptions.sessions import EndedSessions

PATH = "/graphql"
"""Where GraphQL is."""

DRAIN_SECONDS = 2.0
"""Over how long sockets are told to connect elsewhere when the server stops."""

STOPPING_SECONDS = 2.0
"""How long mutations whose clients have left may go on then."""

CLIENTS_SECONDS = 1.0
"""How long a start waits for clients to be known; whoever sends a key before that is asked to come again."""

log = logger("wire")


@dataclass(frozen=True)
class Wire:
    """What answers GraphQL in one process, from its start to its end."""

    engine: Engine
    http: GraphQLHTTP
    sockets: GraphQLSocket
    streams: SharedStreams
    lane: Lane
    cache: AnswerCache | None

    async def drain(self) -> None:
        """Take no more sockets, and send the clients of streams and sockets elsewhere, while the server still runs."""
        self.http.streams.stop()
        await self.sockets.drain(evenly(DRAIN_SECONDS))


class Endpoint:
    """The ASGI application at `/graphql`: hands requests and sockets to the wire of the process, once that is there."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one socket to its end."""
        wire = cast("Wire", scope["app"].state.wire)
        await (wire.sockets if scope["type"] == "websocket" else wire.http)(scope, receive, send)


@asynccontextmanager
async def opened(schema: strawberry.Schema, application: Application) -> AsyncIterator[Wire]:
    """The wire of this process; while it is open, what credentials have is ended when they are."""
    closing = Closing()
    ended = EndedSessions(application.database, application.hub, closing.end_session)
    clients = Clients(application.database, closing.change_clients)
    wire = make(schema, application, ended, clients)
    closing.wire = wire
    stop = asyncio.Event()
    following = [
        asyncio.create_task(loops.forever("sessions", ended.listen, stop)),
        asyncio.create_task(loops.forever("clients", clients.follow, stop)),
    ]
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(clients.are_known.wait(), CLIENTS_SECONDS)
        yield wire
    finally:
        stop.set()
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        await wire.streams.aclose()
        await wire.engine.aclose(STOPPING_SECONDS)


class Closing:
    """Ends what credentials still have when they have ended: sockets, streams, being known by a request's bytes."""

    wire: Wire | None = None

    def end_session(self, session_id: Hashable) -> None:
        """End what a sign-in has."""
        self._end(session_id)

    def change_clients(self, retired: frozenset[str]) -> None:
        """Look at every client again, and end what those have that are retired."""
        self._end(*map(client_identity, retired))

    def _end(self, *identities: Hashable) -> None:
        """Close their sockets, with 4403, end their streams, and look at everybody's credentials again."""
        if self.wire is not None:
            self.wire.sockets.revoke(*identities)
            self.wire.http.streams.revoke(*identities)
            if self.wire.cache is not None:
                self.wire.cache.forget_requests()


def make(schema: strawberry.Schema, application: Application, ended: EndedSessions, clients: Clients) -> Wire:
    """The engine with its transports."""
    errors = Errors(describe, unexpected)
    otherwise = Caller(policy=Policy(application.settings.documents.upper()))
    engine = Engine(
        schema,
        errors=errors,
        documents=documents(schema, application),
        executor=WritingExecutor,
        observers=[telemetry.count_operation],
        tells_cost=True,
    )

    def make_context(connection: HTTPConnection, authorization: str | None) -> Context:
        said = Credentials(authorization, header(connection, API_KEY), header(connection, DEVICE))
        return context_of(application, ended, clients, connection, said)

    def make_context_of_socket(connection: HTTPConnection, said: Credentials) -> Context:
        return context_of(application, ended, clients, connection, said)

    def caller_of(context: Context) -> Caller:
        client = context.client
        return otherwise if client is None else Caller(client.manifest, Policy(client.documents))

    def remembered_for(context: Context) -> float | None:
        return expires_in(context) if is_good(ended, clients, context) else 0.0

    streaming = Events(
        cursor_of=cursor_of, resume=into_variable("after"), expires_in=expires_in, identities_of=identities_of
    )
    streams = SharedStreams(unseen)
    hooks = Hooks(
        make_context=make_context_of_socket,
        credentials=credentials_of,
        caller_of=caller_of,
        expires_in=expires_in,
        identities_of=identities_of,
        tally=telemetry.SOCKET_OPERATIONS.inc,
        stream=together(streams),
        wrote=lambda connection, said: http.wrote(connection, said.authorization),
    )
    cache = caching.made(schema, application, remembered_for)
    http = GraphQLHTTP(
        engine,
        make_context=make_context,
        errors=errors,
        caller_of=caller_of,
        options=Options(varies_by=(API_KEY,)),
        streaming=streaming,
        cache=cache,
    )
    return Wire(
        engine=engine,
        http=http,
        sockets=GraphQLSocket(engine, errors=errors, hooks=hooks, options=sockets_of(application.settings)),
        streams=streams,
        lane=Lane(
            http,
            path=PATH,
            headers=browser_headers(POLICY),
            bind=bind_request,
            write=journal.write,
            unexpected=unexpected,
            executes=True,
        ),
        cache=cache,
    )


def header(connection: HTTPConnection, wanted: str) -> str | None:
    """A header of a connection, which has few: to find one takes less than to make a mapping of them."""
    name = wanted.encode("latin-1")
    return next((value.decode("latin-1") for one, value in connection.scope["headers"] if one == name), None)


def sockets_of(settings: Settings) -> SocketOptions:
    """What is taken from sockets."""
    return SocketOptions(sockets_per_client=settings.sockets_per_client)


def documents(schema: strawberry.Schema, application: Application) -> Documents:
    """Documents as this process knows them: persisted ones are in Valkey, trusted ones in PostgreSQL."""
    return Documents(
        reading(schema, application.settings),
        store=ValkeyStore(application.redis, failures=(RedisError, OSError), failed=documents_unknown),
        trusted=Trusted(Registry(application.database), failed=documents_unknown),
    )


def reading(schema: strawberry.Schema, settings: Settings) -> Reading:
    """How documents are read. Suggestions tell the schema bit by bit, so they go with introspection."""
    told = settings.introspection
    return Reading(schema, Limits(), introspection=told, suggestions=told, plans=DocumentPlans)


def documents_unknown(error: Exception) -> None:
    """Say that documents could not be asked for. Clients send theirs in full; trusted ones are for a minute more."""
    log.warning("documents_unknown", error=repr(error))


def cursor_of(answer: Answer) -> str | None:
    """The cursor of an event, where the client asks for it under its own name."""
    for event in (answer.data or {}).values():
        if isinstance(event, dict) and isinstance(event.get("cursor"), str):
            return cast("str", event["cursor"])
    return None
