"""Trusted documents, as administrators look after them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import strawberry

from core.errors import Invalid
from models import TrustedDocument
from resolvers import access
from resolvers.context import Info
from services import documents

MOST = 500
Check = Callable[[Info, str], Awaitable[Mapping[str, str]]]
"""Reads a manifest and checks its documents: texts by their ids. Raises Invalid."""


@dataclass(frozen=True, kw_only=True)
class LoadDocumentsInput:
    """Trust the documents of a manifest."""

    client: str
    manifest: str


@dataclass(frozen=True, kw_only=True)
class RetireDocumentsInput:
    """Trust documents no longer."""

    client: str
    ids: list[str] | None = None


@dataclass(frozen=True)
class TrustedDocuments:
    """What was changed of a client's documents."""

    client: str
    count: int


def load_documents(check: Check) -> Callable[..., Awaitable[TrustedDocuments]]:
    """The resolver that trusts a manifest, with what `check` makes of it."""

    async def load(info: Info, input: LoadDocumentsInput) -> TrustedDocuments:
        """Load a manifest. Raises Unauthenticated, Forbidden, Invalid, Conflict."""
        ctx = info.context
        access.administrators(ctx)
        trusted = await check(info, input.manifest)
        async with ctx.transaction() as session:
            return TrustedDocuments(input.client, await documents.load(session, input.client, trusted))

    return load


async def retire_documents(info: Info, input: RetireDocumentsInput) -> TrustedDocuments:
    """Retire documents. Raises Unauthenticated, Forbidden, NotFound."""
    ctx = info.context
    access.administrators(ctx)
    async with ctx.transaction() as session:
        return TrustedDocuments(input.client, await documents.retire(session, input.client, input.ids))


async def trusted_documents(
    info: Info,
    client: str | None = None,
    after: strawberry.ID | None = None,
    after_client: str | None = None,
    first: int = 100,
) -> list[TrustedDocument]:
    """Documents by client and id. Raises Unauthenticated, Forbidden, Invalid."""
    access.administrators(info.context)
    if not 1 <= first <= MOST:
        raise Invalid(f"`first` lies between 1 and {MOST}.", field="first")
    place = (after_client or client or "", str(after or ""))
    async with info.context.reading() as session:
        return await documents.listing(session, client, after=place, first=first)
