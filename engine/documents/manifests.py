"""Manifests of trusted documents, in the formats that clients' tools write.

- Apollo's (`@apollo/generate-persisted-query-manifest`, Apollo Kotlin and iOS): `{"format":
  "apollo-persisted-query-manifest", "version": 1, "operations": [{"id", "name", "type", "body"}]}`.
- Relay's compiler (`persistConfig.file`): `{"<md5>": "<document>"}`.
- graphql-codegen's client preset (`persistedDocuments`, persisted-documents.json): `{"<hash>": "<document>"}`.

Ids are those of the appendix "Persisted Documents" of GraphQL over HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from engine.documents.known import Unfit
from engine.documents.reading import Reading
from engine.limits.settings import exceeded
from engine.limits.tokens import check_text

APOLLO = "apollo-persisted-query-manifest"
SHA256 = "sha256:"
DOCUMENT_ID = re.compile(r"(?=.{1,200}\Z)(sha256:[0-9a-f]{64}|(x-[\w.~-]+:)?[\w.~-]+)", re.ASCII)


class ManifestRefused(Exception):
    """A manifest that is refused whole, with every reason."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = list(reasons)


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """One document of a manifest."""

    id: str
    text: str

    @property
    def sha256(self) -> str:
        """The SHA-256 of the text in UTF-8, in hex."""
        return sha256(self.text.encode(errors="surrogatepass")).hexdigest()


def read_manifest(data: object, reading: Reading) -> list[TrustedDocument]:
    """The documents of a decoded manifest, each valid for the schema and within the limits. Raises ManifestRefused."""
    documents = [TrustedDocument(*pair) for pair in checked(pairs(data))]
    reasons = [reason for document in documents for reason in problems(document, reading)]
    if reasons:
        raise ManifestRefused(reasons)
    return documents


def pairs(data: object) -> Iterable[tuple[Any, Any]]:
    """Ids and texts, of whatever types they are. Raises ManifestRefused for what is none of the formats."""
    if not isinstance(data, dict):
        raise ManifestRefused(["A manifest is a JSON object."])
    if "format" not in data:
        return data.items()
    if data["format"] != APOLLO or data.get("version") != 1:
        raise ManifestRefused([f"Of manifests with a format, {APOLLO} of version 1 is known."])
    operations = data.get("operations")
    if isinstance(operations, dict):
        operations = [{"id": key, **one} for key, one in operations.items() if isinstance(one, dict)]
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise ManifestRefused(["`operations` is not a list of objects."])
    return [(one.get("id"), one.get("body")) for one in operations]


def checked(found: Iterable[tuple[Any, Any]]) -> list[tuple[str, str]]:
    """The same, once ids are ids and texts are texts, and no id stands for two texts. Raises ManifestRefused."""
    texts: dict[str, str] = {}
    reasons: list[str] = []
    for key, text in found:
        if not isinstance(key, str) or not DOCUMENT_ID.fullmatch(key):
            reasons.append(f"{key!r} is no document id.")
        elif not isinstance(text, str) or not text.strip() or "\0" in text:
            reasons.append(f"{key}: its document is missing.")
        elif texts.setdefault(key, text) != text:
            reasons.append(f"{key}: stands for two documents.")
    if reasons or not texts:
        raise ManifestRefused(reasons or ["The manifest has no documents."])
    return list(texts.items())


def problems(document: TrustedDocument, reading: Reading) -> Iterable[str]:
    """What is wrong with one document."""
    if document.id.startswith(SHA256) and document.id != SHA256 + document.sha256:
        yield f"{document.id}: is not the SHA-256 of its document."
    too_large = check_text(document.text, reading.limits)
    found = Unfit([too_large]) if too_large is not None else reading.fresh(document.text)
    if isinstance(found, Unfit):
        yield from (f"{document.id}: {error.message}" for error in found.errors)
        return
    if not found.operations:
        yield f"{document.id}: has no operation."
    for operation in found.operations.values():
        formula = found.formula(operation)
        too_costly = None if formula.part.varies else exceeded(reading.limits, "cost", formula.measure({}).cost)
        if too_costly is not None:
            yield f"{document.id}: {too_costly.message}"
