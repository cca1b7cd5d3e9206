"""API clients: registered with a key of their own, with a policy for the documents that they may send, and retired.

A key is 32 random bytes, told once; its SHA-256 is kept. Guessing one is hopeless, so that no slow hash is needed. To
renew a key, register a second client with the same manifest, and retire the first when nobody uses it any more.

A manifest that clients call theirs is theirs alone: whoever is none of them does not find its documents. All other
manifests are everybody's. A manifest is given at registration and never changes, so that what was one partner's own is
never shown to others.

Every change counts up the row that counts changes of trusted documents (`documents.count_up`): a process that sees
another number reads the clients again.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from core import keys
from core.db import ReadSession, Session
from core.errors import Conflict, NotFound
from models import ApiClient, DocumentPolicy
from services import documents, outbox

KEY_PREFIX = "jetway_"
"""So that whoever scans for secrets that were published by mistake recognises one."""

KEY_BYTES = 32
LONGEST_KEY = 100
"""No key of ours is longer, so nothing longer is looked at."""


@dataclass(frozen=True, kw_only=True)
class RegisterClient:
    """Have a program known by a key. Without a manifest it finds the trusted documents that are everybody's."""

    name: str
    documents: DocumentPolicy
    manifest: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeClient:
    """Give a client another policy."""

    name: str
    documents: DocumentPolicy


@dataclass(frozen=True, kw_only=True)
class RetireClient:
    """Accept a client's key no longer."""

    name: str


@dataclass(frozen=True, kw_only=True)
class RegisteredClient:
    """A new client with its key, which cannot be told again."""

    client: ApiClient
    key: str = field(repr=False)


class KnownClient(NamedTuple):
    """A client as the processes that serve it know it."""

    name: str
    documents: DocumentPolicy
    manifest: str | None
    is_retired: bool


async def known(session: ReadSession) -> dict[bytes, KnownClient]:
    """Every client that is or was registered, by the digest of its key."""
    columns = (ApiClient.digest, ApiClient.name, ApiClient.documents, ApiClient.manifest, ApiClient.retired_at)
    return {
        digest: KnownClient(name, policy, manifest, retired_at is not None)
        for digest, name, policy, manifest, retired_at in await session.execute(select(*columns))
    }


async def register(session: Session, command: RegisterClient, by: str) -> RegisteredClient:
    """Register a client; `by` says who did. Raises Invalid for its names, and Conflict for a name that is taken."""
    documents.check_name(command.name, "name")
    if command.manifest is not None:
        documents.check_name(command.manifest, "manifest")
    await documents.count_up(session)
    key = KEY_PREFIX + keys.encode(secrets.token_bytes(KEY_BYTES))
    added = await session.scalar(
        insert(ApiClient)
        .values(
            name=command.name,
            digest=digest_of(key),
            documents=command.documents,
            manifest=command.manifest,
            created_by=by,
        )
        .on_conflict_do_nothing(index_elements=[ApiClient.name])
        .returning(ApiClient)
    )
    if added is None:
        raise Conflict(f"There is or was a client named {command.name}; names are used once.")
    await tell(session, "client.registered", added, by)
    return RegisteredClient(client=added, key=key)


async def change(session: Session, command: ChangeClient, by: str) -> ApiClient:
    """Give a client another policy. Raises NotFound, and Conflict for one that was retired."""
    client = await locked(session, command.name)
    if client.retired_at is not None:
        raise Conflict(f"{client.name} was retired.")
    if client.documents is not command.documents:
        client.documents = command.documents
        await session.flush()
        await tell(session, "client.changed", client, by)
    return client


async def retire(session: Session, command: RetireClient, by: str) -> ApiClient:
    """Accept a client's key no longer, for ever; one that was retired stays as it is. Raises NotFound."""
    client = await locked(session, command.name)
    if client.retired_at is None:
        client.retired_at = await session.scalar(select(func.jetway_now()))
        await session.flush()
        await tell(session, "client.retired", client, by)
    return client


async def listing(session: ReadSession) -> Sequence[ApiClient]:
    """Every client that is or was registered, by name."""
    return (await session.scalars(select(ApiClient).order_by(ApiClient.name))).all()


async def locked(session: Session, name: str) -> ApiClient:
    """The client of that name, locked, and the change counted. Raises NotFound."""
    await documents.count_up(session)
    found = await session.get(ApiClient, name, with_for_update=True)
    if found is None:
        raise NotFound("There is no client of that name.")
    return found


async def tell(session: Session, kind: str, client: ApiClient, by: str) -> None:
    """Write down what happened to a client, and who did it."""
    told = {"client": client.name, "documents": client.documents, "manifest": client.manifest, "actor": by}
    await outbox.record(session, kind, f"client:{client.name}", told)


def digest_of(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()
