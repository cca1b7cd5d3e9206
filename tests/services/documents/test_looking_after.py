"""Trusted documents by the command, and by administrators through GraphQL."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import strawberry

from core.db import Database
from models import Role
from resolvers.context import GUEST, Viewer
from schema.documents import DocumentMutations, DocumentQueries
from scripts import documents as command
from services import documents

SCHEMA = strawberry.Schema(query=DocumentQueries, mutation=DocumentMutations)
ADMIN, STAFF = (Viewer(user_id=UUID(int=7), role=role) for role in (Role.ADMIN, Role.STAFF))
LIST = "{ trustedDocuments { id } }"
MANIFEST = json.dumps({"a": LIST})
LOAD = """mutation ($manifest: String!) { loadDocuments(input: {client: "web", manifest: $manifest}) {
    __typename ... on TrustedDocuments { client count } ... on Problem { code message } } }"""
RETIRE = """mutation { retireDocuments(input: {client: "web"}) {
    __typename ... on TrustedDocuments { client count } ... on Problem { code } } }"""


async def asked(database: Database, viewer: Viewer, document: str, **variables: Any) -> Any:
    """What the only root field answers; the code of its error, where it has one."""
    context = SimpleNamespace(viewer=viewer, transaction=database.transaction, reading=database.reading, writes=False)
    result = await SCHEMA.execute(document, context_value=context, variable_values=variables)
    if result.errors:
        return getattr(result.errors[0].original_error, "code", result.errors[0])
    return next(iter((result.data or {}).values()))


async def ids(database: Database) -> list[str]:
    return [one.id for one in await documents.Registry(database).listed()]


async def test_an_administrator_loads_lists_and_retires(database: Database) -> None:
    changed = {"__typename": "TrustedDocuments", "client": "web", "count": 1}
    assert await asked(database, ADMIN, LOAD, manifest=MANIFEST) == changed
    assert await asked(database, ADMIN, LIST) == [{"id": "a"}]
    assert await asked(database, ADMIN, RETIRE) == changed
    assert await ids(database) == []
    assert await asked(database, ADMIN, RETIRE) == {"__typename": "NotFound", "code": "NOT_FOUND"}


@pytest.mark.parametrize(("viewer", "code"), [(GUEST, "UNAUTHENTICATED"), (STAFF, "FORBIDDEN")])
async def test_nobody_else_may(database: Database, viewer: Viewer, code: str) -> None:
    assert (await asked(database, viewer, LOAD, manifest=MANIFEST))["code"] == code
    assert (await asked(database, viewer, RETIRE))["code"] == code
    assert await asked(database, viewer, LIST) == code
    assert await ids(database) == []


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{", "The manifest is not JSON."),
        ("[]", "A manifest is a JSON object."),
        (json.dumps({"a": LIST, "b": "{ nothing }"}), "b: Cannot query field 'nothing' on type 'DocumentQueries'."),
    ],
)
async def test_a_manifest_that_is_not_right_is_refused_whole(database: Database, manifest: str, message: str) -> None:
    answer = await asked(database, ADMIN, LOAD, manifest=manifest)
    assert (answer["code"], answer["message"]) == ("INVALID_INPUT", message)
    assert await ids(database) == []


async def test_the_command_loads_lists_and_retires(
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({"mine": "{ me { id } }"}))
    assert await command.main(["load", "web", str(file)]) == 0
    assert await command.main(["list", "web"]) == 0
    assert await command.main(["retire", "web", "mine"]) == 0
    assert await command.main(["retire", "web", "mine"]) == 1
    printed = capsys.readouterr()
    assert "1 documents of web, 1 of them new." in printed.out
    assert "mine" in printed.out
    assert "no such trusted documents" in printed.err
    assert await ids(database) == []


async def test_the_command_refuses_a_manifest_with_its_reasons(
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({"mine": "{ nothing }", "other": "{ neither }"}))
    assert await command.main(["load", "web", str(file)]) == 1
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["mine", "other"]
    assert await ids(database) == []
