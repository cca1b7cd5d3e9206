"""Server-sent events: the distinct connections mode of graphql-sse.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md: one request, one operation, one stream of `next`
events and a `complete` at its end. Lines end with LF. A document that is refused is told as a `next` with errors, since
a client that takes nothing but events can read nothing else.

- **Resuming.** An event's `id:` is its cursor, as `Events.cursor_of` finds it in the answer. A client that was cut off
  sends the last one back as `Last-Event-ID` (browsers do so by themselves), and `Events.resume` puts it into the
  request before that is prepared; `into_variable` fits subscriptions that take it as an argument. Where no cursor is
  found in answers there are no ids, and nothing is resumed.
- **Backpressure.** An answer is asked for only when the one before it was written, so at most one waits here; what
  comes meanwhile is the source's to bound. A client that takes nothing for `Events.patience` seconds is cut off.
- **Ending.** When the client leaves, the operation is cancelled at once and its generator closed. When the server stops
  (`Streams.stop`), the response ends without `complete`, and clients come back with their cursor. When credentials
  expire (`Events.expires_in`) or are revoked (`Streams.revoke`), the last event says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from engine.errors import Errors, Refused, internal
from engine.http.replies import Headers, Reply
from engine.operations import Answer, Asked

HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept"),
    (b"x-accel-buffering", b"no"),  # nginx would collect events into large pieces
]
COMMENT = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"  # browsers drop an event without data; urql takes a space for some
LONGEST_ID = 1024
"""Bytes of a Last-Event-ID. Ours are shorter."""

EXPIRED = {"message": "The credentials have expired.", "extensions": {"code": "UNAUTHENTICATED"}}
REVOKED = {"message": "The credentials were revoked.", "extensions": {"code": "UNAUTHENTICATED"}}


def no_cursor(answer: Answer) -> str | None:
    """None, whatever the answer: its event has no id."""
    del answer
    return None


def from_the_start(asked: Asked, cursor: str) -> Asked:
    """Leaves the request as it is."""
    del cursor
    return asked


def into_variable(name: str) -> Callable[[Asked, str], Asked]:
    """A `resume` that puts the cursor into one of the operation's variables, in place of what the client first sent.

    An operation that declares no such variable starts anew.
    """

    def resume(asked: Asked, cursor: str) -> Asked:
        return replace(asked, variables={**(asked.variables or {}), name: cursor})

    return resume


@dataclass(frozen=True, kw_only=True)
class Events:
    """How operations are streamed, and what the application knows of them. Times are in seconds."""

    heartbeat: float = 12.0
    """After so long without an event a comment is sent, which keeps proxies from closing the connection."""

    patience: float = 30.0
    """How long one write may wait for a client that doesn't read."""

    most: int = 10_000
    """How many streams one process serves at a time; one more is refused with 503."""

    cursor_of: Callable[[Answer], str | None] = no_cursor
    """An answer's place in its stream, in text without line breaks or U+0000; None for an event without an id."""

    resume: Callable[[Asked, str], Asked] = from_the_start
    """The request, going on after the event with this cursor. The cursor came from a client: it may be anything."""

    tracking: Callable[[HTTPConnection], AbstractContextManager[Any]] = lambda _: nullcontext()
    """Open as long as a stream is. Raises Refused for one that this client may not have beside its others."""

    expires_in: Callable[[Any], float | None] = lambda _: None
    """Given the context: how long its credentials are still good; then the stream ends, and says why."""

    identities_of: Callable[[Any], Iterable[Hashable]] = lambda _: ()
    """Given the context: what `Streams.revoke` may name to end this stream, such as a user and a session."""


def next_event(data: bytes) -> bytes:
    """A `next` event without an id."""
    return b"event: next\ndata: " + data + b"\n\n"


def single(data: bytes) -> Reply:
    """A whole stream of one event: the answer to a query or a mutation, or a refusal."""
    return Reply(200, HEADERS, next_event(data) + COMPLETE)


class Unread(Exception):
    """The client takes nothing."""


