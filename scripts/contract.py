"""The contract: `schema.graphql` is what the code says, and the documents that clients send fit it.

python -m scripts.contract            compares and validates; says what differs
python -m scripts.contract --write    writes schema.graphql from the code
"""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path

from graphql import build_schema, parse, validate
from graphql.utilities import find_breaking_changes

ROOT = Path(__file__).resolve().parent.parent
SDL = ROOT / "schema.graphql"
DOCUMENTS = ROOT / "docs" / "contract"


def printed() -> str:
    """The SDL that the code declares."""
    return subprocess.run(
        [sys.executable, "-m", "schema"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def differences(committed: str, declared: str) -> list[str]:
    """What the committed SDL and the code disagree about, with what that would break for clients."""
    if committed == declared:
        return []
    lines = difflib.unified_diff(
        committed.splitlines(), declared.splitlines(), "schema.graphql", "the code", lineterm=""
    )
    breaking = find_breaking_changes(build_schema(committed), build_schema(declared))
    return [*lines, *(f"BREAKING: {change.description}" for change in breaking)]


def misfits(sdl: str) -> list[str]:
    """Each error of each document under docs/contract."""
    schema = build_schema(sdl)
    documents = sorted(DOCUMENTS.glob("*.graphql"))
    if not documents:
        return [f"There are no documents in {DOCUMENTS}"]
    return [f"{file.name}: {error}" for file in documents for error in validate(schema, parse(file.read_text()))]


def main(arguments: list[str]) -> int:
    """Compare, or write; the exit code."""
    declared = printed()
    if "--write" in arguments:
        SDL.write_text(declared)
        return 0
    committed = SDL.read_text() if SDL.exists() else ""
    found = misfits(declared)
    if committed != declared:
        found += differences(committed, declared) if committed else ["schema.graphql is missing"]
        found.append("Where that is meant: make schema, and say it in CHANGELOG.md.")
    print("\n".join(found) or "Contract: schema.graphql is what the code says, and every document fits it.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
