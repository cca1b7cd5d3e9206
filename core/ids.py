"""Keys: UUIDv7 for rows that clients cause, and record locators for people.

Source: RFC 9562 (UUIDv7). The record locator's alphabet leaves out what people confuse: 0 and O, 1, I and L.
"""

from __future__ import annotations

import secrets
import time
from uuid import UUID

LOCATOR_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LOCATOR_LENGTH = 6


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
    return len(text) == LOCATOR_LENGTH and all(
        character in LOCATOR_ALPHABET for character in text
    )
