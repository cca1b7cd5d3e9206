"""Keys: UUIDv7 for rows that clients cause, and record locators for people.

Source: RFC 9562 (UUIDv7). The record locator's alphabet leaves out what people confuse: 0 and O, 1, I and L.
"""

from __future__ import annotations

import binascii
import secrets
import time
from uuid import UUID

from core.errors import Invalid
from core.keys import encode

LOCATOR_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LOCATOR_LENGTH = 6
STANDARD = bytes.maketrans(b"-_", b"+/")


def uuid7() -> UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits, so that keys grow with time."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def record_locator() -> str:
    """Six characters from a CSPRNG. Uniqueness is the database's: retry on collision."""
    return "".join(secrets.choice(LOCATOR_ALPHABET) for _ in range(LOCATOR_LENGTH))


def is_record_locator(text: str) -> bool:
    """Whether `text` is exactly something that `record_locator()` can return."""
    return len(text) == LOCATOR_LENGTH and all(character in LOCATOR_ALPHABET for character in text)


def global_id(kind: str, key: object) -> str:
    """The opaque id that clients see for the thing of that kind and key (Relay's Global Object Identification)."""
    return encode(f"{kind}:{key}".encode())


def split_global_id(text: str, field: str = "id") -> tuple[str, str]:
    """Kind and key of an id; raises Invalid (INVALID_ID) where `text` was never an id of ours."""
    try:
        # Lenient, and quick: what is not canonical is found by writing it again.
        data = binascii.a2b_base64(text.encode("ascii").translate(STANDARD) + b"=" * (-len(text) % 4))
        kind, separator, key = data.decode("ascii").partition(":")
    except ValueError:
        kind = separator = key = ""
    if not separator or not key.isprintable() or global_id(kind, key) != text:
        raise Invalid("This is not an id that Jetway has given out.", field=field, code="INVALID_ID")
    return kind, key


def number_of(kind: str, text: str, field: str = "id") -> int:
    """The numeric key of an id of that kind; raises Invalid (INVALID_ID) for every other id."""
    key = key_of(kind, text, field)
    if not key.isascii() or not key.isdigit() or len(key) > 18 or str(int(key)) != key:
        raise Invalid(f"This is not the id of a {kind}.", field=field, code="INVALID_ID")
    return int(key)


def uuid_of(kind: str, text: str, field: str = "id") -> UUID:
    """The UUID key of an id of that kind; raises Invalid (INVALID_ID) for every other id."""
    key = key_of(kind, text, field)
    try:
        value = UUID(key)
        canonical = str(value) == key
    except ValueError:
        canonical = False
    if not canonical:
        raise Invalid(f"This is not the id of a {kind}.", field=field, code="INVALID_ID")
    return value


def key_of(kind: str, text: str, field: str = "id") -> str:
    """The key of an id of that kind; raises Invalid (INVALID_ID) for an id of another kind."""
    found, key = split_global_id(text, field)
    if found != kind:
        raise Invalid(f"This is the id of a {found}, not of a {kind}.", field=field, code="INVALID_ID")
    return key
