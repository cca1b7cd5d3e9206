"""GraphQL as clients reach it: the schema in the engine, over HTTP, server-sent events and WebSocket at one address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import strawberry
from redis.exceptions import RedisError
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from core import clock, loops, telemetry
from core.errors import Unauthenticated
from core.log import bind_request, logger
from core.settings import Settings
from engine.caching import AnswerCache
from engine.documents import Documents, Policy, Reading, Trusted, ValkeyStore
from engine.errors import Errors, Refused
from engine.execution import CompilingExecutor, DocumentPlans
from engine.http import Caller, Events, GraphQLHTTP, Lane, into_variable
from engine.limits import Limits
from engine.operations import Answer, Engine
from engine.surroundings import browser_headers
from engine.websockets import GraphQLSocket, Hooks, evenly
from resolvers.context import Application, Context, viewer_from_authorization
from schema import caching
from schema.http import POLICY, describe, extensions, journal, unexpected
from services.documents import Registry
from subscriptions.sessions import EndedSessions

PATH = "/graphql"
"""Where GraphQL is."""

DRAIN_SECONDS = 2.0
"""Over how long sockets are told to connect elsewhere when the server stops."""

STOPPING_SECONDS = 2.0
"""How long mutations whose clients have left may go on then."""

log = logger("wire")


@dataclass(frozen=True)
class Wire:
    """What answers GraphQL in one process, from its start to its end."""

    engine: Engine
    http: GraphQLHTTP
    sockets: GraphQLSocket
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
    """The wire of this process; while it is open, sockets are closed whose sign-in ends."""
    closing = Closing()
    ended = EndedSessions(application.database, application.hub, closing.close)
    wire = make(schema, application, ended)
    closing.wire = wire
    stop = asyncio.Event()
    listening = asyncio.create_task(loops.forever("sessions", ended.listen, stop))
    try:
        yield wire
    finally:
        stop.set()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await wire.engine.aclose(STOPPING_SECONDS)


class Closing:
    """Ends what a sign-in still has when it has ended: its sockets and streams, and being known by its token alone."""

    wire: Wire | None = None

    def close(self, session_id: Hashable) -> None:
        """Close its sockets, with 4403, end its streams, and look at every token again."""
        if self.wire is not None:
            self.wire.sockets.revoke(session_id)
            self.wire.http.streams.revoke(session_id)
            if self.wire.cache is not None:
                self.wire.cache.forget_requests()


def make(schema: strawberry.Schema, application: Application, ended: EndedSessions) -> Wire:
    """The engine with its transports."""
    errors = Errors(describe, unexpected)
    settings = application.settings
    engine = Engine(
        schema,
        errors=errors,
        documents=documents(schema, application),
        executor=CompilingExecutor,
        observers=[telemetry.count_operation],
        tells_cost=True,
    )

    def make_context(connection: HTTPConnection, authorization: str | None) -> Context:
        return context_of(application, ended, connection, authorization)

    def caller_of(context: Context) -> Caller:
        del context
        return Caller(policy=Policy(settings.documents.upper()))

    streaming = Events(
        cursor_of=cursor_of, resume=into_variable("after"), expires_in=expires_in, identities_of=identities_of
    )
    hooks = Hooks(
        make_context=make_context,
        caller_of=caller_of,
        expires_in=expires_in,
        identities_of=identities_of,
        tracking=telemetry.SOCKET_OPERATIONS.track_inprogress,
    )
    cache = caching.made(schema, application, expires_in)
    http = GraphQLHTTP(
        engine, make_context=make_context, errors=errors, caller_of=caller_of, streaming=streaming, cache=cache
    )
    return Wire(
        engine=engine,
        http=http,
        sockets=GraphQLSocket(engine, errors=errors, hooks=hooks),
        lane=Lane(
            http,
            path=PATH,
            headers=browser_headers(POLICY),
            bind=bind_request,
            write=journal.write,
            unexpected=unexpected,
        ),
        cache=cache,
    )


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


def context_of(
    application: Application, ended: EndedSessions, connection: HTTPConnection, authorization: str | None
) -> Context:
    """The context of one operation. Raises Refused (401) for a token that is no good, or no longer."""
    try:
        viewer = viewer_from_authorization(application.keyring, authorization)
        if viewer.session_id is not None and viewer.session_id in ended:
            raise Unauthenticated("You have signed out.")
    except Unauthenticated as refusal:
        raise Refused(401, refusal.message, extensions(refusal)) from refusal
    ip = connection.client.host if connection.client is not None else ""
    return Context(app=application, viewer=viewer, request_id=connection.scope["request_id"], ip=ip)


def expires_in(context: Context) -> float | None:
    """In how many seconds the viewer's token ends."""
    ends = context.viewer.expires_at
    return None if ends is None else max(0.0, (ends - clock.now()).total_seconds())


def identities_of(context: Context) -> Iterable[Hashable]:
    """What a socket or a stream is found by when it is to be ended: its sign-in."""
    return () if context.viewer.session_id is None else (context.viewer.session_id,)


def cursor_of(answer: Answer) -> str | None:
    """The cursor of an event, where the client asks for it under its own name."""
    for event in (answer.data or {}).values():
        if isinstance(event, dict) and isinstance(event.get("cursor"), str):
            return cast("str", event["cursor"])
    return None
