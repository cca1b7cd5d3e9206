"""Trusted documents in PostgreSQL: loaded, listed, retired, and what every process knows of them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import func, select

from core.db import Database
from core.errors import Conflict, DomainError, Invalid, NotFound
from engine.documents import Trusted
from models import Fact, TrustedDocument
from services import documents

HELLO, WHO = "{ me { id } }", "{ me { name } } # é"


async def load(database: Database, client: str, **texts: str) -> int:
    async with database.transaction() as session:
        return await documents.load(session, client, texts)


async def retire(database: Database, client: str, *ids: str) -> int:
    async with database.transaction() as session:
        return await documents.retire(session, client, ids or None)


async def trusted(database: Database) -> list[tuple[str, str]]:
    async with database.reading() as session:
        return [(one.client, one.id) for one in await documents.listing(session, first=1_000) if one.retired_at is None]


async def facts(database: Database) -> list[tuple[str, str, Any]]:
    async with database.reading() as session:
        found = await session.execute(select(Fact.kind, Fact.stream, Fact.payload).order_by(Fact.id))
        return [tuple(row) for row in found]


async def state(database: Database) -> tuple[int, int, int]:
    """What a refusal must not change."""
    async with database.reading() as session:
        count = await session.scalar(select(func.count()).select_from(TrustedDocument)) or 0
        written = await session.scalar(select(func.count()).select_from(Fact)) or 0
    return count, written, await documents.Registry(database).version()


async def refused(database: Database, kind: type[DomainError], doing: Any) -> str:
    before = await state(database)
    with pytest.raises(kind) as refusal:
        await doing
    assert await state(database) == before
    return refusal.value.message


async def test_what_is_loaded_is_trusted(database: Database) -> None:
    assert await load(database, "web", a=HELLO, b=WHO) == 2
    assert await trusted(database) == [("web", "a"), ("web", "b")]
    registry = documents.Registry(database)
    assert await registry.text(sha256(WHO.encode()).hexdigest()) == WHO
    assert await registry.text("0" * 64) is None
    assert await facts(database) == [
        ("documents.loaded", "documents:web", {"client": "web", "ids": ["a", "b"]}),
    ]  # fmt: skip


async def test_loading_again_adds_what_is_new_alone(database: Database) -> None:
    await load(database, "web", a=HELLO)
    assert await load(database, "web", a=HELLO, b=WHO) == 1
    assert await load(database, "web", a=HELLO, b=WHO) == 0
    assert [payload["ids"] for _, _, payload in await facts(database)] == [["a"], ["b"]]


async def test_more_than_one_statement_carries_is_loaded(database: Database) -> None:
    many = {f"id{number}": f"query Q{number} {{ me {{ id }} }}" for number in range(documents.AT_ONCE + 1)}
    assert await load(database, "web", **many) == documents.AT_ONCE + 1
    assert len(await trusted(database)) == documents.AT_ONCE + 1


async def test_what_is_retired_is_trusted_no_longer_and_may_come_back(database: Database) -> None:
    await load(database, "web", a=HELLO, b=WHO)
    await load(database, "partner", a=HELLO)
    assert await retire(database, "web", "a") == 1
    assert await trusted(database) == [("partner", "a"), ("web", "b")]
    assert await load(database, "web", a=HELLO) == 1
    assert await retire(database, "web") == 2
    assert await trusted(database) == [("partner", "a")]
    assert (await facts(database))[-1] == ("documents.retired", "documents:web", {"client": "web", "ids": ["a", "b"]})


async def test_an_id_never_stands_for_another_text(database: Database) -> None:
    await load(database, "web", a=HELLO)
    for client in ("web", "partner"):
        message = await refused(database, Conflict, load(database, client, b=WHO, a=WHO))
        assert message == "a stands for another document already."
    await retire(database, "web")
    await refused(database, Conflict, load(database, "web", a=WHO))


async def test_retiring_what_is_not_trusted_is_refused(database: Database) -> None:
    await load(database, "web", a=HELLO)
    await refused(database, NotFound, retire(database, "web", "b"))
    await refused(database, NotFound, retire(database, "partner"))
    await retire(database, "web")
    await refused(database, NotFound, retire(database, "web", "a"))


@pytest.mark.parametrize("client", ["", " ", "x" * 101, "a\nb", " web"])
async def test_a_client_has_a_name(database: Database, client: str) -> None:
    await refused(database, Invalid, load(database, client, a=HELLO))


async def test_documents_are_listed_page_by_page(database: Database) -> None:
    await load(database, "web", a=HELLO, b=WHO)
    await load(database, "app", c=HELLO)
    await retire(database, "web", "a")
    async with database.reading() as session:
        first = await documents.listing(session, first=2)
        rest = await documents.listing(session, after=(first[-1].client, first[-1].id))
        web = await documents.listing(session, "web")
    assert [(one.client, one.id, one.retired_at is None) for one in first + rest] == [
        ("app", "c", True), ("web", "a", False), ("web", "b", True),
    ]  # fmt: skip
    assert [one.id for one in web] == ["a", "b"]


async def test_the_engine_finds_them_and_learns_of_their_end(database: Database) -> None:
    hours = [0.0]
    known = Trusted(documents.Registry(database), seconds=1, clock=lambda: hours[0])
    await load(database, "web", a=HELLO)
    assert await known.find("a", "partner") == HELLO
    assert await known.find(sha256(HELLO.encode()).hexdigest()) == HELLO
    await retire(database, "web")
    hours[0] = 1.0
    assert await known.find("a", "partner") is None
