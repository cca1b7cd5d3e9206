"""What the application around the engine says of sockets and those who open them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import HTTPConnection

from engine.callers import Caller, anybody
from engine.errors import Refused
from engine.operations import Engine, Prepared
from engine.sharing import SharedStreams
from engine.websockets.outbox import Subscriber


class Membership(Protocol):
    """A subscription that somebody else tells from now on."""

    def leave(self) -> None:
        """The subscriber has left: tell it nothing more."""


Stream = Callable[[Engine, Prepared, Any, str, Subscriber], Awaitable[Membership | None]]
"""Tells a subscriber the answers of a prepared subscription, given its context and the request's id; returns when there
are no more, and is cancelled when the subscriber leaves. Or it returns at once with a membership, and whoever that
belongs to tells the answers, and the end. Raises RequestRefused where there is no stream."""


def text_of(payload: Mapping[str, Any], wanted: str) -> str | None:
    """What connection_init says under that name, which is in lower case. Raises Refused for what is no text."""
    for name, value in payload.items():
        if name.lower() == wanted and value is not None:
            if not isinstance(value, str):
                raise Refused(401, f"{wanted} is not a string", {})
            return value
    return None


def authorization_of(payload: Mapping[str, Any]) -> str | None:
    """The `authorization` of connection_init. Raises Refused for what is no text."""
    return text_of(payload, "authorization")


def address_of(connection: HTTPConnection) -> str | None:
    """The address that the socket was opened from."""
    return None if connection.client is None else connection.client.host


async def alone(engine: Engine, prepared: Prepared, context: Any, request_id: str, subscriber: Subscriber) -> None:
    """Execute the subscription for this subscriber alone; no answer is made before there is room for the last one."""
    async with aclosing(await engine.subscribe(prepared, context, request_id=request_id)) as answers:
        async for answer in answers:
            await subscriber.put(answer.encode())


def together(streams: SharedStreams) -> Stream:
    """Subscribers of a shared field are members of a group; of any other field each is told alone."""

    async def stream(
        engine: Engine, prepared: Prepared, context: Any, request_id: str, subscriber: Subscriber
    ) -> Membership | None:
        member = streams.join(engine, prepared, context, subscriber)
        if member is None:
            await alone(engine, prepared, context, request_id, subscriber)
        return member

    return stream


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """All of them are called in the event loop, and those that are not `stream` must not wait for anything."""

    make_context: Callable[[HTTPConnection, Any], Any]
    """The context of one operation, from the connection and its credentials. It is called once at connection_init too,
    to see whether they are good. Raises Refused where they are not (any more)."""

    credentials: Callable[[Mapping[str, Any]], Any] = authorization_of
    """The credentials in the payload of connection_init, as `make_context` takes them. Raises Refused for what can be
    none."""

    caller_of: Callable[[Any], Caller] = anybody
    """Given a context: which documents may be sent, and on whose account."""

    client_of: Callable[[HTTPConnection], str | None] = address_of
    """Whose socket it is, for `Options.sockets_per_client`; None where nobody counts. Asked before anything is said."""

    expires_in: Callable[[Any], float | None] = lambda _: None
    """Given the context of connection_init: in how many seconds the credentials expire; the socket is closed then."""

    identities_of: Callable[[Any], Iterable[Hashable]] = lambda _: ()
    """Given the same: what `GraphQLSocket.revoke` may name to close this socket, such as a user and a session."""

    tally: Callable[[int], None] = lambda _: None
    """Called with 1 when an operation begins, and with -1 when it has ended."""

    wrote: Callable[[HTTPConnection, Any], None] = lambda *_: None
    """Given the connection and its credentials: a mutation has ended, well or not."""

    stream: Stream = alone
    """How subscriptions are told."""
