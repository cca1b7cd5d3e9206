"""Every audit of npm's `graphql-http`, against a real server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

AUDITS = 61


def test_every_audit_passes(peer: Callable[[str, str], Any], url: str) -> None:
    results = peer("audit.mjs", url)
    assert [audit for audit in results if audit["status"] != "ok"] == []
    assert len(results) == AUDITS
