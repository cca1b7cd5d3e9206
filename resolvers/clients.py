"""API clients, as administrators look after them."""

from __future__ import annotations

from collections.abc import Sequence

from models import ApiClient
from resolvers import access
from resolvers.context import Info
from services import clients
from services.clients import ChangeClient, RegisterClient, RegisteredClient, RetireClient


async def register_client(info: Info, input: RegisterClient) -> RegisteredClient:
    """Register a client. Raises Unauthenticated, Forbidden, Invalid, Conflict."""
    ctx = info.context
    access.administrators(ctx)
    async with ctx.transaction() as session:
        return await clients.register(session, input, ctx.actor)


async def change_client(info: Info, input: ChangeClient) -> ApiClient:
    """Give a client another policy. Raises Unauthenticated, Forbidden, NotFound, Conflict."""
    ctx = info.context
    access.administrators(ctx)
    async with ctx.transaction() as session:
        return await clients.change(session, input, ctx.actor)


async def retire_client(info: Info, input: RetireClient) -> ApiClient:
    """Retire a client. Raises Unauthenticated, Forbidden, NotFound."""
    ctx = info.context
    access.administrators(ctx)
    async with ctx.transaction() as session:
        return await clients.retire(session, input, ctx.actor)


async def api_clients(info: Info) -> Sequence[ApiClient]:
    """Every client by name. Raises Unauthenticated, Forbidden."""
    access.administrators(info.context)
    async with info.context.reading() as session:
        return await clients.listing(session)