class Term:
    """For how long the answers of one stream may be told: `seconds` (None: without end), or until it is revoked."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.is_revoked = False
        self._limit: asyncio.Timeout | None = None

    def revoke(self) -> None:
        """End it now, also where nothing was told yet."""
        self.is_revoked = True
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time())

    def limit(self) -> asyncio.Timeout:
        """What is to be held around the telling: it raises TimeoutError at the end of the term."""
        self._limit = asyncio.timeout(0 if self.is_revoked else self.seconds)
        return self._limit


class Streams:
    """The streams that are open in this process."""

    def __init__(self, events: Events, errors: Errors) -> None:
        self.events = events
        self.errors = errors
        self.count = 0
        self._telling: set[asyncio.Task[None]] = set()
        self._known: dict[Hashable, set[Term]] = {}

    @contextmanager
    def room(self) -> Iterator[None]:
        """One more stream. Raises Refused 503 where there are too many."""
        if self.count >= self.events.most:
            raise Refused(503, "Too many streams are open here.", {"code": "UNAVAILABLE"})
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1

    @contextmanager
    def known(self, context: Any) -> Iterator[Term]:
        """The term of one more stream, which `revoke` finds as long as this is open."""
        term = Term(self.events.expires_in(context))
        identities = tuple(self.events.identities_of(context))
        for identity in identities:
            self._known.setdefault(identity, set()).add(term)
        try:
            yield term
        finally:
            for identity in identities:
                others = self._known[identity]
                others.discard(term)
                if not others:
                    del self._known[identity]

    def revoke(self, *identities: Hashable) -> int:
        """End every stream of one of these identities, and have it say why; how many there were."""
        found = {term for identity in identities for term in self._known.get(identity, ())}
        for term in found:
            term.revoke()
        return len(found)

    def stop(self) -> None:
        """End every stream, because the server stops; clients will ask elsewhere for what comes next."""
        for task in self._telling:
            task.cancel()

    async def serve(self, stream: Stream, receive: Receive, send: Send) -> None:
        """Send one stream, to its end or until its client leaves."""
        async with aclosing(stream.answers):
            await self._served(stream, receive, Writer(send, self.events))

    async def _served(self, stream: Stream, receive: Receive, writer: Writer) -> None:
        try:
            await writer.begin()
        except Unread:
            return
        telling = asyncio.create_task(self._tell(stream, writer))
        leaving = asyncio.create_task(gone(receive))
        beating = asyncio.create_task(writer.beat())
        self._telling.add(telling)
        try:
            await asyncio.wait({telling, leaving, beating}, return_when=asyncio.FIRST_COMPLETED)
            there = not (leaving.done() or beating.done())
        finally:
            self._telling.discard(telling)
            for task in (telling, leaving, beating):
                task.cancel()
            results = await asyncio.gather(telling, leaving, beating, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, Unread):
                self.errors.unexpected(result)
        if there and not isinstance(results[0], Unread):
            with suppress(Unread):
                await writer.write(b"", more=False)

    async def _tell(self, stream: Stream, writer: Writer) -> None:
        """Every answer, what went wrong, and `complete`."""
        try:
            async with stream.term.limit() as limit:
                async for answer in stream.answers:
                    await writer.event(answer.encode(), self.events.cursor_of(answer))
                    await asyncio.sleep(0)  # a source with much to tell lets others have their turn
        except Unread:
            raise
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            await writer.event(orjson.dumps({"errors": [self._told(error, limit.expired(), stream)]}))
        await writer.write(COMPLETE)

    def _told(self, error: Exception, expired: bool, stream: Stream) -> dict[str, Any]:
        """What ended the stream, as the client may know it."""
        if expired and isinstance(error, TimeoutError):
            return REVOKED if stream.term.is_revoked else EXPIRED
        self.errors.unexpected(error)
        message, extensions = internal(stream.request_id)
        return {"message": message, "extensions": extensions}


@dataclass(frozen=True)
class Stream:
    """One operation's answers, and for how long they may be told."""

    answers: AsyncGenerator[Answer, None]
    request_id: str
    term: Term = field(default_factory=Term)


class Writer:
    """Writes the events of one stream, one at a time."""

    def __init__(self, send: Send, events: Events) -> None:
        self._send = send
        self._events = events
        self._turn = asyncio.Lock()
        self._written = 0.0
        self._now = asyncio.get_running_loop().time

    async def begin(self) -> None:
        """Send the headers, and a comment, before which some browsers don't believe that it has begun."""
        await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await self.write(COMMENT)

    async def event(self, data: bytes, cursor: str | None = None) -> None:
        """Write a `next` event. Raises ValueError for a cursor that no event can have."""
        if cursor is None:
            await self.write(next_event(data))
            return
        if any(character in cursor for character in "\r\n\0"):
            raise ValueError("A cursor has a line break or U+0000.")
        # The id comes last: urql takes the first `data:` in an event, even one inside an id.
        await self.write(b"event: next\ndata: " + data + b"\nid: " + cursor.encode() + b"\n\n")

    async def beat(self) -> None:
        """Write a comment whenever nothing was written for a while. Never ends by itself."""
        while True:
            quiet = self._now() - self._written
            await asyncio.sleep(self._events.heartbeat - quiet if quiet < self._events.heartbeat else 0)
            if self._now() - self._written >= self._events.heartbeat:
                await self.write(COMMENT)

    async def write(self, content: bytes, *, more: bool = True) -> None:
        """Hand over some bytes. Raises Unread where the client doesn't take them."""
        try:
            async with asyncio.timeout(self._events.patience), self._turn:
                await self._send({"type": "http.response.body", "body": content, "more_body": more})
        except TimeoutError as error:
            raise Unread from error
        self._written = self._now()


async def gone(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
