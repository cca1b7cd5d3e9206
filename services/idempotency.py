"""One key, one result: what lets a client repeat a write without doing it twice.

The row is written first, in the transaction of the work itself: a refusal leaves none, and whoever repeats a request
that is still under way waits for it and gets its result.
"""

from __future__ import annotations

import hashlib
import re
from uuid import UUID

import orjson

from core.errors import Conflict, Invalid
from core.rows import Reader, Writer

GUEST = "guest"
"""How everybody who has not signed in is named as an owner and as an actor."""


def owner_key(user_id: UUID | None) -> str:
    """How idempotency keys, history and facts name whoever asks."""
    return GUEST if user_id is None else f"user:{user_id}"


class KeyReused(Conflict):
    """The key was used before, for another request."""

    default_code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__("This idempotency key was used for another request. Use a new key.")


def fingerprint(value: object) -> bytes:
    """SHA-256 over a canonical form of the input, so that "the same request" has one meaning."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str)).digest()


def check_key(owner: str, key: str) -> str:
    """The key as it is kept. Raises Invalid unless it can serve: 1 to 100 printable characters, and for a guest a
    UUIDv4, which nobody can guess; in lower case, for it is the same in either."""
    if owner == GUEST and is_uuid4(key):
        return key.lower()
    if not 1 <= len(key) <= 100 or not key.isprintable():
        raise Invalid("An idempotency key has 1 to 100 printable characters.", field="idempotencyKey")
    if owner == GUEST:
        raise Invalid("A guest's idempotency key is a random UUID (version 4).", field="idempotencyKey")
    return key


UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def is_uuid4(text: str) -> bool:
    """Whether `text` is a UUIDv4 as RFC 9562 writes it."""
    return UUID4.fullmatch(text) is not None


CLAIM = """
    INSERT INTO idempotency_keys (owner, operation, key, fingerprint, result_id) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING RETURNING 1
"""
KNOWN = "SELECT fingerprint, result_id FROM idempotency_keys WHERE owner = $1 AND operation = $2 AND key = $3"


async def claim(writer: Writer, owner: str, operation: str, key: str, print_: bytes, result_id: UUID) -> UUID | None:
    """Take `key` for this request. None: it is new, do the work. A UUID: the row that came of it the first time.

    Raises KeyReused where the key stands for another input, and Invalid where it cannot serve.
    """
    key = check_key(owner, key)
    if await writer.fetch(CLAIM, owner, operation, key, print_, result_id):
        return None
    earlier = await known(writer, owner, operation, key, print_)
    if earlier is None:
        raise AssertionError("an idempotency key was forgotten while it was asked for")
    return earlier


async def known(reader: Reader, owner: str, operation: str, key: str, print_: bytes) -> UUID | None:
    """The row that came of this key before, if any; raises KeyReused where the key stands for another input."""
    for before, result_id in await reader.fetch(KNOWN, owner, operation, key):
        if before != print_:
            raise KeyReused
        return UUID(str(result_id))
    return None
