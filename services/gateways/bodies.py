"""The bodies of webhooks as text that can be kept: PostgreSQL's jsonb takes less than JSON allows."""

from __future__ import annotations

import re

ESCAPE = re.compile(
    r"\\(?:u(?:[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<unfit>0000|[dD][89a-fA-F][0-9a-fA-F]{2}))"
    r"|.)"
)
"""What is escaped in JSON, one letter at a time: a backslash that is escaped itself begins no other escape."""

REPLACEMENT = r"\ufffd"


def storable(body: bytes) -> str:
    """`body`, the JSON of a webhook whose signature is checked over the bytes as they came, with U+FFFD for every NUL
    and every half of a surrogate pair: jsonb refuses both. All else is as it was.

    Only escapes are looked at, for JSON has neither of them as they are. Raises ValueError for what is not UTF-8.
    """
    text = body.decode()
    return ESCAPE.sub(fit, text) if r"\u" in text else text


def fit(escape: re.Match[str]) -> str:
    """An escape as it may be kept."""
    return REPLACEMENT if escape["unfit"] is not None else escape[0]
