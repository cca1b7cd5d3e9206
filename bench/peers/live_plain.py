"""Strawberry's own subscriptions over made-up seats: `python live_plain.py PORT`. POST /tell?seats=N tells N seats."""

from __future__ import annotations

import asyncio
import base64
import itertools
import sys
from collections.abc import AsyncGenerator

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.schema.config import StrawberryConfig

VERSIONS = itertools.count(1_000_000_000)
WATCHING: set[asyncio.Queue[SeatsChanged]] = set()


@strawberry.type
class SeatState:
    """A made-up seat."""

    number: str
    status: str
    version: float


@strawberry.type
class SeatsChanged:
    """One that changed."""

    cursor: str
    seats: list[SeatState]


@strawberry.type
class Query:
    """There has to be one."""

    ok: bool = True


@strawberry.type
class Subscription:
    """The stream."""

    @strawberry.subscription
    async def seat_map_events(self, flight_id: strawberry.ID) -> AsyncGenerator[SeatsChanged, None]:
        """One event at once, then each that is told."""
        del flight_id
        yield event()
        mine: asyncio.Queue[SeatsChanged] = asyncio.Queue()
        WATCHING.add(mine)
        try:
            while True:
                yield await mine.get()
        finally:
            WATCHING.discard(mine)


def event() -> SeatsChanged:
    """A seat changes."""
    version = next(VERSIONS)
    cursor = base64.b64encode(b"p%d" % version).decode()
    return SeatsChanged(cursor=cursor, seats=[SeatState(number="12A", status="LOCKED", version=version)])


async def tell(request: Request) -> Response:
    """Have everybody told of so many seats."""
    for _ in range(int(request.query_params["seats"])):
        change = event()
        for queue in WATCHING:
            queue.put_nowait(change)
    return Response()


schema = strawberry.Schema(Query, subscription=Subscription, config=StrawberryConfig(auto_camel_case=True))
graphql = GraphQL[None, None](schema, graphql_ide=None)
application = Starlette(
    routes=[
        Route("/tell", tell, methods=["POST"]),
        Route("/graphql", graphql, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", graphql),
    ]
)
if __name__ == "__main__":
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        backlog=4096,
        access_log=False,
        log_config=None,
    )
