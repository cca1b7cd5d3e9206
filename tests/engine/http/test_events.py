"""Server-sent events, over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from engine.http import Options
from tests.engine.http.asking import EVENTS, JSON, RESPONSE, counting, events_of, greeted, refused
from tests.engine.http.toy import SECRET, Toy, served, toy
from tests.fakes.waiting import eventually


def ask(url: str, asked: dict[str, Any], **headers: str) -> httpx.Response:
    return httpx.post(url, json=asked, headers={"accept": EVENTS, **headers})


def stream(url: str, asked: dict[str, Any], **headers: str) -> list[dict[str, str]]:
    """All events of a stream that ends."""
    answer = ask(url, asked, **headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{EVENTS}; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["vary"] == "Accept"
    return events_of(answer.text)


def numbers(events: list[dict[str, str]]) -> list[int]:
    return [json.loads(event["data"])["data"]["count"]["number"] for event in events if event["event"] == "next"]


def codes(event: dict[str, str]) -> list[str]:
    return [error["extensions"]["code"] for error in json.loads(event["data"])["errors"]]


def test_a_subscription_is_a_stream_of_events_with_their_cursors(url: str) -> None:
    first, second, end = stream(url, counting(2))
    assert first == {"event": "next", "data": '{"data":{"count":{"number":1,"cursor":"1"}}}', "id": "1"}
    assert (second["id"], end) == ("2", {"event": "complete", "data": ""})


def test_a_client_that_was_cut_off_gets_what_it_missed(url: str) -> None:
    assert numbers(stream(url, counting(5), **{"last-event-id": "3"})) == [4, 5]
    assert numbers(stream(url, counting(5, after="1"), **{"last-event-id": "3"})) == [4, 5]
    assert numbers(stream(url, counting(5, after="1"))) == [2, 3, 4, 5]
    assert numbers(stream(url, counting(2), **{"last-event-id": ""})) == [1, 2]


def test_an_operation_without_such_a_variable_starts_anew(url: str) -> None:
    asked = {"query": "subscription { count(to: 2) { number } }"}
    events = stream(url, asked, **{"last-event-id": "1"})
    assert numbers(events) == [1, 2]
    assert all("id" not in event for event in events)


@pytest.mark.parametrize("cursor", [b"\xff", b"x" * 1025])
def test_a_last_event_id_that_cannot_be_ours_is_400(url: str, cursor: bytes) -> None:
    headers = {b"accept": EVENTS.encode(), b"last-event-id": cursor}
    refused(httpx.post(url, json=counting(2), headers=headers), 400)
    greeted(httpx.post(url, json={"query": "{ hello }"}, headers={b"last-event-id": cursor}))


def test_a_get_streams_too_as_browsers_ask(url: str) -> None:
    asked = counting(2)
    params = {"query": asked["query"], "variables": json.dumps(asked["variables"])}
    answer = httpx.get(url, params=params, headers={"accept": EVENTS})
    assert numbers(events_of(answer.text)) == [1, 2]


def test_queries_and_mutations_are_streamed_to_those_who_like_that_best(url: str) -> None:
    for query, data in (("{ hello }", {"hello": "hello world"}), ("mutation { change }", {"change": 1})):
        event, end = stream(url, {"query": query})
        assert (event["event"], json.loads(event["data"]), end["event"]) == ("next", {"data": data}, "complete")
    for accept in (f"{JSON}, {EVENTS}", f"{RESPONSE}, {JSON};q=0.9, {EVENTS};q=0.9", "*/*"):
        greeted(httpx.post(url, json={"query": "{ hello }"}, headers={"accept": accept}))


def test_a_subscription_is_streamed_to_whoever_takes_events_at_all(url: str) -> None:
    for accept in (f"{JSON}, {EVENTS}", f"{EVENTS}, multipart/mixed", f"{JSON}, {EVENTS};q=0.1"):
        answer = httpx.post(url, json=counting(1), headers={"accept": accept})
        assert numbers(events_of(answer.text)) == [1]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { refused }", "NOT_FOUND"),
    ],
)
def test_a_refused_document_is_an_event(url: str, query: str, code: str) -> None:
    event, end = stream(url, {"query": query})
    assert (event["event"], codes(event), end["event"]) == ("next", [code], "complete")
    assert "data" not in json.loads(event["data"])


def test_a_refused_document_is_json_for_those_who_take_that_too(url: str) -> None:
    answer = httpx.post(url, json={"query": "{ nothing }"}, headers={"accept": f"{RESPONSE}, {EVENTS}"})
    refused(answer, 400, "GRAPHQL_VALIDATION_FAILED")


def test_what_is_no_request_has_a_status(url: str) -> None:
    headers = {"accept": EVENTS}
    refused(httpx.post(url, content=b"{", headers={**headers, "content-type": JSON}), 400)
    refused(httpx.post(url, content=b"{}", headers={**headers, "content-type": "text/plain"}), 415)
    bad = {**headers, "authorization": "Basic x"}
    refused(httpx.post(url, json={"query": "subscription { forever }"}, headers=bad), 401, "UNAUTHENTICATED")


def test_a_fault_in_place_of_a_stream_is_500_so_that_clients_try_again(url: str, standing: Toy) -> None:
    answer = ask(url, {"query": "subscription { faulty }"})
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["INTERNAL"]
    assert (answer.status_code, SECRET in answer.text, standing.app.streams.count) == (500, False, 0)


def test_a_fault_ends_the_stream_and_stays_hidden(url: str, standing: Toy) -> None:
    answer = httpx.post(url, json={"query": "subscription { breaks }"}, headers={"accept": EVENTS})
    first, fault, end = events_of(answer.text)
    assert json.loads(first["data"]) == {"data": {"breaks": 1}}
    assert (codes(fault), end["event"]) == (["INTERNAL"], "complete")
    assert SECRET not in answer.text
    assert [str(error) for error in standing.watch.faults] == [SECRET]


async def test_who_leaves_leaves_nothing_open(url: str, standing: Toy) -> None:
    watch = standing.watch
    with httpx.stream("POST", url, json={"query": "subscription{forever}"}, headers={"accept": EVENTS}) as answer:
        lines = answer.iter_lines()
        while next(lines) != 'data: {"data":{"forever":1}}':
            pass
        assert (watch.opened, watch.closed, standing.app.streams.count) == (1, 0, 1)

    async def closed() -> bool:
        return watch.closed == 1 and standing.app.streams.count == 0

    await eventually(closed)
    assert watch.faults == []


async def test_too_many_streams_are_503_and_leave_room_for_the_rest() -> None:
    full = toy(most=1, options=Options())
    forever = {"query": "subscription { forever }"}
    with served(full.app) as url:
        with httpx.stream("POST", url, json=forever, headers={"accept": EVENTS}) as answer:
            assert answer.status_code == 200
            refused(ask(url, forever), 503, "UNAVAILABLE")
            greeted(ask(url, {"query": "{ hello }"}, accept=JSON))

        async def empty() -> bool:
            return full.app.streams.count == 0

        await eventually(empty)
        assert numbers(stream(url, counting(1))) == [1]
