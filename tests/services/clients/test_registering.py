"""API clients in PostgreSQL: registered with a key, changed, retired; and whose documents are whose."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import func, select

from core.db import Database
from core.errors import Conflict, DomainError, Invalid, NotFound
from models import ApiClient, DocumentPolicy, Fact
from services import clients, documents
from services.clients import ChangeClient, RegisterClient, RegisteredClient, RetireClient

BY = "operator:grace"
HELLO, WHO = "{ me { id } }", "{ me { name } }"
ANYTHING, TRUSTED = DocumentPolicy.ANYTHING, DocumentPolicy.TRUSTED


async def register(database: Database, name: str, manifest: str | None = None) -> RegisteredClient:
    async with database.transaction() as session:
        return await clients.register(session, RegisterClient(name=name, documents=TRUSTED, manifest=manifest), BY)


async def change(database: Database, name: str, policy: DocumentPolicy) -> ApiClient:
    async with database.transaction() as session:
        return await clients.change(session, ChangeClient(name=name, documents=policy), BY)


async def retire(database: Database, name: str) -> ApiClient:
    async with database.transaction() as session:
        return await clients.retire(session, RetireClient(name=name), BY)


async def load(database: Database, manifest: str, **texts: str) -> int:
    async with database.transaction() as session:
        return await documents.load(session, manifest, texts)


async def known(database: Database) -> list[tuple[Any, ...]]:
    async with database.reading() as session:
        return sorted(tuple(one) for one in (await clients.known(session)).values())


async def facts(database: Database) -> list[tuple[str, str, Any]]:
    async with database.reading() as session:
        found = await session.execute(select(Fact.kind, Fact.stream, Fact.payload).order_by(Fact.id))
        return [tuple(row) for row in found]


async def refused(database: Database, kind: type[DomainError], doing: Any) -> str:
    """The message of a refusal, which has changed nothing."""

    async def state() -> tuple[Any, ...]:
        async with database.reading() as session:
            written = await session.scalar(select(func.count()).select_from(Fact))
        return await known(database), written, await documents.Registry(database).version()

    before = await state()
    with pytest.raises(kind) as refusal:
        await doing
    assert await state() == before
    return refusal.value.message


async def test_a_client_is_known_by_its_key_and_the_key_is_not_kept(database: Database) -> None:
    registered = await register(database, "acme", "acme-web")
    assert registered.key.startswith("jetway_")
    assert len(registered.key) == len("jetway_") + 43
    async with database.reading() as session:
        (digest,) = await clients.known(session)
    assert digest == hashlib.sha256(registered.key.encode()).digest()
    assert await known(database) == [("acme", TRUSTED, "acme-web", False)]
    assert registered.client.created_by == BY
    assert registered.key not in repr(registered)


async def test_every_change_is_told_and_counted_once(database: Database) -> None:
    await register(database, "acme")
    for _ in range(2):
        await change(database, "acme", ANYTHING)
    ended = [(await retire(database, "acme")).retired_at for _ in range(2)]
    assert ended[0] is not None
    assert ended[0] == ended[1]
    assert await known(database) == [("acme", ANYTHING, None, True)]
    told = {"client": "acme", "manifest": None, "actor": BY}
    assert await facts(database) == [
        ("client.registered", "client:acme", {**told, "documents": "TRUSTED"}),
        ("client.changed", "client:acme", {**told, "documents": "ANYTHING"}),
        ("client.retired", "client:acme", {**told, "documents": "ANYTHING"}),
    ]


async def test_names_are_used_once_and_what_is_retired_stays_so(database: Database) -> None:
    await register(database, "acme")
    await refused(database, Conflict, register(database, "acme"))
    await retire(database, "acme")
    await refused(database, Conflict, register(database, "acme"))
    await refused(database, Conflict, change(database, "acme", ANYTHING))
    await refused(database, NotFound, change(database, "nobody", ANYTHING))
    await refused(database, NotFound, retire(database, "nobody"))


@pytest.mark.parametrize(("name", "manifest"), [("", None), (" acme", None), ("a\nb", None), ("acme", "x" * 101)])
async def test_a_name_is_a_name(database: Database, name: str, manifest: str | None) -> None:
    await refused(database, Invalid, register(database, name, manifest))


async def test_a_manifest_of_clients_is_theirs_alone_and_all_others_are_everybodys(database: Database) -> None:
    await load(database, "acme", a=HELLO)
    await load(database, "web", b=HELLO)
    assert await owners(database) == {"a": None, "b": None}
    await register(database, "acme-1", "acme")
    await register(database, "plain")
    assert await owners(database) == {"a": "acme", "b": None}
    await retire(database, "acme-1")
    assert await owners(database) == {"a": "acme", "b": None}, "never anybody else's again"


async def test_ids_of_ones_own_are_nobody_elses_matter(database: Database) -> None:
    for name in ("acme", "globex"):
        await register(database, name, name)
    await load(database, "web", a=HELLO)
    assert await load(database, "acme", a=WHO) == 1
    assert await load(database, "globex", a=HELLO) == 1
    assert "a stands for another" in await refused(database, Conflict, load(database, "acme", a=HELLO))
    assert "a stands for another" in await refused(database, Conflict, load(database, "app", a=WHO))
    assert await load(database, "app", a=HELLO) == 1


async def owners(database: Database) -> dict[str, str | None]:
    return {one.id: one.client for one in await documents.Registry(database).listed()}
