"""The ASGI application: the API's gate, the controls, the bank's page, and the courier beside them."""

import asyncio
import contextlib
import functools
import socket
import struct
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.clock import Clock
from sandbox.controls import Controls
from sandbox.courier import Courier
from sandbox.gate import Gate
from sandbox.paypal.desk import Desk
from sandbox.settings import Settings
from sandbox.store import Store
from sandbox.threeds import PATH, Bank


def build(settings: Settings, store: Store) -> ASGIApp:
    """The whole sandbox over an open store, which the caller closes."""
    clock = Clock(store)
    courier = Courier(store, clock, settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(courier.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    gate = Gate(store, clock, settings, courier.wake)
    bank = Bank(store, clock, settings, courier.wake)
    desk = Desk(store, clock, settings, courier.wake)
    controls = Controls(store, clock, settings, courier.wake)

    routes = [
        Route(PATH, bank.answer, methods=["GET", "POST"]),
        *desk.routes(),
        *controls.routes(),
    ]
    return _Entrance(gate, Starlette(routes=routes, lifespan=lifespan))


class _Entrance:
    """Sends requests under /v1 straight to the gate, past the routing of all others.

    Lets whoever answers a request cut its connection instead; see `gate.Cut`.
    """

    def __init__(self, gate: ASGIApp, rest: ASGIApp) -> None:
        self._gate = gate
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        scope["sandbox.cut"] = functools.partial(_cut, send)
        await (self._gate if scope["path"].startswith("/v1/") else self._rest)(scope, receive, send)


def _cut(send: Send) -> None:
    # ASGI has no word for this: uvicorn's `send` is a method of its request cycle, which holds the transport. With a
    # lingering time of zero, closing sends a TCP reset.
    transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
