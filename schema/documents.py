"""Trusted documents, as administrators see and change them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import strawberry

from core.errors import Invalid
from engine.documents import ManifestRefused, Reading, read_manifest
from engine.limits import Limits
from models import TrustedDocument as TrustedRow
from resolvers import documents as resolve
from resolvers.context import Info
from schema.nodes import rows_of
from schema.problems import mutation, outcome

REASONS = 10
"""How many reasons a refusal tells."""

strawberry.input(
    resolve.LoadDocumentsInput,
    description="A manifest as Apollo's, Relay's or graphql-codegen's tools write it, as text, and whose it is.",
)
strawberry.input(
    resolve.RetireDocumentsInput, description="Documents to be trusted no longer; without ids, all of the client's."
)


@strawberry.type(description="A document that a client may name instead of sending it.")
class TrustedDocument:
    """`models.TrustedDocument`."""

    is_type_of = rows_of(TrustedRow)

    id: strawberry.ID = strawberry.field(description="What is sent as documentId.")
    client: str = strawberry.field(description="Whose manifest it came in.")
    sha256: str = strawberry.field(description="The SHA-256 of its text, in hex.")
    body: str = strawberry.field(description="Its text.")
    loaded_at: datetime = strawberry.field(description="When it was loaded last.")
    retired_at: datetime | None = strawberry.field(description="Since when it is trusted no longer.")


@strawberry.type(description="What was changed of a client's trusted documents.")
class TrustedDocuments:
    """`resolvers.documents.TrustedDocuments`."""

    is_type_of = rows_of(resolve.TrustedDocuments)

    client: str = strawberry.field(description="Whose they are.")
    count: int = strawberry.field(description="How many documents were changed.")


async def check(info: Info, manifest: str) -> Mapping[str, str]:
    """The documents of a manifest, valid for this schema. Raises Invalid, with the first reasons."""
    return await asyncio.to_thread(read, info.schema, manifest)


def read(schema: Any, manifest: str) -> Mapping[str, str]:
    """The same, in a thread of its own: a large manifest takes seconds."""
    try:
        documents = read_manifest(orjson.loads(manifest), Reading(schema, Limits()))
    except orjson.JSONDecodeError as error:
        raise Invalid("The manifest is not JSON.", field="manifest") from error
    except ManifestRefused as refused:
        raise Invalid(" ".join(refused.reasons[:REASONS]), field="manifest") from refused
    return {one.id: one.text for one in documents}


@strawberry.type
class DocumentMutations:
    """What administrators do with trusted documents."""

    load_documents = mutation(
        resolve.load_documents(check),
        outcome("LoadDocumentsResult", TrustedDocuments),
        "For administrators: trust the documents of a manifest, all of them or none.",
    )
    retire_documents = mutation(
        resolve.retire_documents,
        outcome("RetireDocumentsResult", TrustedDocuments),
        "For administrators: trust documents no longer. Every process knows within a second.",
    )


@strawberry.type
class DocumentQueries:
    """What administrators see of trusted documents."""

    trusted_documents = strawberry.field(
        resolver=resolve.trusted_documents,
        graphql_type=list[TrustedDocument] | None,
        description="For administrators: documents that are or were trusted, by client and id.",
    )
