"""The only `now()` in Python.

Always called as `clock.now()`, through the module, so that a test freezes all of Jetway in one place. Deadlines are
decided by the database's `jetway_now()`; the two never meet in one rule.
"""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
