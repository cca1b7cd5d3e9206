"""Travel documents at rest: sealed with AES-256-GCM, each for one passenger alone, by keys that rotate.

Nothing of a document stands in the database in a form that can be read without a secret of Jetway's, and nothing of it
is ever in a fact or a log. After a rotation `reseal` brings what an older secret sealed under the newest, so that the
older one can be dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

import orjson
from sqlalchemy import delete, select

from core.db import Session
from core.keys import Keyring
from core.log import logger
from core.rows import Reader, Writer
from models import DocumentType, TravelDocument
from services.travellers.details import Document

PURPOSE = "travel-document"
SEALED = "SELECT passenger_id, key_id, sealed FROM travel_documents WHERE passenger_id = ANY ($1::uuid[])"
KEEP = """
    INSERT INTO travel_documents (passenger_id, key_id, sealed, written_at)
    SELECT passenger_id, key_id, sealed, jetway_now()
    FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS one (passenger_id, key_id, sealed)
    ON CONFLICT (passenger_id) DO UPDATE
    SET key_id = excluded.key_id, sealed = excluded.sealed, written_at = excluded.written_at
"""

log = logger("travellers")


async def keep(writer: Writer, keyring: Keyring, documents: dict[UUID, Document]) -> None:
    """Keep documents by passenger, in place of those that were there."""
    if not documents:
        return
    keys, texts = zip(*(seal(keyring, id_, one) for id_, one in documents.items()), strict=True)
    await writer.fetch(KEEP, list(documents), keys, texts)


async def withdraw(session: Session, passenger_id: UUID) -> None:
    """Keep nothing of a passenger's document any more."""
    await session.execute(delete(TravelDocument).where(TravelDocument.passenger_id == passenger_id))


async def by_passenger_ids(reader: Reader, keyring: Keyring, ids: Iterable[UUID]) -> dict[UUID, Document]:
    """The documents of passengers. One whose secret was dropped cannot be read any more: it is left out, and logged."""
    found = {}
    for passenger_id, kid, sealed in await reader.fetch(SEALED, list(ids)):
        document = unseal(keyring, passenger_id, kid, sealed)
        if document is not None:
            found[passenger_id] = document
    return found


async def reseal(session: Session, keyring: Keyring, limit: int) -> int:
    """Seal up to `limit` documents with the newest secret that an older one has sealed; how many were.

    What no secret opens stays as it is, and is not counted. Rows that somebody is at work on are passed over.
    """
    older = TravelDocument.key_id != keyring.newest, TravelDocument.key_id.in_(keyring.known)
    chosen = select(TravelDocument).where(*older).order_by(TravelDocument.passenger_id).limit(limit)
    renewed = 0
    for row in (await session.scalars(chosen.with_for_update(skip_locked=True))).all():
        document = unseal(keyring, row.passenger_id, row.key_id, row.sealed)
        if document is not None:
            row.key_id, row.sealed = seal(keyring, row.passenger_id, document)
            renewed += 1
    await session.flush()
    return renewed


def seal(keyring: Keyring, passenger_id: UUID, document: Document) -> tuple[str, bytes]:
    """A passenger's document as it is kept: the key id and what it sealed."""
    said = [document.type, document.number, document.issuing_country, document.expires_on.isoformat()]
    return keyring.seal(PURPOSE, orjson.dumps(said), passenger_id.bytes)


def unseal(keyring: Keyring, passenger_id: UUID, kid: str, sealed: bytes) -> Document | None:
    """The document of a passenger; None, and a warning, where no secret opens it."""
    data = keyring.unseal(PURPOSE, kid, sealed, passenger_id.bytes)
    if data is None:
        log.warning("document.unreadable", passenger=str(passenger_id), key_id=kid)
        return None
    type_, number, country, expires_on = orjson.loads(data)
    return Document(
        type=DocumentType(type_), number=number, issuing_country=country, expires_on=date.fromisoformat(expires_on)
    )
