"""Trusted documents: loaded from a client's manifest, listed, and retired.

Whether a document is valid for the schema is found out before it comes here. Every change counts up one row under its
lock: a process that sees another number reads the list again, and so learns of a change within seconds. A document that
was retired is kept, so that its id never stands for another text.

A manifest is known by a name. Where API clients are registered whose own it is, it is theirs alone, and its ids are
too; all other manifests are everybody's, and have their ids in common (`services/clients.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from core.db import Database, ReadSession, Session
from core.errors import Conflict, Invalid, NotFound
from models import ApiClient, TrustedDocument, TrustHead
from services import outbox

jetway_now = func.jetway_now
LONGEST_NAME = 100
AT_ONCE = 500
"""How many rows one statement carries."""


class TrustedId(NamedTuple):
    """What the list says of one document; `client` is None where it is everybody's."""

    client: str | None
    id: str
    sha256: str


class Registry:
    """The documents that are trusted, as the engine asks for them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def version(self) -> int:
        """How often anything was loaded or retired, or a client changed."""
        async with self.database.reading(primary=True) as session:
            return await session.scalar(select(TrustHead.version)) or 0

    async def listed(self) -> list[TrustedId]:
        """Every document that is trusted."""
        columns = (TrustedDocument.client, TrustedDocument.id, TrustedDocument.sha256)
        manifests = select(ApiClient.manifest).where(ApiClient.manifest.is_not(None))
        async with self.database.reading(primary=True) as session:
            owned = set(await session.scalars(manifests))
            found = await session.execute(select(*columns).where(TrustedDocument.retired_at.is_(None)))
            return [TrustedId(name if name in owned else None, key, digest) for name, key, digest in found]

    async def text(self, sha256: str) -> str | None:
        """The text of a document that was ever loaded."""
        query = select(TrustedDocument.body).where(TrustedDocument.sha256 == sha256).limit(1)
        async with self.database.reading(primary=True) as session:
            return await session.scalar(query)


async def load(session: Session, client: str, documents: Mapping[str, str]) -> int:
    """Trust a client's documents, texts by their ids; how many were not trusted before.

    What the client has besides stays trusted. Raises Invalid for the client's name, and Conflict where an id stands for
    another text already: one of the client's own, where the manifest is its own, or anybody's that is everybody's.
    """
    check_name(client, "client")
    await count_up(session)
    added: list[str] = []
    ids = sorted(documents)
    for start in range(0, len(ids), AT_ONCE):
        added += await load_some(session, client, {key: documents[key] for key in ids[start : start + AT_ONCE]})
    if added:
        await outbox.record(session, "documents.loaded", stream_of(client), {"client": client, "ids": added})
    return len(added)


async def load_some(session: Session, client: str, documents: Mapping[str, str]) -> list[str]:
    """The same with what one statement carries; the ids that were not trusted before."""
    rows = [
        {"client": client, "id": key, "sha256": sha256(text.encode()).hexdigest(), "body": text}
        for key, text in documents.items()
    ]
    known = select(TrustedDocument.id, TrustedDocument.body).where(TrustedDocument.id.in_(documents))
    for key, body in await session.execute(known.where(await rivals_of(session, client))):
        if documents[key] != body:
            raise Conflict(f"{key} stands for another document already.")
    written = insert(TrustedDocument).values(rows)
    statement = written.on_conflict_do_update(
        index_elements=[TrustedDocument.client, TrustedDocument.id],
        set_={"retired_at": None, "loaded_at": jetway_now()},
        where=TrustedDocument.retired_at.is_not(None),
    ).returning(TrustedDocument.id)
    return list(await session.scalars(statement))


async def rivals_of(session: Session, client: str) -> ColumnElement[bool]:
    """The condition of documents whose ids a manifest must not give to other texts."""
    own = TrustedDocument.client == client
    if await session.scalar(select(exists().where(ApiClient.manifest == client))):
        return own
    return own | ~exists().where(ApiClient.manifest == TrustedDocument.client)


async def retire(session: Session, client: str, ids: Sequence[str] | None = None) -> int:
    """Trust a client's documents no longer: those of these ids, or all. How many; raises NotFound for none."""
    await count_up(session)
    statement = (
        update(TrustedDocument)
        .where(TrustedDocument.client == client, TrustedDocument.retired_at.is_(None))
        .values(retired_at=jetway_now())
        .returning(TrustedDocument.id)
    )
    if ids is not None:
        statement = statement.where(TrustedDocument.id.in_(ids))
    retired = sorted(await session.scalars(statement))
    if not retired:
        raise NotFound("The client has no such trusted documents.")
    await outbox.record(session, "documents.retired", stream_of(client), {"client": client, "ids": retired})
    return len(retired)


async def listing(
    session: ReadSession, client: str | None = None, *, after: tuple[str, str] = ("", ""), first: int = 100
) -> list[TrustedDocument]:
    """Documents that are or were trusted, by client and id: those of one client, or all; `first` after a place."""
    key = (TrustedDocument.client, TrustedDocument.id)
    later = or_(key[0] > after[0], (key[0] == after[0]) & (key[1] > after[1]))
    query = select(TrustedDocument).where(later).order_by(*key).limit(first)
    if client is not None:
        query = query.where(TrustedDocument.client == client)
    return list(await session.scalars(query))


async def count_up(session: Session) -> None:
    """Say that something changes. The row's lock is held until the commit, so that changes are seen in order."""
    await session.execute(update(TrustHead).values(version=TrustHead.version + 1))


def check_name(name: str, field: str) -> None:
    """Raises Invalid for what cannot name a client or a manifest."""
    if not (1 <= len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()):
        raise Invalid(f"A name has 1 to {LONGEST_NAME} letters, and no space around it.", field=field)


def stream_of(client: str) -> str:
    """The stream of everything that happens to a client's documents."""
    return f"documents:{client}"
