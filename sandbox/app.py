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
        Route("/v1/{path:path}", gate.answer, methods=["GET", "POST", "DELETE", "OPTIONS"]),
        Route(PATH, bank.answer, methods=["GET", "POST"]),
        *desk.routes(),
        *controls.routes(),
    ]
    return _Cuttable(Starlette(routes=routes, lifespan=lifespan))


class _Cuttable:
    """Lets whoever answers a request cut its connection instead; see `gate.Cut`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["sandbox.cut"] = functools.partial(_cut, send)
        await self._app(scope, receive, send)


def _cut(send: Send) -> None:
    # ASGI has no word for this: uvicorn's `send` is a method of its request cycle, which holds the transport. With a
    # lingering time of zero, closing sends a TCP reset.
    transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
