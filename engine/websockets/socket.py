"""One socket, from its acceptance to its end.

It hears messages from its line, and has no task of its own: each operation has one while it runs, and a subscription
that is shared has none. When the socket ends, however it does, they are cancelled and waited for, so that streams are
closed before its place is given back.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import HTTPConnection

from engine.errors import BAD_REQUEST, Errors, Refused, internal
from engine.operations import Engine, RequestRefused
from engine.websockets import messages
from engine.websockets.census import Census
from engine.websockets.codes import Closed, Closing, Code
from engine.websockets.hooks import Hooks, Membership
from engine.websockets.lines import Line
from engine.websockets.messages import Complete, Init, Message, Ping, Subscribe
from engine.websockets.options import Options
from engine.websockets.outbox import Outbox, Subscriber
from engine.websockets.pace import Pace

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


class Operation(Subscriber):
    """One operation under way: it has a task, or is a member of what others tell."""

    __slots__ = ("member", "name", "socket", "task")

    def __init__(self, socket: Socket, name: str) -> None:
        super().__init__(socket.outbox, name)
        self.socket = socket
        self.name = name
        self.task: asyncio.Task[None] | None = None
        self.member: Membership | None = None

    def has_ended(self) -> None:
        """Its id is free before its client can have read that."""
        self.socket.forget(self)
        self.member = None

    def stop(self) -> None:
        """Have it told nothing more, and end."""
        self.ended = True
        member, self.member = self.member, None
        if member is not None:
            member.leave()
        if self.task is not None and not self.task.cancelling():
            self.task.cancel()


class Socket:
    """One socket that was accepted, for `client`, who has taken a place in the census."""

    __slots__ = (
        "_acknowledged",
        "_context",
        "_credentials",
        "_ended",
        "_is_gone",
        "_members",
        "_operations",
        "_reading_pace",
        "_starting_pace",
        "_tasks",
        "_timer",
        "client",
        "connection",
        "house",
        "identities",
        "is_silent",
        "outbox",
        "request_id",
    )

    def __init__(self, house: House, connection: HTTPConnection, client: str | None, line: Line) -> None:
        self.house = house
        self.connection = connection
        self.client = client
        self.outbox = Outbox(line, house.options, self._stop)
        self.request_id = str(connection.scope.get("request_id", ""))
        self.is_silent = True
        """Whether connection_init is still to come; the census counts by it."""
        self.identities: tuple[Hashable, ...] = ()
        self._credentials: Any = None
        self._acknowledged = False
        self._operations: dict[str, Operation] = {}
        self._members = 0
        """Operations that others tell."""
        self._tasks: set[asyncio.Task[None]] | None = None
        """Of operations, with those that are only being closed."""
        options = house.options
        self._reading_pace = Pace(options.messages_per_second, options.messages_burst)
        self._starting_pace = Pace(options.operations_per_second, options.operations_burst)
        self._context = contextvars.copy_context()
        """In which operations run: the request's, who opened the socket."""
        self._timer: asyncio.TimerHandle | None = later(options.init_seconds, self.close, SILENT)
        self._is_gone = False
        self._ended: asyncio.Future[None] | None = None
        house.census.list(self)

    def close(self, closing: Closing) -> None:
        """Close the socket, for this reason where there is none yet. Its operations are stopped at once."""
        self.outbox.close(closing)

    def drained(self) -> None:
        """The line is not full any more."""
        self.outbox.drained()

    def gone(self) -> None:
        """Nothing can be said any more: stop everything, and give the place back when all of it has ended."""
        if self._is_gone:
            return
        self._is_gone = True
        self._wait_no_more()
        self.outbox.end()
        self._stop()
        if self._tasks:
            self._ended = asyncio.ensure_future(self._end(list(self._tasks)))
        else:
            self._leave()

    async def ended(self) -> None:
        """Wait until everything has ended that ran for this socket, which is `gone`."""
        if self._ended is not None:
            await self._ended

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                self.house.errors.unexpected(result)
        self._leave()

    def _leave(self) -> None:
        self.house.census.unlist(self)
        self.house.census.leave(self.client)

    def _stop(self) -> None:
        """Stop every operation, but those that are being closed already."""
        self._wait_no_more()
        for operation in list(self._operations.values()):
            self.forget(operation)
            operation.stop()

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def heard(self, text: str | None) -> float:
        """Act on one frame; how many seconds the next one is to wait."""
        if self.outbox.closing is None:
            self._heed(text)
        now = asyncio.get_running_loop().time()
        early = self._reading_pace.take(now)
        if early > 0:
            self._reading_pace.take(now + early)
        return early

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
        self._wait_no_more()
        hooks = self.house.hooks
        try:
            self._credentials = hooks.credentials(message.payload)
            context = self._made_context()
        except Refused as refusal:
            raise Closed(Code.FORBIDDEN, refusal.message) from refusal
        seconds = hooks.expires_in(context)
        if seconds is not None:
            self._timer = later(max(seconds, 0), self.close, EXPIRED)
        self.house.census.identify(self, hooks.identities_of(context))
        self._acknowledged = True
        self.outbox.send(b'{"type":"connection_ack"}')

    def _made_context(self) -> Any:
        """A context for one operation. Raises Refused."""
        return self.house.hooks.make_context(self.connection, self._credentials)

    def _subscribe(self, message: Subscribe) -> None:
        """Begin an operation, or refuse it. Raises Closed."""
        if not self._acknowledged:
            raise Closed(Code.UNAUTHORIZED, "Unauthorized")
        if message.id in self._operations:
            raise Closed(Code.TAKEN, f"Subscriber for {message.id} already exists")
        operation = Operation(self, message.id)
        if len(self._tasks or ()) + self._members >= self.house.options.operations:
            operation.refuse([told("This socket has too many operations under way.", {"code": "TOO_MANY_OPERATIONS"})])
        elif (early := self._starting_pace.take(asyncio.get_running_loop().time())) > 0:
            extensions = {"code": "RATE_LIMITED", "retryAfter": math.ceil(early)}
            operation.refuse([told("This socket starts operations too quickly.", extensions)])
        else:
            self._begin(operation, message)

    def _begin(self, operation: Operation, message: Subscribe) -> None:
        """Have an operation run in a task."""
        self.house.hooks.tally(1)
        self._operations[operation.name] = operation
        work = self._run(message, operation)
        operation.task = task = asyncio.get_running_loop().create_task(work, context=self._context.copy())
        if self._tasks is None:
            self._tasks = set()
        self._tasks.add(task)
        task.add_done_callback(partial(self._task_done, operation))

    def _complete(self, name: str) -> None:
        """Stop an operation, where there is one of that id; the id is free from now on."""
        operation = self._operations.get(name)
        if operation is not None:
            self.forget(operation)
            operation.stop()

    def forget(self, operation: Operation) -> None:
        """An operation has ended, or is left to end: its id is free, where that is not another's by now."""
        if self._operations.get(operation.name) is operation:
            del self._operations[operation.name]
            self._members -= operation.member is not None
            self.house.hooks.tally(-1)

    def _task_done(self, operation: Operation, task: asyncio.Task[None]) -> None:
        operation.task = None
        if self._tasks is not None:
            self._tasks.discard(task)

    async def _run(self, message: Subscribe, operation: Operation) -> None:
        """Run one operation to its end, which is told when all of it is closed; or until others tell it."""
        errors = await self._errors(message, operation)
        if operation.member is not None:
            self._members += 1
        elif errors is None:
            operation.complete()
        else:
            operation.refuse(errors)

    async def _errors(self, message: Subscribe, operation: Operation) -> list[dict[str, Any]] | None:
        """Run one operation; what refused or broke it, None where nothing did."""
        try:
            await self._operate(message, operation)
        except RequestRefused as refusal:
            return refusal.errors
        except Refused as refusal:
            code = "UNAUTHENTICATED" if refusal.status == 401 else BAD_REQUEST
            return [told(refusal.message, {"code": code, **refusal.extensions})]
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            self.house.errors.unexpected(error)
            return [told(*internal(self.request_id))]
        return None

    async def _operate(self, message: Subscribe, operation: Operation) -> None:
        """Execute one operation and tell its answers, or have others tell them. Raises Refused and RequestRefused."""
        engine, hooks = self.house.engine, self.house.hooks
        asked = message.asked()
        context = self._made_context()
        client, policy = hooks.caller_of(context)
        prepared = await engine.prepare(asked, client=client, policy=policy, request_id=self.request_id)
        if prepared.kind is OperationType.SUBSCRIPTION:
            operation.member = await hooks.stream(engine, prepared, context, self.request_id, operation)
        else:
            try:
                answer = await engine.execute(prepared, context, request_id=self.request_id)
            finally:
                if prepared.kind is OperationType.MUTATION:
                    hooks.wrote(self.connection, self._credentials)
            await operation.put(answer.encode())


def told(message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    """An error as it is told."""
    return {"message": message, "extensions": extensions}


def later(seconds: float, call: Callable[..., None], *arguments: Any) -> asyncio.TimerHandle:
    """Call it in so many seconds."""
    return asyncio.get_running_loop().call_later(seconds, call, *arguments)
