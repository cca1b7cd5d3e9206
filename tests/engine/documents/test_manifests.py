"""Manifests as clients' tools write them."""

from __future__ import annotations

from hashlib import md5, sha1, sha256
from typing import Any

import pytest

from engine.documents import ManifestRefused, Reading, read_manifest
from engine.limits import Limits
from tests.engine.schemas import SCHEMA

HELLO = "query Hello {\n  hello\n}\n"
WHO = "query Who($id: Int!) { person(id: $id) { name } }"
READING = Reading(SCHEMA, Limits(), suggestions=False)


def apollo(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": list(operations)}


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def read(data: object) -> dict[str, str]:
    return {one.id: one.text for one in read_manifest(data, READING)}


def reasons(data: object) -> list[str]:
    with pytest.raises(ManifestRefused) as refused:
        read(data)
    return refused.value.reasons


def test_apollos_manifest_is_read() -> None:
    data = apollo(
        {"id": hashed(HELLO), "name": "Hello", "type": "query", "body": HELLO},
        {"id": hashed(WHO), "name": "Who", "type": "query", "body": WHO, "clientName": "web"},
    )
    assert read(data) == {hashed(HELLO): HELLO, hashed(WHO): WHO}
    by_id = {**apollo(), "operations": {hashed(HELLO): {"name": "Hello", "type": "query", "body": HELLO}}}
    assert read(by_id) == {hashed(HELLO): HELLO}


def test_relays_and_graphql_codegens_manifests_are_read() -> None:
    relay = {md5(text.encode()).hexdigest(): text for text in (HELLO, WHO)}  # noqa: S324 - Relay's own
    codegen = {sha1(text.encode()).hexdigest(): text for text in (HELLO, WHO)}  # noqa: S324 - graphql-codegen's own
    prefixed = {f"sha256:{hashed(text)}": text for text in (HELLO, WHO)}
    for manifest in (relay, codegen, prefixed):
        assert read(manifest) == manifest


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([], "A manifest is a JSON object."),
        ({}, "The manifest has no documents."),
        ({"format": "other", "version": 1, "operations": []}, "Of manifests with a format"),
        ({**apollo(), "version": 2}, "Of manifests with a format"),
        ({**apollo(), "operations": [7]}, "`operations` is not a list of objects."),
        (apollo({"id": "x"}), "x: its document is missing."),
        (apollo({"body": HELLO}), "None is no document id."),
        ({"a b": HELLO}, "'a b' is no document id."),
        ({"x" * 201: HELLO}, "is no document id."),
        ({"sha256:" + "0" * 64: HELLO}, "is not the SHA-256 of its document."),
        ({"sha256:abc": HELLO}, "is no document id."),
        ({"x": 7}, "x: its document is missing."),
        (apollo({"id": "x", "body": HELLO}, {"id": "x", "body": WHO}), "x: stands for two documents."),
        ({"x": "{ nothing }"}, "x: Cannot query field 'nothing' on type 'Query'."),
        ({"x": "{"}, "x: Syntax Error"),
        ({"x": "fragment F on Query { hello }"}, "x: Fragment 'F' is never used."),
        ({"x": "{" + " " * 100_000}, "x: The document has more than 100000 bytes."),
        ({"x": "{ people(first: 100000) { name } }"}, "x: The operation costs 100005"),
    ],
)
def test_what_is_no_manifest_of_valid_documents_is_refused(data: object, reason: str) -> None:
    assert any(reason in one for one in reasons(data))


def test_a_manifest_is_refused_whole_with_every_reason() -> None:
    assert reasons({"a": "{ nothing }", "b": HELLO, "c": "{ neither }"}) == [
        "a: Cannot query field 'nothing' on type 'Query'.",
        "c: Cannot query field 'neither' on type 'Query'.",
    ]
