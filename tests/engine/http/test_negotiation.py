"""What an Accept header says."""

from __future__ import annotations

import httpx
import pytest

from engine.http.negotiation import Accepted, Kind, negotiated
from tests.engine.http.asking import EVENTS, JSON, RESPONSE, greeted, refused


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, Kind.JSON),
        ("", Kind.JSON),
        ("*/*", Kind.JSON),
        ("application/*", Kind.JSON),
        (JSON, Kind.JSON),
        (RESPONSE, Kind.RESPONSE),
        ("APPLICATION/GraphQL-Response+JSON", Kind.RESPONSE),
        (f"{RESPONSE}, {JSON};q=0.9", Kind.RESPONSE),
        (f"{JSON};q=0.9, {RESPONSE};q=0.1", Kind.JSON),
        (f"{JSON}, {RESPONSE}", Kind.RESPONSE),
        (f"{JSON}, */*", Kind.JSON),
        (f"{JSON};q=0.5, */*", Kind.RESPONSE),
        (f"{RESPONSE};q=0, */*", Kind.JSON),
        (f"{JSON}; charset=utf-8 ; q=0.2", Kind.JSON),
        (f'{JSON}; charset="UTF-8"', Kind.JSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Kind.JSON),
        (f"{JSON};q=2, {RESPONSE};q=0.001", Kind.RESPONSE),
        (f",,{JSON},", Kind.JSON),
        ("text/html", None),
        ("*/*;q=0", None),
        (f"{JSON};charset=utf-16", None),
        (f"{JSON};q=0", None),
        (f"{JSON};q=x", None),
        ("application", None),
        (f"{EVENTS}", None),
    ],
)
def test_the_type_of_a_whole_response(accept: str | None, kind: Kind | None) -> None:
    assert negotiated(None if accept is None else accept.encode()).kind is kind


@pytest.mark.parametrize(
    ("accept", "events", "rather"),
    [
        (EVENTS, True, True),
        (f"{EVENTS};q=0.1", True, True),
        (f"{JSON}, {EVENTS}", True, False),
        (f"{JSON};q=0.5, {EVENTS}", True, True),
        (f"{EVENTS};q=0.5, {JSON}", True, False),
        ("*/*", False, False),
        ("text/*", False, False),
        (f"{EVENTS};q=0, */*", False, False),
    ],
)
def test_events_are_taken_by_those_who_name_them(accept: str, events: bool, rather: bool) -> None:
    assert negotiated(accept.encode())[1:] == (events, rather)


def test_a_long_header_is_read_and_not_remembered() -> None:
    long = b"text/x;q=0.1," * 1_000 + RESPONSE.encode()
    assert negotiated(long) == Accepted(Kind.RESPONSE, events=False, rather_events=False)


@pytest.mark.parametrize("kind", [RESPONSE, JSON])
def test_the_answer_has_the_type_that_was_asked_for(client: httpx.Client, kind: str) -> None:
    answer = client.post("", json={"query": "{ hello }"}, headers={"accept": kind})
    greeted(answer)
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert answer.headers["vary"] == "Accept"


def test_several_accept_headers_are_one_list(client: httpx.Client) -> None:
    headers = [("accept", "text/html"), ("accept", JSON), ("content-type", JSON)]
    answer = httpx.post(client.base_url, content=b'{"query":"{hello}"}', headers=headers)
    assert answer.headers["content-type"] == f"{JSON}; charset=utf-8"


def test_nothing_that_is_accepted_is_406(client: httpx.Client) -> None:
    for accept in ("text/html", f"{JSON};q=0", "image/png, text/plain"):
        refused(client.post("", json={"query": "{ hello }"}, headers={"accept": accept}), 406)
