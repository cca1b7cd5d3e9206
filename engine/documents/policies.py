"""Which documents a client may send."""

from __future__ import annotations

from enum import Enum


class Policy(Enum):
    """What a client may ask. Each is stricter than the one before it."""

    ANYTHING = "ANYTHING"
    """Any document, in full or by its hash."""

    PERSISTED = "PERSISTED"
    """Documents that were stored before, by their hash or id; none in full."""

    TRUSTED = "TRUSTED"
    """Documents of a trusted manifest alone, by their id."""
