"""What a request may be, and what each wrong one is told."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from engine.http import Options
from tests.engine.http.asking import JSON, RESPONSE, greeted, refused
from tests.engine.http.toy import SECRET, Toy, served, toy

GREET = "query Greet($name: String!) { hello(name: $name) }"


def post(client: httpx.Client, content: bytes, **headers: str) -> httpx.Response:
    return client.post("", content=content, headers={"content-type": JSON, **headers})


def test_post_and_get_answer_a_query(client: httpx.Client) -> None:
    wanted = {"data": {"hello": "hello Ada"}}
    assert client.post("", json={"query": GREET, "variables": {"name": "Ada"}}).json() == wanted
    got = client.get("", params={"query": GREET, "variables": '{"name":"Ada"}', "operationName": "", "extensions": ""})
    assert got.json() == wanted
    assert got.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"null", b"7", b'"x"', b"true", b"[]", b'[{"query":"{hello}"}]', b"{", b"\xff", b'{"query":"\xff"}',
     b"{}", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"query":"{hello}"} x',
     b'{"query":"{hello}","variables":{"a":1e999}}', b'{"query":"{hello}","variables":{"a":NaN}}',
     b'{"query":"{hello}","variables":{"a":-Infinity}}', b'{"query":"{hello}","variables":{"a":"\\ud800"}}',
     b'{"query":NaN}', b'{"query":7}', b'{"query":null}', b'{"query":"  "}', b'{"query":"{hello}","variables":[]}',
     b'{"query":"{hello}","variables":"x"}', b'{"query":"{hello}","operationName":7}', b'{"documentId":7}',
     b'{"query":"{hello}","extensions":7}', b'{"query":"{hello}","extensions":[]}', b'{"qeury":"{hello}"}'],
)  # fmt: skip
@pytest.mark.parametrize("accept", [RESPONSE, JSON])
def test_a_body_that_is_no_request_is_400(client: httpx.Client, content: bytes, accept: str) -> None:
    refused(post(client, content, accept=accept), 400)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"query":"{hello}","query":"{who}"}', "`query` is there twice."),
        (b'{"query":"{hello}","\\u0071uery":"{who}"}', "`query` is there twice."),
        (b'{"query":"{hello}","variables":{},"variables":{"a":1}}', "`variables` is there twice."),
        (b'{"query":"{hello}","variables":{"a":18446744073709551616}}', "An integer has more than 64 bits"),
        (b'{"query":"{hello}","variables":{"a":-%s}}' % (b"9" * 300), "An integer has more than 64 bits"),
        (b'{"query":"{hello}","variables":{"a":"\\u0000"}}', "U+0000"),
        (b'{"query":"{hello}","variables":{"a":[{"\\u0000":1}]}}', "U+0000"),
        (b'{"query":"{hello(name: \\"a\\\\u0000b\\")}"}', "U+0000"),
        (b'{"query":"{hello(name: \\"a\\\\u{00}b\\")}"}', "U+0000"),
        (b'{"query":"{hello(name: \\"a\\u0000b\\")}"}', "U+0000"),
    ],
)
def test_what_others_would_understand_otherwise_is_400(client: httpx.Client, content: bytes, said: str) -> None:
    assert said in refused(post(client, content), 400)


@pytest.mark.parametrize(
    "content",
    [
        b'{"query":"{hello}","variables":{"query":1,"variables":{"query":2}}}',
        b'{"query":"{hello}","variables":{"a":18446744073709551615,"b":-9223372036854775808}}',
        b'{"query":"{hello}","variables":{"a":"99999999999999999999999","b":1.5e300}}',
        b'{"query":"{hello}","variables":{"a":"\\\\u0000","b":"\\u00e9"}}',
        b'{"query":"{hello}","variables":null,"operationName":null,"extensions":null,"more":1}',
        b'{"query":"{hello}","variables":{"a":%s1%s}}' % (b"[" * 900, b"]" * 900),
    ],
)
def test_what_only_looks_like_that_is_answered(client: httpx.Client, content: bytes) -> None:
    greeted(post(client, content))


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/graphql",
     "application/json; charset=latin-1", "text/json", "application/jsonp"],
)  # fmt: skip
def test_a_body_of_another_type_is_415(client: httpx.Client, standing: Toy, kind: str) -> None:
    answer = client.post("", content=b'{"query":"mutation{change}"}', headers={"content-type": kind})
    refused(answer, 415)
    assert answer.headers["accept"] == JSON
    assert standing.watch.changes == 0


@pytest.mark.parametrize("kind", ["Application/JSON", 'application/json;charset="utf-8"', "application/json ; x=y"])
def test_json_by_any_spelling_is_read(client: httpx.Client, kind: str) -> None:
    greeted(client.post("", content=b'{"query":"{hello}"}', headers={"content-type": kind}))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_another_method_is_405(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    if method != "HEAD":
        refused(answer, 405)


@pytest.mark.parametrize("accept", [RESPONSE, JSON, "text/event-stream"])
def test_a_get_changes_nothing(client: httpx.Client, standing: Toy, accept: str) -> None:
    answer = client.get("", params={"query": "mutation { change }"}, headers={"accept": accept})
    refused(answer, 405, "OPERATION_NOT_ALLOWED")
    assert answer.headers["allow"] == "POST"
    assert standing.watch.changes == 0


@pytest.mark.parametrize(
    "query",
    ["", "query=", "query=%7Bhello%7D&query=%7Bhello%7D", "query=%ff", "query=%7Bhello%7D&variables=7",
     "query=%7Bhello%7D&variables=%7B", "query=%7Bhello%7D&extensions=%5B%5D", "query=%7Bhello%7D%00",
     "query=%7Bhello%7D&operationName=%00", "query=%7Bhello%7D&variables=%7B%22a%22%3A%22%5Cu0000%22%7D",
     "query=%7Bhello(name%3A%22%5Cu0000%22)%7D", "query=%7Bhello%7D&variables=%7B%22a%22%3A" + "9" * 30 + "%7D"],
)  # fmt: skip
def test_a_url_that_is_no_request_is_400(client: httpx.Client, query: str) -> None:
    refused(client.get(f"{client.base_url}?{query}"), 400)


def test_a_long_url_is_414(client: httpx.Client) -> None:
    refused(client.get("", params={"query": "{hello}" + " " * 17_000}), 414)
    greeted(client.get("", params={"query": "{hello}" + "," * 1_000}))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": GREET}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": GREET, "variables": {"name": 1e22}}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { hello } query B { who }"}, None),
        ({"query": "query A { hello } query B { who }", "operationName": "C"}, None),
        ({"query": "fragment F on Query { hello }"}, None),
    ],
)
def test_a_refused_document_is_400_or_for_older_clients_200(
    client: httpx.Client, asked: dict[str, Any], code: str | None
) -> None:
    for accept, status in ((RESPONSE, 400), (JSON, 200)):
        answer = client.post("", json=asked, headers={"accept": accept})
        body = answer.json()
        assert (answer.status_code, "data" in body) == (status, False)
        codes = {error["extensions"]["code"] for error in body["errors"]}
        assert codes == ({code} if code else codes)


@pytest.mark.parametrize("accept", [RESPONSE, JSON])
def test_a_partial_result_is_200_and_hides_faults(client: httpx.Client, standing: Toy, accept: str) -> None:
    answer = client.post("", json={"query": "{ hello fault refusal }"}, headers={"accept": accept})
    told = {error["path"][0]: (error["message"], error["extensions"]["code"]) for error in answer.json()["errors"]}
    assert answer.status_code == 200
    assert answer.json()["data"] == {"hello": "hello world", "fault": None, "refusal": None}
    assert told == {"fault": ("Internal error", "INTERNAL"), "refusal": ("There is no such thing.", "NOT_FOUND")}
    assert SECRET not in answer.text
    assert [str(fault) for fault in standing.watch.faults] == [SECRET]


def test_data_that_is_null_as_a_whole_is_200(client: httpx.Client) -> None:
    answer = client.post("", json={"query": "{ strictFault }"})
    assert (answer.status_code, answer.json()["data"]) == (200, None)


def test_bad_credentials_are_401_before_the_document_is_read(client: httpx.Client) -> None:
    answer = client.post("", json={"query": "{"}, headers={"authorization": "Basic x"})
    assert refused(answer, 401, "UNAUTHENTICATED") == "The token is no good."
    assert answer.headers["www-authenticate"] == "Bearer"
    known = client.post("", json={"query": "{ who }"}, headers={"authorization": "Bearer good-ada"})
    assert known.json() == {"data": {"who": "ada"}}


def test_a_subscription_without_events_is_406(client: httpx.Client, standing: Toy) -> None:
    for accept in (RESPONSE, JSON, "*/*"):
        answer = client.post("", json={"query": "subscription { forever }"}, headers={"accept": accept})
        refused(answer, 406, "OPERATION_NOT_ALLOWED")
        answer = client.get("", params={"query": "subscription { forever }"}, headers={"accept": accept})
        refused(answer, 406, "OPERATION_NOT_ALLOWED")
    assert standing.watch.opened == 0


def test_a_get_needs_a_preflight_where_that_is_wanted() -> None:
    careful = toy(options=Options(preflight=frozenset({"apollo-require-preflight", "x-apollo-operation-name"})))
    with served(careful.app) as url:
        query = f"{url}?query=%7Bhello%7D"
        assert "apollo-require-preflight" in refused(httpx.get(query), 400)
        refused(httpx.get(query, headers={"apollo-require-preflight": ""}), 400)
        greeted(httpx.get(query, headers={"apollo-require-preflight": "1"}))
        greeted(httpx.post(url, json={"query": "{ hello }"}))


def batch(*queries: str) -> bytes:
    return json.dumps([{"query": query} for query in queries]).encode()


def test_a_batch_is_answered_in_its_order_and_bounded() -> None:
    standing = toy(options=Options(batch=3))
    with served(standing.app) as url, httpx.Client(base_url=url) as client:
        parts = ("mutation { change(by: 2) }", "mutation { change }", "{ nothing }")
        answer = post(client, batch(*parts))
        told = [(part.get("data"), [error["extensions"]["code"] for error in part.get("errors", ())])
                for part in answer.json()]  # fmt: skip
        assert answer.status_code == 200
        assert told == [({"change": 2}, []), ({"change": 3}, []), (None, ["GRAPHQL_VALIDATION_FAILED"])]
        refused(post(client, batch()), 400)
        refused(post(client, batch(*["mutation { change }"] * 4)), 400)
        refused(post(client, b'[{"query":"mutation{change}"},7]'), 400)
        refused(post(client, batch("{ hello }"), accept="text/event-stream"), 406)
        refused(post(client, batch("{ hello }"), authorization="Basic x"), 401, "UNAUTHENTICATED")
        (part,) = post(client, batch("subscription { forever }")).json()
        assert part["errors"][0]["extensions"]["code"] == "OPERATION_NOT_ALLOWED"
        assert standing.watch.changes == 3
