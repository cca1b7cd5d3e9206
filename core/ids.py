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


class Keys:
    """Draws UUIDv7s, each greater than the one before: histories are read in the order of their keys.

    48 bits are Unix milliseconds, 12 the fraction of the millisecond (RFC 9562, 6.2, method 3), 62 random. So keys of
    several processes of one machine grow with time too. A clock that stands still or goes back is counted on from. For
    one thread.
    """

    def __init__(self) -> None:
        self._last = 0

    def draw(self) -> UUID:
        """A new key."""
        milliseconds, rest = divmod(time.time_ns(), 1_000_000)
        self._last = stamp = max(milliseconds << 12 | (rest << 12) // 1_000_000, self._last + 1)
        value = (stamp >> 12 & (1 << 48) - 1) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0x2 << 62
        return UUID(int=value | secrets.randbits(62))


uuid7 = Keys().draw
"""A new UUIDv7, greater than every one that this process drew before."""


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
