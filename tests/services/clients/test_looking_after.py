"""Administrators look after API clients through GraphQL; nobody else does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import strawberry

from core.db import Database
from models import Role
from resolvers.context import GUEST, Viewer
from schema.clients import ClientMutations, ClientQueries
from services import clients

SCHEMA = strawberry.Schema(query=ClientQueries, mutation=ClientMutations)
ADMIN, STAFF = (Viewer(user_id=UUID(int=7), role=role) for role in (Role.ADMIN, Role.STAFF))
SHOWN = "name documents manifest createdBy retiredAt"
LIST = f"{{ apiClients {{ {SHOWN} }} }}"
PROBLEM = "... on Problem { code }"
REGISTER = f"""mutation {{ registerClient(input: {{name: "acme", documents: TRUSTED, manifest: "acme"}}) {{
    __typename ... on RegisteredClient {{ key client {{ {SHOWN} }} }} {PROBLEM} }} }}"""
CHANGE = f"""mutation {{ changeClient(input: {{name: "acme", documents: PERSISTED}}) {{
    __typename ... on ApiClient {{ {SHOWN} }} {PROBLEM} }} }}"""
RETIRE = f"""mutation {{ retireClient(input: {{name: "acme"}}) {{
    __typename ... on ApiClient {{ name retiredAt }} {PROBLEM} }} }}"""


async def asked(database: Database, viewer: Viewer, document: str) -> Any:
    """What the only root field answers; the code of its error, where it has one."""
    actor = f"user:{viewer.user_id}"
    context = SimpleNamespace(
        viewer=viewer, actor=actor, transaction=database.transaction, reading=database.reading, writes=False
    )
    result = await SCHEMA.execute(document, context_value=context)
    if result.errors:
        return getattr(result.errors[0].original_error, "code", result.errors[0])
    return next(iter((result.data or {}).values()))


async def test_an_administrator_registers_changes_and_retires(database: Database) -> None:
    registered = await asked(database, ADMIN, REGISTER)
    shown = {"name": "acme", "manifest": "acme", "createdBy": f"user:{ADMIN.user_id}", "retiredAt": None}
    assert registered["client"] == {**shown, "documents": "TRUSTED"}
    async with database.reading() as session:
        assert set(await clients.known(session)) == {clients.digest_of(registered["key"])}
    changed = {**shown, "documents": "PERSISTED"}
    assert await asked(database, ADMIN, CHANGE) == {"__typename": "ApiClient", **changed}
    assert await asked(database, ADMIN, LIST) == [changed]
    retired = await asked(database, ADMIN, RETIRE)
    assert retired["retiredAt"] is not None
    assert await asked(database, ADMIN, CHANGE) == {"__typename": "Conflict", "code": "CONFLICT"}
    assert await asked(database, ADMIN, REGISTER) == {"__typename": "Conflict", "code": "CONFLICT"}


async def test_whom_there_is_not_is_not_found(database: Database) -> None:
    for document in (CHANGE, RETIRE):
        assert await asked(database, ADMIN, document) == {"__typename": "NotFound", "code": "NOT_FOUND"}


@pytest.mark.parametrize(("viewer", "code"), [(GUEST, "UNAUTHENTICATED"), (STAFF, "FORBIDDEN")])
async def test_nobody_else_may(database: Database, viewer: Viewer, code: str) -> None:
    assert (await asked(database, ADMIN, REGISTER))["__typename"] == "RegisteredClient"
    before = await asked(database, ADMIN, LIST)
    for document in (REGISTER, CHANGE, RETIRE):
        assert (await asked(database, viewer, document))["code"] == code
    assert await asked(database, viewer, LIST) == code
    assert await asked(database, ADMIN, LIST) == before
