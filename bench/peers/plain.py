"""Jetway's schema and services behind Strawberry's own ASGI application: no engine of ours. `python plain.py PORT`.

Everything below the engine is the same, and so is the server: what it is slower by is what the engine is for.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL

from app import opened
from core.settings import Settings
from resolvers.context import GUEST, Context
from schema.build import schema

PORT = int(sys.argv[1])
SETTINGS = Settings.from_env()


class Plain(GraphQL[Context, None]):
    """Strawberry's transport with our context."""

    async def get_context(self, request: Any, response: Any) -> Context:
        """A guest's."""
        ip = request.client.host if request.client else ""
        return Context(app=request.app.state.application, viewer=GUEST, request_id="", ip=ip)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open what Jetway opens."""
    async with opened(SETTINGS) as app.state.application:
        yield


application = Starlette(routes=[Route("/graphql", Plain(schema, graphql_ide=None))], lifespan=lifespan)
uvicorn.run(
    application,
    host="127.0.0.1",
    port=PORT,
    loop="uvloop",
    http="httptools",
    ws="none",
    access_log=False,
    log_config=None,
    server_header=False,
)
