"""What a client sends, checked: the body of a GraphQL request, and the messages of graphql-transport-ws."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cross_web import HTTPException
from strawberry.http import GraphQLRequestData

NUL = re.compile(r"\0|\\u(0000|\{0+\})")
"""U+0000 as a document says it: as itself, or escaped in a string (GraphQL, section 2.9.4)."""


def read_request(data: object) -> GraphQLRequestData:
    """The request in a decoded body (GraphQL over HTTP, section 5.1). Raises HTTPException 400 for anything else."""
    if isinstance(data, list):
        raise HTTPException(400, "Batches are not accepted: send one operation in each request.")
    if not isinstance(data, dict):
        raise HTTPException(400, "The body is not a JSON object.")
    if (problem := wrong_parameter(data)) is not None:
        raise HTTPException(400, problem)
    return GraphQLRequestData(
        query=data["query"],
        variables=data.get("variables"),
        operation_name=data.get("operationName") or None,
        extensions=data.get("extensions"),
    )


def wrong_parameter(data: Mapping[str, Any]) -> str | None:
    """What is wrong with the parameters of a request; None where nothing is."""
    query = data.get("query")
    if not isinstance(query, str) or not query.strip():
        return "`query` is not a string with a GraphQL document."
    if not isinstance(data.get("operationName"), str | None):
        return "`operationName` is not a string."
    for name in ("variables", "extensions"):
        if not isinstance(data.get(name), dict | None):
            return f"`{name}` is not an object."
    if NUL.search(query) or has_nul(data.get("variables")):
        return "The character U+0000 is not accepted."
    return None


def has_nul(value: object) -> bool:
    """Whether U+0000, which no database text can hold, stands in any string of a decoded JSON value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if "\0" in one:
                return True
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            waiting.extend(one.values())
    return False


def wrong_message(message: object) -> str | None:
    """What is wrong with the shape of a WebSocket message, which closes the socket with 4400; None where nothing is."""
    if not isinstance(message, dict):
        return "A message is a JSON object"
    kind = message.get("type")
    if kind in ("subscribe", "complete") and not (isinstance(message.get("id"), str) and message["id"]):
        return f"{kind} needs an id, a string that is not empty"
    if kind == "subscribe":
        payload = message.get("payload")
        return "subscribe needs a payload" if not isinstance(payload, dict) else wrong_parameter(payload)
    if kind in ("connection_init", "ping", "pong") and not isinstance(message.get("payload", {}), dict):
        return f"The payload of {kind} is not an object"
    return None if isinstance(kind, str) else "A message has a type"
