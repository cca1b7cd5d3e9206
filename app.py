"""The server: `python -m app`. Opens what a process needs, and mounts GraphQL, the webhook, health and the page.

Settings come from the environment (`core/settings.py`).
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import strawberry
import uvicorn
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route, WebSocketRoute

from core import crew, garbage, lifeline, log, telemetry
from core.db import Database
from core.keys import Keyring
from core.passwords import Passwords
from core.settings import Settings
from engine.http import lane_protocol
from engine.middleware import BodyLimit
from engine.responses import Files
from engine.surroundings import Shortcut, Surroundings
from engine.websockets.serving import DrainingServer, SocketProtocol
from resolvers.context import Application
from schema import health, http, papers, returning, wire
from schema.build import schema
from services import payments
from services.gateways import RETURNED, TURNED_BACK, Gateways
from services.holds import Placer
from services.holds.gates import Gates
from services.limits import Limiter
from services.seats import Plans
from subscriptions.hub import Hub
from subscriptions.pricing import Prices

BODY_LIMIT = 256 * 1024
"""Bytes that one request or one WebSocket message may have."""

VALKEY_CONNECTIONS = 32
VALKEY_SECONDS = 2.0
SHUTDOWN_SECONDS = 5
BACKLOG = 4096

SWITCH_SECONDS = 0.001
"""How long a thread that computes, such as one that reads a long document, may keep the event loop waiting.
Python's own choice is five times as much."""


def create_app(settings: Settings) -> Starlette:
    """Jetway as an ASGI application."""
    return shell(schema, payments.receive, lambda: opened(settings))


def shell(
    graphql_schema: strawberry.Schema,
    receive_webhook: http.ReceiveWebhook,
    open_application: Callable[[], AbstractAsyncContextManager[Application]],
) -> Starlette:
    """All routes and middleware around a schema; what `open_application` gives lives as long as the server."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.migration_head = migration_head()
        async with open_application() as application, wire.opened(graphql_schema, application) as app.state.wire:
            app.state.application = application
            garbage.settle()
            yield
            http.journal.flush()

    graphql = wire.Endpoint()
    files = Files(directory=http.WEB)
    return Starlette(
        routes=[
            Route("/", http.page(files, "index.html"), name="page"),
            Route("/graphiql", http.page(files, "graphiql.html"), name="graphiql"),
            Mount("/static", files, name="static"),
            Route(wire.PATH, graphql, name="graphql"),
            WebSocketRoute(wire.PATH, graphql, name="live"),
            Route(
                "/webhooks/{gateway}",
                http.webhook(receive_webhook),
                methods=["POST"],
                name="webhook",
                middleware=[Middleware(BodyLimit, limit=BODY_LIMIT)],
            ),
            Route("/papers", papers.paper, name="papers"),
            *(
                Route(f"/payments/{purpose}/{{token}}", returning.returned(purpose), name=purpose)
                for purpose in (RETURNED, TURNED_BACK)
            ),
            Route("/healthz", health.healthz),
            Route("/readyz", health.readyz),
            Route("/metrics", health.metrics),
        ],
        middleware=[
            Middleware(
                Surroundings,
                bind=log.bind_request,
                write=http.journal.write,
                unexpected=http.unexpected,
                policy=http.POLICY,
                policies=http.POLICIES,
            ),
            Middleware(Shortcut, path=wire.PATH, endpoint=graphql),
        ],
        lifespan=lifespan,
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Application]:
    """Everything that one process needs, closed again in the opposite order."""
    async with AsyncExitStack() as stack:
        database = Database.from_settings(settings)
        stack.push_async_callback(database.close)
        telemetry.watch_pools(database)
        redis = connect_valkey(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        gateways = Gateways.from_settings(settings)
        stack.push_async_callback(gateways.close)
        passwords = Passwords()
        stack.callback(passwords.close)
        hub = Hub(settings.redis_url)
        await hub.connect()
        stack.push_async_callback(hub.disconnect)
        prices = Prices(database, hub)
        stack.push_async_callback(prices.aclose)
        plans = Plans()
        placer = Placer(database, plans, Gates.from_settings(settings))
        stack.push_async_callback(placer.aclose)
        yield Application(
            settings=settings,
            database=database,
            redis=redis,
            hub=hub,
            prices=prices,
            keyring=Keyring(settings.secrets),
            limiter=Limiter(redis),
            gateways=gateways,
            plans=plans,
            placer=placer,
            passwords=passwords,
        )


def connect_valkey(url: str) -> Redis:
    """A client for short commands: it waits for a free connection, and for Valkey, two seconds and no longer."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=VALKEY_CONNECTIONS,
        timeout=VALKEY_SECONDS,
        socket_timeout=VALKEY_SECONDS,
        socket_connect_timeout=VALKEY_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
    return Redis.from_pool(pool)


def migration_head() -> str:
    """The newest migration of this code."""
    script = ScriptDirectory.from_config(AlembicConfig(Path(__file__).with_name("alembic.ini")))
    return script.get_current_head() or ""


def configured(app: Starlette, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves `app`; X-Forwarded-For is believed from the settings' trusted proxies alone."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=lane_protocol(lambda: getattr(app.state, "wire", None) and app.state.wire.lane),
        ws=SocketProtocol,
        ws_max_size=BODY_LIMIT,
        ws_per_message_deflate=False,
        backlog=BACKLOG,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        access_log=False,
        server_header=False,
        log_config=None,
    )


def serving(app: Starlette, settings: Settings) -> uvicorn.Server:
    """The server, which sends the clients of its sockets elsewhere before it closes them."""
    return DrainingServer(configured(app, settings), drain=lambda: app.state.wire.drain())


def main() -> None:
    """Serve, in as many processes as the settings say, until SIGTERM or SIGINT; then finish what is under way."""
    lifeline.watch()
    sys.setswitchinterval(SWITCH_SECONDS)
    settings = Settings.from_env()
    log.configure(settings.log_level)
    if crew.is_member():
        with crew.beside_others(settings.host, settings.port) as listener:
            serving(create_app(settings), settings).run([listener])
    elif settings.processes > 1:
        crew.Crew([sys.executable, "-m", "app"], settings.processes).run(settings.host, settings.port)
    else:
        serving(create_app(settings), settings).run()


if __name__ == "__main__":
    main()
