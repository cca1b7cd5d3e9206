"""One socket, from its acceptance to its end.

Two tasks serve it, one that reads and one that writes, and one more for every operation; none for a message. When it
ends, however it does, all of them are cancelled and waited for, so that streams are closed before its place is given
back.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from engine.errors import BAD_REQUEST, Errors, Refused, internal
from engine.operations import Engine, RequestRefused
from engine.websockets import messages
from engine.websockets.census import Census
from engine.websockets.codes import Closed, Closing, Code
from engine.websockets.hooks import Hooks
from engine.websockets.messages import Complete, Init, Message, Ping, Subscribe
from engine.websockets.options import Options
from engine.websockets.outbox import Outbox, Subscriber
from engine.websockets.pace import Pace

ABORT = "engine.abort"
"""An extension of the ASGI scope: a function that cuts the connection, whatever still waits in it."""

EXPIRED = Closing(Code.FORBIDDEN, "The credentials have expired")
SILENT = Closing(Code.NO_INIT, "Connection initialisation timeout")


@dataclass(frozen=True)
class House:
    """What all sockets of an application have in common."""

    engine: Engine
    errors: Errors
    hooks: Hooks
    options: Options
    census: Census


class Socket:
    """One socket that was accepted."""

    def __init__(self, house: House, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        self.house = house
        self.connection = connection
        self.outbox = Outbox(send, house.options, self._leave)
        self.request_id = str(connection.scope.get("request_id", ""))
        self.is_silent = True
        """Whether connection_init is still to come; the census counts by it."""
        self.identities: tuple[Hashable, ...] = ()
        self._receive = receive
        self._credentials: Any = None
        self._acknowledged = False
        self._operations: dict[str, tuple[Subscriber, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """Of operations, with those that are only being closed."""
        options = house.options
        self._reading_pace = Pace(options.messages_per_second, options.messages_burst)
        self._starting_pace = Pace(options.operations_per_second, options.operations_burst)
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(options.init_seconds, self.close, SILENT)
        self._has_ended = False

    def close(self, closing: Closing) -> None:
        """Close the socket, for this reason where there is none yet. Its operations are stopped at once."""
        self.outbox.close(closing)

    async def serve(self) -> None:
        """Serve it until either side has closed it, or it breaks."""
        writing: asyncio.Task[None] | None = None
        life = asyncio.timeout(None)
        try:
            async with life:
                writing = asyncio.create_task(self._write(life))
                await self._read()
        except TimeoutError:
            if not life.expired():
                raise
        finally:
            self._has_ended = True
            self._timer.cancel()
            await self._stop(writing)

    async def _write(self, life: asyncio.Timeout) -> None:
        """Send what waits until the socket is closed, and end its life then."""
        try:
            if not await self.outbox.run():
                self._abort()
        finally:
            if not self._has_ended:
                life.reschedule(self._loop.time())

    def _abort(self) -> None:
        """Cut the connection, whatever waits in it, where the server can do so."""
        abort = (self.connection.scope.get("extensions") or {}).get(ABORT)
        if abort is not None:
            abort()

    async def _stop(self, writing: asyncio.Task[None] | None) -> None:
        """Stop everything that runs for this socket, and wait until it has."""
        self._leave()
        tasks = list(self._tasks)
        if writing is not None:
            writing.cancel()
            tasks.append(writing)
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                self.house.errors.unexpected(result)

    def _leave(self) -> None:
        """Stop every operation, but those that are being closed already."""
        for task in self._tasks:
            if not task.cancelling():
                task.cancel()

    async def _read(self) -> None:
        """Act on every message until the other side has gone."""
        while (event := await self._receive())["type"] != "websocket.disconnect":
            early = self._reading_pace.take(self._loop.time())
            if early > 0:
                await asyncio.sleep(early)
                self._reading_pace.take(self._loop.time())
            if self.outbox.closing is None:
                self._heed(event.get("text"))

    def _heed(self, text: str | None) -> None:
        """Act on one frame."""
        try:
            self._act(messages.read(text, self.house.options.message_bytes))
        except Closed as closed:
            self.close(closed.closing)
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            self.house.errors.unexpected(error)
            self.close(Closing(Code.FAULT, internal(self.request_id)[0]))

    def _act(self, message: Message) -> None:
        """Act on one message. Raises Closed."""
        if isinstance(message, Subscribe):
            self._subscribe(message)
        elif isinstance(message, Complete):
            self._complete(message.id)
        elif isinstance(message, Ping):
            payload = {} if message.payload is None else {"payload": message.payload}
            self.outbox.send(orjson.dumps({"type": "pong", **payload}))
        elif isinstance(message, Init):
            self._init(message)

    def _init(self, message: Init) -> None:
        """Find the credentials to be good, and say so. Raises Closed."""
        if not self.is_silent:
            raise Closed(Code.TWO_INITS, "Too many initialisation requests")
        self.house.census.heard(self)
        self._timer.cancel()
        hooks = self.house.hooks
        try:
            self._credentials = hooks.credentials(message.payload)
            context = self._context()
        except Refused as refusal:
            raise Closed(Code.FORBIDDEN, refusal.message) from refusal
        seconds = hooks.expires_in(context)
        if seconds is not None:
            self._timer = self._loop.call_later(max(seconds, 0), self.close, EXPIRED)
        self.house.census.identify(self, hooks.identities_of(context))
        self._acknowledged = True
        self.outbox.send(b'{"type":"connection_ack"}')

    def _context(self) -> Any:
        """A context for one operation. Raises Refused."""
        return self.house.hooks.make_context(self.connection, self._credentials)

    def _subscribe(self, message: Subscribe) -> None:
        """Begin an operation, or refuse it. Raises Closed."""
        if not self._acknowledged:
            raise Closed(Code.UNAUTHORIZED, "Unauthorized")
        if message.id in self._operations:
            raise Closed(Code.TAKEN, f"Subscriber for {message.id} already exists")
        subscriber = Subscriber(self.outbox, message.id)
        if len(self._tasks) >= self.house.options.operations:
            subscriber.refuse([told("This socket has too many operations under way.", {"code": "TOO_MANY_OPERATIONS"})])
        elif (early := self._starting_pace.take(self._loop.time())) > 0:
            extensions = {"code": "RATE_LIMITED", "retryAfter": math.ceil(early)}
            subscriber.refuse([told("This socket starts operations too quickly.", extensions)])
        else:
            task = asyncio.create_task(self._run(message, subscriber))
            self._operations[message.id] = subscriber, task
            self._tasks.add(task)
            task.add_done_callback(partial(self._done, message.id))

    def _complete(self, name: str) -> None:
        """Stop an operation, where there is one of that id; the id is free from now on."""
        subscriber, task = self._operations.pop(name, (None, None))
        if subscriber is not None and task is not None:
            subscriber.ended = True
            task.cancel()

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        """Forget an operation that has ended, and free its id, where that is not another's by now."""
        self._tasks.discard(task)
        if name in self._operations and self._operations[name][1] is task:
            del self._operations[name]

    async def _run(self, message: Subscribe, subscriber: Subscriber) -> None:
        """Run one operation to its end, which is told when all of it is closed, as the last thing that is done.

        So its id is free before the client can have read that.
        """
        with self.house.hooks.tracking():
            errors = await self._errors(message, subscriber)
        if errors is None:
            subscriber.complete()
        else:
            subscriber.refuse(errors)

    async def _errors(self, message: Subscribe, subscriber: Subscriber) -> list[dict[str, Any]] | None:
        """Run one operation; what refused or broke it, None where nothing did."""
        try:
            await self._operation(message, subscriber)
        except RequestRefused as refusal:
            return refusal.errors
        except Refused as refusal:
            code = "UNAUTHENTICATED" if refusal.status == 401 else BAD_REQUEST
            return [told(refusal.message, {"code": code, **refusal.extensions})]
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            self.house.errors.unexpected(error)
            return [told(*internal(self.request_id))]
        return None

    async def _operation(self, message: Subscribe, subscriber: Subscriber) -> None:
        """Execute one operation and tell its answers. Raises Refused and RequestRefused."""
        engine, hooks = self.house.engine, self.house.hooks
        asked = message.asked()
        context = self._context()
        client, policy = hooks.caller_of(context)
        prepared = await engine.prepare(asked, client=client, policy=policy, request_id=self.request_id)
        if prepared.kind is OperationType.SUBSCRIPTION:
            await hooks.stream(engine, prepared, context, self.request_id, subscriber)
        else:
            answer = await engine.execute(prepared, context, request_id=self.request_id)
            await subscriber.put(answer.encode())


def told(message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    """An error as it is told."""
    return {"message": message, "extensions": extensions}
