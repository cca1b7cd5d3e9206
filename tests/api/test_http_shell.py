"""What surrounds the schema over HTTP: ids, limits, errors, headers, files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from core import tokens
from core.embedded import EmbeddedValkey
from core.keys import Keyring
from tests.fakes.given import GivenValkey
from tests.fakes.toy_server import SECRET, toy_server, toy_settings

SECRETS = (b"s" * 32,)


@pytest.fixture(scope="module")
def client(module_database_url: str, valkey: EmbeddedValkey | GivenValkey) -> Iterator[httpx.Client]:
    settings = toy_settings(module_database_url, valkey.url, *SECRETS)
    with toy_server(settings) as url, httpx.Client(base_url=url) as client:
        yield client


def ask(client: httpx.Client, query: str, **more: Any) -> Any:
    answer = client.post("/graphql", json={"query": query, **more})
    assert answer.status_code == 200
    return without_cost(answer)


def without_cost(answer: httpx.Response) -> Any:
    """The body without what every answer says of its cost."""
    body = answer.json()
    assert body.pop("extensions")["cost"]["limit"] == 20_000
    return body


def refused(answer: httpx.Response, status: int, code: str = "BAD_REQUEST") -> str:
    """The message of a request that was refused as a whole."""
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (status, code)
    return str(error["message"])


def test_post_and_get_answer_a_query(client: httpx.Client) -> None:
    document = "query Greet($name: String!) { hello(name: $name) }"
    assert ask(client, document, variables={"name": "Ada"}) == {"data": {"hello": "hello Ada"}}
    got = client.get("/graphql", params={"query": document, "variables": '{"name": "Ada"}'})
    assert without_cost(got) == {"data": {"hello": "hello Ada"}}


def test_get_changes_nothing(client: httpx.Client) -> None:
    assert ask(client, "mutation { change }") == {"data": {"change": True}}
    answer = client.get("/graphql", params={"query": "mutation { change }"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["errors"][0]["extensions"]["code"] == "OPERATION_NOT_ALLOWED"


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"7", b'"x"', b"true", b"[]", b'[{"query":"{hello}"}]', b"{", b"\xff", b'{"query":"\xff"}', b"{}",
     b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"query":"{hello}","variables":{"a":1e999}}',
     b'{"query":NaN}', b'{"query":7}', b'{"query":null}', b'{"query":"  "}', b'{"query":"{hello}","variables":[]}',
     b'{"query":"{hello}","variables":"x"}', b'{"query":"{hello}","operationName":7}',
     b'{"query":"{hello}","extensions":7}'],
)  # fmt: skip
def test_a_body_that_is_no_request_is_400(client: httpx.Client, content: bytes) -> None:
    refused(client.post("/graphql", content=content, headers={"content-type": "application/json"}), 400)


@pytest.mark.parametrize(
    "request_body",
    [
        {"query": "query($n: String!){hello(name: $n)}", "variables": {"n": "a\0b"}},
        {"query": "query($n: String!){hello(name: $n)}", "variables": {"n": [{"deep": ["\0"]}]}},
        {"query": '{hello(name: "a\\u0000b")}'},
        {"query": '{hello(name: "a\\u{0}b")}'},
        {"query": '{hello(name: "a\0b")}'},
    ],
)
def test_text_that_no_database_holds_is_refused(client: httpx.Client, request_body: dict[str, Any]) -> None:
    assert "U+0000" in refused(client.post("/graphql", json=request_body), 400)


def test_a_deeply_nested_variable_is_an_error_and_not_a_fault(client: httpx.Client) -> None:
    content = b'{"query":"query($n: String!){hello(name: $n)}","variables":{"n":%s1%s}}' % (b"[" * 900, b"]" * 900)
    answer = client.post("/graphql", content=content, headers={"content-type": "application/json"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_a_content_type_that_is_not_json_is_415(client: httpx.Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        refused(client.post("/graphql", content=b'{"query":"{hello}"}', headers={"content-type": kind}), 415)


def test_a_large_body_is_413_announced_or_not(client: httpx.Client) -> None:
    large = b'{"query":"{hello}","variables":{"x":"' + b"x" * 262_144 + b'"}}'
    headers = {"content-type": "application/json"}
    refused(client.post("/graphql", content=large, headers=headers), 413)
    refused(client.post("/graphql", content=iter([large[:200_000], large[200_000:]]), headers=headers), 413)
    fitting = large[:40] + b"x" * 200_000 + b'"}}'
    assert client.post("/graphql", content=iter([fitting]), headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ hello " * 2_000, "TOO_MANY_TOKENS"),
        ("{ again " * 600 + "{ hello }" + " }" * 600, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: String!) { hello(name: $n) }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { who }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Query { hello }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_a_wrong_document_has_its_code(client: httpx.Client, query: str, code: str) -> None:
    answer = client.post("/graphql", json={"query": query})
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {code}


def test_of_several_operations_the_named_one_runs(client: httpx.Client) -> None:
    document = "query A { hello } query B { who }"
    assert ask(client, document, operationName="B") == {"data": {"who": "guest"}}
    unknown = {"query": document, "operationName": "C"}
    for accepted, status in (("application/json", 200), ("application/graphql-response+json", 400)):
        answer = client.post("/graphql", json=unknown, headers={"Accept": accepted})
        assert (answer.status_code, list(answer.json())) == (status, ["errors"])


def test_a_refusal_is_told_and_a_fault_is_not(client: httpx.Client) -> None:
    answer = client.post(
        "/graphql", json={"query": "{ hello fault refusal impatient }"}, headers={"X-Request-Id": "trip-7"}
    )
    body = answer.json()
    told = {error["path"][0]: (error["message"], error["extensions"]) for error in body["errors"]}
    assert body["data"] == {"hello": "hello world", "fault": None, "refusal": None, "impatient": None}
    assert told == {
        "fault": ("Internal error", {"code": "INTERNAL", "requestId": "trip-7"}),
        "refusal": ("Airports differ.", {"code": "SAME_AIRPORT", "field": "destination"}),
        "impatient": ("Too many.", {"code": "RATE_LIMITED", "retryAfter": 7}),
    }
    assert SECRET not in answer.text


def test_a_token_says_who_is_asking_and_a_bad_one_is_401(client: httpx.Client) -> None:
    keyring = Keyring(SECRETS)
    token, _ = tokens.issue(keyring, user_id=UUID(int=7), session_id=UUID(int=8), role="CUSTOMER")
    signed_in = client.post("/graphql", json={"query": "{ who }"}, headers={"Authorization": f"Bearer {token}"})
    assert without_cost(signed_in) == {"data": {"who": f"user:{UUID(int=7)}"}}
    assert ask(client, "{ who }") == {"data": {"who": "guest"}}
    answer = client.post("/graphql", json={"query": "{ who }"}, headers={"Authorization": "Bearer x"})
    refused(answer, 401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/", "/graphql", "/healthz", "/static/index.html", "/nowhere", "/webhooks/stripe"])
def test_every_answer_has_an_id_and_the_headers_for_browsers(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert client.get(path, headers={"X-Request-Id": "mine:1"}).headers["x-request-id"] == "mine:1"
    assert client.get(path, headers={"X-Request-Id": "not sane"}).headers["x-request-id"] != "not sane"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/graphql", {"GET", "POST"}),
        ("HEAD", "/graphql", {"GET", "POST"}),
        ("POST", "/", {"GET", "HEAD"}),
        ("POST", "/static/index.html", {"GET", "HEAD"}),
        ("GET", "/webhooks/stripe", {"POST"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_405_and_says_which_are_right(
    client: httpx.Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, allowed)


@pytest.mark.parametrize("path", ["/", "/graphiql", "/static/page/main.js"])
def test_a_file_is_asked_about_by_its_etag(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    head = client.head(path)
    assert (first.status_code, again.status_code, head.status_code) == (200, 304, 200)
    assert (again.content, head.content) == (b"", b"")
    assert head.headers["content-length"] == str(len(first.content))


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/page/..%5c..%5capp.py",
     "/static/%2fetc/passwd", "/static//etc/passwd", "/static/%00", "/static/", "/static/page",
     "/static/" + "x" * 5_000],
)  # fmt: skip
def test_nothing_outside_the_folder_is_served(client: httpx.Client, path: str) -> None:
    request = client.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=path.encode())
    assert client.send(request).status_code == 404


def test_the_webhook_gets_the_raw_body(client: httpx.Client) -> None:
    signed = {"Stripe-Signature": "good"}
    assert client.post("/webhooks/stripe", content=b'{"raw":  1}', headers=signed).status_code == 200
    refused(client.post("/webhooks/stripe", content=b'{"raw": 1}', headers=signed), 400)
    refused(client.post("/webhooks/stripe", content=b'{"raw":  1}'), 400)


def test_forwarded_addresses_are_believed_from_named_proxies_alone(
    client: httpx.Client, module_database_url: str, valkey: EmbeddedValkey | GivenValkey
) -> None:
    asked: dict[str, Any] = {"json": {"query": "{ ip }"}, "headers": {"X-Forwarded-For": "192.0.2.7"}}
    assert without_cost(client.post("/graphql", **asked)) == {"data": {"ip": "127.0.0.1"}}
    settings = toy_settings(module_database_url, valkey.url)
    with toy_server(replace(settings, trusted_proxies="127.0.0.1")) as url:
        assert without_cost(httpx.post(f"{url}/graphql", **asked)) == {"data": {"ip": "192.0.2.7"}}


def test_operations_and_requests_are_counted_under_names_of_ours(client: httpx.Client) -> None:
    ask(client, "query AnyName { hello }")
    client.get("/static/some/where/else")
    counted = client.get("/metrics").text
    assert 'jetway_graphql_operations_total{operation="query.hello",outcome="ok"}' in counted
    assert 'jetway_http_requests_total{method="GET",path="/static",status="404"}' in counted
    assert "AnyName" not in counted
    assert "some/where" not in counted
