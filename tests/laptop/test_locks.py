"""The lock files: what Jetway runs on is what it is tested on, and nothing in them is installed unseen."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def pins(name: str) -> dict[str, str]:
    """Each requirement of a lock file, and its hashes."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    found = (re.match(r"(\S+==\S+(?: ; [^-]*)?)\s+(--hash=.+)", line) for line in text.splitlines())
    return {match[1].strip(): match[2] for match in found if match}


def test_what_runs_is_what_is_tested() -> None:
    run, everything = pins("requirements-run.lock"), pins("requirements.lock")
    assert run.items() <= everything.items()
    assert not any(name.startswith(("pytest", "ruff", "mypy", "playwright")) for name in run)


def test_every_requirement_is_pinned_with_hashes_and_without_an_address() -> None:
    for name in ("requirements-run.lock", "requirements.lock", "requirements-data.lock"):
        text = (ROOT / name).read_text()
        lines = text.replace("\\\n", " ").splitlines()
        assert len(pins(name)) == len(lines)
        assert "://" not in text
