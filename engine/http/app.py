"""GraphQL over HTTP, as one ASGI application: the draft of August 2026, and all audits of npm's `graphql-http`.

https://github.com/graphql/graphql-over-http/blob/main/spec/GraphQLOverHTTP.md. Where the two differ the audits win,
because clients are written against servers that pass them: a request that is not well-formed, and a document that is
refused, are 400 (the draft now recommends 422), and partial results are 200 (the draft says 200 in one place and 294 in
another).

| what | `application/graphql-response+json` | `application/json` |
| --- | --- | --- |
| data, whole or partial, even null | 200 | 200 |
| a document refused: syntax, validation, limits, variables, operationName | 400, without `data` | 200, without `data` |
| not a well-formed request: bad JSON, wrong parameters | 400 | 400 |
| a mutation by GET; another method | 405 with `Allow` | the same |
| not accepted, a subscription without `text/event-stream` | 406 | the same |
| a body too slow, too large; a URL too long; a type or coding that we don't read | 408, 413, 414, 415 | the same |
| credentials that are no good | what `make_context` refuses with: 401 with `WWW-Authenticate` | the same |
| a client's budget is spent; where documents are kept is away; a fault of ours | 429, 503, 500 | the same |

Every error has `extensions.code`.

**Pages of other sites.** A browser lets any page send a "simple" request here, with cookies, without asking first. A
POST must be application/json, which is not simple (415 otherwise). A GET executes queries and subscriptions alone,
which change nothing, and CORS hides the answer; credentials come in `Authorization`, which no browser adds by itself.
So a plain GET is served, as the audits want and as links, caches and EventSource need. An application whose credentials
are cookies, or whose queries are dear, sets `Options.preflight`: then a GET needs one of those headers, as with Apollo
Server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

import orjson
from graphql import OperationType
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import Receive, Scope, Send

from engine import parameters
from engine.callers import Caller, anybody
from engine.errors import BAD_REQUEST, OPERATION_NOT_ALLOWED, Errors, Refused, internal
from engine.http import events, replies
from engine.http.bodies import body
from engine.http.caching import Raw, ResponseCache, Stored, etag_of, is_known
from engine.http.negotiation import EVENTS, Accepted, Kind, negotiated
from engine.http.options import Options
from engine.http.replies import Reply
from engine.operations import Answer, Asked, Engine, Prepared, RequestRefused, name_of
from engine.refusals import NotServed, malformed

MakeContext = Callable[[HTTPConnection, str | None], Any]
"""Makes the context of one operation from the connection and its Authorization header. Raises Refused for credentials
that are no good."""

Kinds = frozenset[OperationType]
READING: Kinds = frozenset({OperationType.QUERY})
WRITING: Kinds = READING | {OperationType.MUTATION}
STREAMED: Kinds = frozenset({OperationType.SUBSCRIPTION})
ALLOWED = {
    (True, False): READING,
    (True, True): READING | STREAMED,
    (False, False): WRITING,
    (False, True): WRITING | STREAMED,
}
"""The kinds of operations that a request may be, by whether it is a GET, and whether it takes events."""

READ_ONLY = {"Allow": "POST"}
METHODS = {"Allow": "GET, POST"}


class Call(NamedTuple):
    """One HTTP request, as far as it is the same for all of its operations."""

    connection: HTTPConnection
    headers: Mapping[bytes, bytes]
    raw: Raw
    accepted: Accepted
    kind: Kind
    request_id: str

    @property
    def reads(self) -> bool:
        """Whether it is a GET, which changes nothing."""
        return self.raw.method == "GET"


class GraphQLHTTP:
    """The ASGI application.

    `make_context` is called once for each operation; `caller_of` says of that context which documents it may send;
    `cache`, where there is one, is asked about every query.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        make_context: MakeContext,
        errors: Errors,
        caller_of: Callable[[Any], Caller] = anybody,
        options: Options | None = None,
        streaming: events.Events | None = None,
        cache: ResponseCache | None = None,
    ) -> None:
        self.engine = engine
        self.make_context = make_context
        self.errors = errors
        self.caller_of = caller_of
        self.options = options or Options()
        self.streams = events.Streams(streaming or events.Events(), errors)
        self.cache = cache
        self.varies_by = tuple(name.encode("latin-1") for name in self.options.varies_by)
        self.vary = (b"vary", b", ".join((b"Accept", b"Authorization", *self.varies_by)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            outcome = await self._outcome(scope, receive)
        except ClientDisconnect:
            return
        if isinstance(outcome, Reply):
            await outcome(send)
        else:
            stream, held = outcome
            with held:
                await self.streams.serve(stream, receive, send)

    async def _outcome(self, scope: Scope, receive: Receive) -> Reply | tuple[events.Stream, ExitStack]:
        """The response, or a stream with what is held open for it. Raises ClientDisconnect alone."""
        headers = headers_of(scope)
        accepted = negotiated(headers.get(b"accept"))
        try:
            if scope["method"] not in ("GET", "POST"):
                raise NotServed(405, "GraphQL takes GET and POST.", METHODS)
            if accepted.kind is None and not accepted.events:
                raise NotServed(406, f"We answer in {Kind.RESPONSE.value} or {Kind.JSON.value}.")
            content = await self._content(scope, headers, receive)
            client = scope.get("client")
            raw = self.raw(scope["method"], content, headers, client[0] if client else "")
            if (found := self._found(raw, headers, accepted)) is not None:
                return found
            return await self._answered(call_of(scope, headers, raw, accepted))
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            return self._told(error, scope, accepted)

    async def reply(self, scope: Scope, raw: Raw, headers: Mapping[bytes, bytes]) -> Reply:
        """The response to a POST of application/json by a client that takes no events, all of whose body is there.

        For a server that has asked `kept` for it.
        """
        accepted = negotiated(headers.get(b"accept"))
        try:
            answer = await self._answered(call_of(scope, headers, raw, accepted))
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            return self._told(error, scope, accepted)
        if not isinstance(answer, Reply):
            raise AssertionError("whoever takes no events got a stream")
        return answer

    def _told(self, error: Exception, scope: Scope, accepted: Accepted) -> Reply:
        """The response to a request that was refused, or met a fault of ours."""
        kind = accepted.kind or Kind.JSON
        if isinstance(error, Refused):
            return declined(error, kind)
        self.errors.unexpected(error)
        message, extensions = internal(str(scope.get("request_id", "")))
        return replies.refused(kind, [{"message": message, "extensions": extensions}], 500)

    def kept(self, raw: Raw, headers: Mapping[bytes, bytes]) -> Reply | None:
        """The response to a repeated request, where it is at hand; for a server that asks before it makes a task of it.

        The content is the query string of a GET, or the body of a POST, which is application/json and not packed.
        """
        if raw.method == "GET" and self.options.preflight:
            return None
        return self._found(raw, headers, negotiated(headers.get(b"accept")))

    def _found(self, raw: Raw, headers: Mapping[bytes, bytes], accepted: Accepted) -> Reply | None:
        """What the cache has for exactly this request."""
        if self.cache is None or accepted.kind is None or accepted.rather_events:
            return None
        found = self.cache.find(raw)
        if found is None:
            return None
        self.engine.answered(found.operation)
        return self._kept(found, raw, headers, accepted.kind)

    def raw(self, method: str, content: bytes, headers: Mapping[bytes, bytes], peer: str) -> Raw:
        """The request as a cache knows it.

        Where it came from is what a proxy says, whether or not it is to be believed: whoever lies gets no more than
        answers that are as old as everybody's.
        """
        forwarded, control = headers.get(b"x-forwarded-for"), headers.get(b"cache-control")
        return Raw(
            method,
            content,
            headers.get(b"authorization"),
            tuple([headers.get(name) for name in self.varies_by]) if self.varies_by else (),
            peer if forwarded is None else forwarded.decode("latin-1"),
            control is not None and wants_fresh(control),
        )

    async def _content(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The query string of a GET, the unpacked body of a POST. Raises NotServed."""
        if scope["method"] == "POST":
            return await body(headers, receive, self.options)
        content: bytes = scope["query_string"]
        if len(content) > self.options.url_bytes:
            raise NotServed(414, f"The query string has more than {self.options.url_bytes} bytes: send a POST.")
        wanted = self.options.preflight
        if wanted and not any(headers.get(name.encode("latin-1")) for name in wanted):
            raise malformed(f"A GET needs one of these headers: {', '.join(sorted(wanted))}.")
        return content

    async def _answered(self, call: Call) -> Reply | tuple[events.Stream, ExitStack]:
        """The response to a request that was read. Raises Refused."""
        data = parameters.from_url(call.raw.content) if call.reads else parameters.from_json(call.raw.content)
        if isinstance(data, list):
            return await self._batch(data, call)
        asked = self._resumed(parameters.asked(data), call)
        try:
            return await self._operation(asked, call)
        except RequestRefused as refusal:
            if refusal.errors[0]["extensions"]["code"] == OPERATION_NOT_ALLOWED:
                raise not_here(refusal) from refusal
            if refusal.status == 400 and call.accepted.rather_events:
                return events.single(orjson.dumps({"errors": refusal.errors}))
            status = 200 if refusal.status == 400 and call.kind is Kind.JSON else refusal.status
            return replies.refused(call.kind, refusal.errors, status, refusal.headers)

    def _resumed(self, asked: Asked, call: Call) -> Asked:
        """The request, going on after the last event that the client has seen. Raises NotServed 400."""
        cursor = call.headers.get(b"last-event-id")
        if not cursor or not call.accepted.events:
            return asked
        try:
            text = cursor.decode()
        except UnicodeDecodeError as error:
            raise malformed("Last-Event-ID is not in UTF-8.") from error
        if len(cursor) > events.LONGEST_ID or "\0" in text:
            raise malformed("Last-Event-ID is none of ours.")
        return self.streams.events.resume(asked, text)

    async def _operation(self, asked: Asked, call: Call) -> Reply | tuple[events.Stream, ExitStack]:
        """The response to one operation. Raises Refused and RequestRefused."""
        context = self._context(call)
        prepared = await self._prepared(asked, context, call, ALLOWED[call.reads, call.accepted.events])
        if prepared.kind is OperationType.SUBSCRIPTION:
            return await self._subscribed(prepared, call)
        if call.accepted.rather_events:
            return events.single((await self._executed(prepared, context, call)).encode())
        if self.cache is not None and prepared.kind is OperationType.QUERY:
            kept = await self._shared(self.cache, prepared, context, call)
            if kept is not None:
                return self._kept(kept, call.raw, call.headers, call.kind)
        answer = await self._executed(prepared, context, call)
        encoded = answer.encode()
        if call.reads and prepared.persisted and not answer.errors:
            stored = Stored(encoded, etag_of(encoded), self.options.persisted_cache_control)
            return self._kept(stored, call.raw, call.headers, call.kind)
        return replies.answered(call.kind, encoded)

    async def _shared(self, cache: ResponseCache, prepared: Prepared, context: Any, call: Call) -> Stored | None:
        """The answer that a cache gives to a query, which is reported where it was not executed for this request."""
        runs: list[Any] = []

        async def execute(shared: Any) -> Answer:
            runs.append(shared)
            return await self._executed(prepared, shared, call)

        kept = await cache.answer(call.raw, prepared, context, execute)
        if kept is not None and not runs:
            self.engine.answered(name_of(prepared.operation))
        return kept

    def wrote(self, connection: HTTPConnection, authorization: str | None) -> None:
        """A mutation has ended that came from there by another way, over a socket: its sender is to see what it did."""
        if self.cache is not None:
            client = connection.client
            raw = self.raw("POST", b"", headers_of(connection.scope), client.host if client is not None else "")
            said = None if authorization is None else authorization.encode("latin-1", "replace")
            self.cache.wrote(raw._replace(authorization=said))

    def _context(self, call: Call) -> Any:
        """A context for one operation. Raises Refused."""
        authorization = call.raw.authorization
        return self.make_context(call.connection, None if authorization is None else authorization.decode("latin-1"))

    async def _prepared(self, asked: Asked, context: Any, call: Call, allowed: Kinds) -> Prepared:
        """The operation, ready to run. Raises RequestRefused."""
        client, policy = self.caller_of(context)
        return await self.engine.prepare(
            asked, client=client, policy=policy, allowed=allowed, request_id=call.request_id
        )

    async def _executed(self, prepared: Prepared, context: Any, call: Call) -> Answer:
        """The answer to a query or a mutation."""
        try:
            return await self.engine.execute(prepared, context, request_id=call.request_id)
        finally:
            if self.cache is not None and prepared.kind is OperationType.MUTATION:
                self.cache.wrote(call.raw)

    async def _subscribed(self, prepared: Prepared, call: Call) -> Reply | tuple[events.Stream, ExitStack]:
        """A stream that is ready to be sent. Raises Refused and RequestRefused."""
        with ExitStack() as held:
            held.enter_context(self.streams.room())
            held.enter_context(self.streams.events.tracking(call.connection))
            # A context of this moment: credentials that were revoked while the document was being found are refused.
            context = self._context(call)
            term = held.enter_context(self.streams.known(context))
            try:
                answers = await self.engine.subscribe(prepared, context, request_id=call.request_id)
            except RequestRefused as refusal:
                if refusal.status != 400:
                    raise
                return events.single(orjson.dumps({"errors": refusal.errors}))
            return events.Stream(answers, call.request_id, term), held.pop_all()

    async def _batch(self, data: list[object], call: Call) -> Reply:
        """The answers to several operations, in their order, each executed when the one before it has ended.

        A batch is 200 whatever its parts are; what refuses the connection refuses all of it. Raises Refused.
        """
        most = self.options.batch
        if not 0 < len(data) <= most:
            wanted = f"of 1 to {most} operations" if most else "are not accepted: send one operation in each request"
            raise malformed(f"Batches {wanted}.")
        if call.accepted.kind is None:
            raise NotServed(406, f"A batch is answered in {Kind.RESPONSE.value} or {Kind.JSON.value}.")
        every = [parameters.asked(one) for one in data]
        answers = [await self._part(asked, call) for asked in every]
        return replies.answered(call.kind, b"[" + b",".join(answers) + b"]")

    async def _part(self, asked: Asked, call: Call) -> bytes:
        """The answer to one operation of a batch. Raises Refused."""
        context = self._context(call)
        try:
            prepared = await self._prepared(asked, context, call, ALLOWED[False, False])
            return (await self._executed(prepared, context, call)).encode()
        except RequestRefused as refusal:
            return orjson.dumps({"errors": refusal.errors})

    def _kept(self, stored: Stored, raw: Raw, headers: Mapping[bytes, bytes], kind: Kind) -> Reply:
        """An answer that a cache gave; 304 where the client has it already."""
        if raw.method != "GET":
            return replies.aged(kind, stored.body, stored.age)
        reply = replies.kept(kind, stored, self.vary)
        known = stored.etag is not None and is_known(stored.etag, headers.get(b"if-none-match"))
        return replies.unchanged(reply) if known else reply


def call_of(scope: Scope, headers: Mapping[bytes, bytes], raw: Raw, accepted: Accepted) -> Call:
    """A request as its operations need it."""
    kind, request_id = accepted.kind or Kind.JSON, str(scope.get("request_id", ""))
    return Call(HTTPConnection(scope), headers, raw, accepted, kind, request_id)


def wants_fresh(cache_control: bytes) -> bool:
    """Whether a request refuses what was kept before (RFC 9111, section 5.2.1)."""
    said = cache_control.lower()
    return b"no-cache" in said or b"no-store" in said


def headers_of(scope: Scope) -> Mapping[bytes, bytes]:
    """The request's headers by name, in lower case; a header that came more than once as one list (RFC 9110, 5.3)."""
    every = scope["headers"]
    headers: dict[bytes, bytes] = dict(every)
    if len(headers) != len(every):
        headers = {}
        for name, value in every:
            headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


def declined(refusal: Refused, kind: Kind) -> Reply:
    """The response to a request that was refused before anything was prepared."""
    headers = dict(refusal.headers) if isinstance(refusal, NotServed) else {}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if "retryAfter" in refusal.extensions:
        headers["Retry-After"] = str(refusal.extensions["retryAfter"])
    code = "UNAUTHENTICATED" if refusal.status == 401 else BAD_REQUEST
    errors = [{"message": refusal.message, "extensions": {"code": code, **refusal.extensions}}]
    return replies.refused(kind, errors, refusal.status, headers)


def not_here(refusal: RequestRefused) -> NotServed:
    """Why a request does not serve this kind of operation: 405 for a mutation by GET, 406 for a subscription."""
    if refusal.errors[0]["extensions"]["operation"] == "mutation":
        return NotServed(405, "Mutations go by POST.", READ_ONLY, OPERATION_NOT_ALLOWED)
    return NotServed(406, f"A subscription is answered in {EVENTS}, or over WebSocket.", None, OPERATION_NOT_ALLOWED)
