"""GraphQL over WebSocket, as one ASGI application: `graphql-transport-ws`, to the letter.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. `codes.py` lists every code that a socket is closed
with. What the protocol leaves open is decided so:

- A request that is refused before it is executed (syntax, validation, limits, variables, credentials, a subscription
  without a stream) ends with `error`; whatever goes wrong while executing is told in `next`, as over HTTP. Neither
  closes the socket.
- Frames are text: a binary one is malformed. `payload: null` is no payload. A ping is echoed with its payload.
- Automatic persisted queries and `documentId` work as over HTTP: `query` may be missing where one of them is there.
- A socket too many is refused at the handshake (429 or 503, with `Retry-After`), before it costs anything. A browser's
  page sees a connection that fails (1006), and graphql-ws' client tries again later.
- When a client leaves an operation or the socket, a mutation that has begun goes on to its end, unheard.
- Credentials are looked at again for each operation. A socket is closed with 4403 when they expire
  (`Hooks.expires_in`) or are revoked (`GraphQLSocket.revoke`); clients come back with new ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from engine.errors import Errors, Refused
from engine.operations import Engine
from engine.websockets.census import Census, too_many
from engine.websockets.codes import Closing, Code
from engine.websockets.handshakes import Origins, accept, refuse
from engine.websockets.hooks import Hooks
from engine.websockets.lines import AsgiLine, Line, handing_of
from engine.websockets.options import Options
from engine.websockets.socket import House, Socket

When = Callable[[int], Iterable[float]]
"""Given a number of sockets: when each of them is closed, in seconds from now, in ascending order."""

STOPPING = Closing(Code.RESTART, "This server stops: connect again")
REVOKED = Closing(Code.FORBIDDEN, "The credentials were revoked")
OTHER_PROTOCOL = Closing(Code.WRONG_PROTOCOL, "Subprotocol not acceptable")


def evenly(seconds: float) -> When:
    """Spread over so many seconds, so that not all clients connect elsewhere at the same moment."""
    return lambda count: (seconds * place / count for place in range(count))


class GraphQLSocket:
    """The ASGI application for `websocket` scopes."""

    def __init__(self, engine: Engine, *, errors: Errors, hooks: Hooks, options: Options | None = None) -> None:
        self.options = options or Options()
        self.census = Census(self.options)
        self.house = House(engine, errors, hooks, self.options, self.census)
        self.origins = Origins(self.options.allowed_origins)
        self.is_draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket to its end, or refuse it. Where the server gives the connection away, return at once."""
        await receive()  # websocket.connect
        connection = HTTPConnection(scope)
        try:
            client = self._admit(connection)
        except Refused as refusal:
            with suppress(OSError):  # the client has just gone
                await refuse(scope, send, refusal)
            return
        try:
            is_ours = await self._accepted(scope, send)
        except BaseException:
            self.census.leave(client)
            raise
        if is_ours:
            await self._serve(connection, client, receive, send)
        else:
            self.census.leave(client)

    async def _serve(self, connection: HTTPConnection, client: str | None, receive: Receive, send: Send) -> None:
        """Serve a socket that was accepted."""

        def socket(line: Line) -> Socket:
            return Socket(self.house, connection, client, line)

        handing = handing_of(connection.scope)
        if handing is not None:
            handing.hand_over(socket)
            return
        line = AsgiLine(receive, send)
        served = socket(line)
        await line.serve(served)
        await served.ended()

    async def _accepted(self, scope: Scope, send: Send) -> bool:
        """Accept a socket; whether it is there, and speaks our protocol."""
        with suppress(OSError):
            if await accept(scope, send):
                return True
            await send(OTHER_PROTOCOL.message())
        return False

    def _admit(self, connection: HTTPConnection) -> str | None:
        """Take a place for one more socket; whose it is. Raises Refused."""
        self.origins.check(connection)
        if self.is_draining:
            raise too_many(503, "This server stops.", "UNAVAILABLE")
        client = self.house.hooks.client_of(connection)
        self.census.enter(client)
        return client

    def revoke(self, *identities: Hashable) -> int:
        """Close every socket of one of these identities, with 4403; how many there were."""
        found = {socket for identity in identities for socket in self.census.known.get(identity, ())}
        for socket in found:
            socket.close(REVOKED)
        return len(found)

    async def drain(self, when: When) -> None:
        """Take no more sockets, close those that are open with 1012, the oldest first, and wait until they are gone.

        To be called before the server itself closes its connections, which it does at once.
        """
        self.is_draining = True
        sockets = list(self.census.sockets)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for socket, moment in zip(sockets, when(len(sockets)), strict=True):
            ahead = began + moment - loop.time()
            if ahead > 0:
                await asyncio.sleep(ahead)
            socket.close(STOPPING)
        await self.census.emptied()
