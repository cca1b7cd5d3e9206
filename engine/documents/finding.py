"""Which document is asked for: in full, by the hash of Apollo's automatic persisted queries, or by a trusted id.

https://www.apollographql.com/docs/apollo-server/performance/apq
https://github.com/graphql/graphql-over-http, appendix "Persisted Documents"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.documents.aside import Aside
from engine.documents.kept import Kept
from engine.documents.known import Known
from engine.documents.manifests import DOCUMENT_ID, SHA256
from engine.documents.policies import Policy
from engine.documents.reading import Reading
from engine.documents.stores import Store
from engine.documents.trusted import Trusted
from engine.errors import (
    BAD_REQUEST,
    DOCUMENT_NOT_FOUND,
    DOCUMENT_NOT_PERSISTED,
    DOCUMENT_NOT_TRUSTED,
    NOT_TO_BE_KEPT,
    PERSISTED_QUERY_HASH_MISMATCH,
    PERSISTED_QUERY_NOT_FOUND,
    PERSISTED_QUERY_NOT_SUPPORTED,
    Refusal,
    refusal,
)

if TYPE_CHECKING:
    from engine.operations import Asked

HASH = re.compile(r"[0-9a-f]{64}")
TEXTS, TEXTS_WEIGHT = 2_000, 32 * 2**20


class Found(NamedTuple):
    """A document, and whether it was named rather than sent."""

    known: Known
    is_persisted: bool


class Documents:
    """Finds the documents of requests. `store` keeps those of clients, `trusted` knows those that were loaded.

    Without a store hashes are not supported; without `trusted` no id is known.
    """

    def __init__(self, reading: Reading, *, store: Store | None = None, trusted: Trusted | None = None) -> None:
        self.reading = reading
        self.aside = Aside(reading)
        self.store = store
        self.trusted = trusted
        self.texts: Kept[str, str] = Kept(TEXTS, TEXTS_WEIGHT)

    async def find(self, asked: Asked, client: str | None, policy: Policy) -> Found:
        """The document of a request. Raises Refusal, and what `trusted` raises when its source is away."""
        persisted_hash = apollo_hash(asked.extensions)
        if asked.query and asked.query.strip():
            if asked.document_id is not None:
                raise refusal("A request has a `query` or a `documentId`, not both.", BAD_REQUEST)
            return await self._sent(asked.query, persisted_hash, policy)
        if asked.document_id is not None:
            return Found(await self.aside.read(await self._by_id(asked.document_id, client, policy)), True)
        if persisted_hash is not None:
            return Found(await self.aside.read(await self._by_hash(persisted_hash, client, policy)), True)
        raise refusal("The request has no document: send `query`.", BAD_REQUEST)

    async def _sent(self, text: str, persisted_hash: str | None, policy: Policy) -> Found:
        """A document in full, which is stored where its hash comes with it; what is not valid is never stored."""
        if policy is not Policy.ANYTHING:
            raise not_in_full(policy)
        if persisted_hash is None:
            return Found(await self.aside.read(text), False)
        if len(text) <= self.reading.limits.bytes and hash_of(text) != persisted_hash:
            raise refusal("The hash is not that of the document.", PERSISTED_QUERY_HASH_MISMATCH)
        known = await self.aside.read(text)
        if self.store is not None:
            self.texts.put(persisted_hash, text, len(text))
            await self.store.put(persisted_hash, text)
        return Found(known, True)

    async def _by_id(self, document_id: str, client: str | None, policy: Policy) -> str:
        """The text that a `documentId` stands for."""
        if not DOCUMENT_ID.fullmatch(document_id):
            raise refusal("`documentId` is no document id.", BAD_REQUEST)
        text = None if self.trusted is None else await self.trusted.find(document_id, client)
        if text is None and document_id.startswith(SHA256):
            payload = document_id.removeprefix(SHA256)
            text = None if self.trusted is None else await self.trusted.find(payload, client)
            if text is None and policy is not Policy.TRUSTED:
                text = await self._stored(payload)
        if text is None:
            raise refusal("There is no document with this id.", DOCUMENT_NOT_FOUND, headers=NOT_TO_BE_KEPT)
        return text

    async def _by_hash(self, persisted_hash: str, client: str | None, policy: Policy) -> str:
        """The text that a hash stands for; of trusted documents too, whose ids Apollo Client sends as hashes."""
        if policy is not Policy.TRUSTED:
            text = await self._stored(persisted_hash)
            if text is not None:
                return text
        text = None if self.trusted is None else await self.trusted.find(persisted_hash, client)
        if text is not None:
            return text
        if policy is Policy.TRUSTED:
            raise not_in_full(policy)
        if self.store is None:
            raise refusal("PersistedQueryNotSupported", PERSISTED_QUERY_NOT_SUPPORTED, headers=NOT_TO_BE_KEPT)
        raise refusal("PersistedQueryNotFound", PERSISTED_QUERY_NOT_FOUND, headers=NOT_TO_BE_KEPT)

    async def _stored(self, persisted_hash: str) -> str | None:
        """The text in the store. One that has another hash was put there by somebody else, and is not taken."""
        text = self.texts.get(persisted_hash)
        if text is None and self.store is not None:
            text = await self.store.get(persisted_hash)
            if text is not None and hash_of(text) != persisted_hash:
                return None
            if text is not None:
                self.texts.put(persisted_hash, text, len(text))
        return text


def apollo_hash(extensions: Mapping[str, Any] | None) -> str | None:
    """The hash in `extensions.persistedQuery`; None without one. Raises Refusal for one that is malformed."""
    said = (extensions or {}).get("persistedQuery")
    if said is None:
        return None
    if not isinstance(said, dict) or said.get("version") != 1:
        raise refusal("`extensions.persistedQuery` of version 1 is supported.", PERSISTED_QUERY_NOT_SUPPORTED)
    found = said.get("sha256Hash")
    if not isinstance(found, str) or not (HASH.fullmatch(found) or DOCUMENT_ID.fullmatch(found)):
        raise refusal("`sha256Hash` is not a SHA-256 in hex.", BAD_REQUEST)
    return found


def hash_of(text: str) -> str:
    """The SHA-256 of a text in UTF-8, in hex."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def not_in_full(policy: Policy) -> Refusal:
    """The refusal of a document that was sent, or of a hash that is not trusted."""
    if policy is Policy.TRUSTED:
        return refusal("Only trusted documents are accepted: send `documentId`.", DOCUMENT_NOT_TRUSTED, 403)
    return refusal("Only documents that are known are accepted: send a hash or an id.", DOCUMENT_NOT_PERSISTED, 403)
