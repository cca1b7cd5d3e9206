"""Requests and what comes back, in the words of these tests."""

from __future__ import annotations

from typing import Any

import httpx

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"


def refused(answer: httpx.Response, status: int, code: str = "BAD_REQUEST") -> str:
    """The message of a request of which nothing was executed."""
    body = answer.json()
    (error,) = body["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (status, code)
    assert set(body) == {"errors"}
    assert answer.headers["content-type"].endswith("; charset=utf-8")
    return str(error["message"])


def greeted(answer: httpx.Response) -> None:
    """That the answer is a plain greeting."""
    assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "hello world"}})


def events_of(text: str) -> list[dict[str, str]]:
    """The events of a stream, each with its fields; comments are left out (WHATWG HTML, section 9.2)."""
    assert "\r" not in text
    blocks = [block.split("\n") for block in text.split("\n\n") if block]
    read = [dict(line.partition(":")[::2] for line in block if not line.startswith(":")) for block in blocks]
    return [{name: value.removeprefix(" ") for name, value in event.items()} for event in read if event]


def counting(to: int, **variables: Any) -> dict[str, Any]:
    """A subscription to the numbers up to `to`."""
    document = "subscription($to: Int!, $after: String) { count(to: $to, after: $after) { number cursor } }"
    return {"query": document, "variables": {"to": to, **variables}}
