"""What a client says: one frame, read and found to be a message of the protocol.

JSON is read as strictly as over HTTP (`engine.parameters`). A frame that is no message closes the socket with
4400; a message that is one, and asks for what cannot be, ends its operation alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import orjson

from engine import parameters
from engine.operations import Asked
from engine.parameters import JSON_NUL, NO_NUL, Members, integer, refuse_nul, refuse_repeated
from engine.refusals import malformed
from engine.websockets.codes import Closed, Code

LONGEST_ID = 256
"""Characters of an operation's id, which stands in front of each of its answers."""


class Init(NamedTuple):
    """`connection_init`."""

    payload: Mapping[str, Any]


class Ping(NamedTuple):
    """`ping`."""

    payload: Mapping[str, Any] | None


class Pong(NamedTuple):
    """`pong`, asked for or not."""


class Subscribe(NamedTuple):
    """`subscribe`: an operation of any kind."""

    id: str
    payload: Mapping[str, Any]
    content: bytes

    def asked(self) -> Asked:
        """The operation that is meant. Raises Refused for one that cannot be asked for."""
        if parameters.is_doubtful(self.content):
            scrutinise(self.content)
        return parameters.asked(self.payload)


class Complete(NamedTuple):
    """`complete`: the client no longer listens."""

    id: str


Message: TypeAlias = Init | Ping | Pong | Subscribe | Complete


def read(text: str | None, limit: int) -> Message:
    """The message in a frame; None stands for a binary one. Raises Closed."""
    if text is None:
        raise wrong("Messages are text frames")
    content = text.encode()
    if len(content) > limit:
        raise Closed(Code.TOO_LARGE, f"The message has more than {limit} bytes")
    try:
        data: object = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise wrong(f"The message is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise wrong("A message is a JSON object")
    return message(data, content)


def message(data: Mapping[str, Any], content: bytes) -> Message:
    """The message that an object says. Raises Closed."""
    kind = data.get("type")
    if kind == "subscribe":
        return Subscribe(id_of(data, kind), request_of(data), content)
    if kind == "complete":
        return Complete(id_of(data, kind))
    if kind not in ("connection_init", "ping", "pong"):
        raise wrong("A message has a `type` that clients send")
    payload = data.get("payload")
    if not isinstance(payload, dict | None):
        raise wrong(f"The payload of {kind} is not an object")
    if kind == "connection_init":
        return Init(payload or {})
    return Ping(payload) if kind == "ping" else Pong()


def id_of(data: Mapping[str, Any], kind: str) -> str:
    """The operation's id. Raises Closed."""
    name = data.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_ID:
        raise wrong(f"{kind} needs an `id`, a string of 1 to {LONGEST_ID} characters")
    return name


def request_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The payload of `subscribe`, its members of the right types. Raises Closed.

    `query` is required but where a `documentId` or a hash in `extensions` stands for it.
    """
    payload = data.get("payload")
    if not isinstance(payload, dict):
        raise wrong("subscribe needs a `payload`, an object")
    for name in ("query", "operationName", "documentId"):
        if not isinstance(payload.get(name), str | None):
            raise wrong(f"`{name}` is not a string")
    for name in ("variables", "extensions"):
        if not isinstance(payload.get(name), dict | None):
            raise wrong(f"`{name}` is not an object")
    is_named = payload.get("documentId") is not None or parameters.has_hash(payload.get("extensions"))
    if payload.get("query") is None and not is_named:
        raise wrong("`query` is not a string")
    return payload


def wrong(reason: str) -> Closed:
    """4400: this is no message of the protocol."""
    return Closed(Code.MALFORMED, reason)


def scrutinise(content: bytes) -> None:
    """Raises Refused for a request with a repeated parameter, U+0000, or an integer of more than 64 bits."""
    if JSON_NUL.search(content) is not None:
        raise malformed(NO_NUL)
    try:
        said = json.loads(content, object_pairs_hook=Members, parse_int=integer)
    except RecursionError as error:
        raise malformed("The request is nested too deeply.") from error
    payload = dict(said)["payload"]
    refuse_repeated([name for name, _ in payload])
    refuse_nul(dict(payload).get("query"))
