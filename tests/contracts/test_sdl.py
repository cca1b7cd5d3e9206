"""The printed contract: committed as the code says, every part of it described, every client's document valid."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import build_schema, is_specified_scalar_type, parse, validate

from schema.build import schema
from tests.contracts.sources import ROOT

SDL = ROOT / "schema.graphql"
DOCUMENTS = sorted((ROOT / "docs/contract").glob("*.graphql"))
SCHEMA = build_schema(schema.as_str())


def parts() -> Iterator[tuple[str, Any]]:
    """Every type, member, field and argument of ours, by a path that a person can find."""
    for name, kind in SCHEMA.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(kind):
            continue
        yield name, kind
        for member, value in getattr(kind, "values", {}).items():
            yield f"{name}.{member}", value
        for field, declared in getattr(kind, "fields", {}).items():
            yield f"{name}.{field}", declared
            for argument, said in getattr(declared, "args", {}).items():
                yield f"{name}.{field}({argument})", said


def test_what_is_committed_is_what_the_code_says() -> None:
    printed = subprocess.run([sys.executable, "-m", "schema"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert SDL.read_text() == printed.stdout, "make schema, and say it in CHANGELOG.md"


def test_every_part_is_described() -> None:
    assert len(list(parts())) > 400
    assert [path for path, part in parts() if not (part.description or "").strip()] == []


def test_a_description_ends_as_a_sentence_does() -> None:
    assert [
        path for path, part in parts() if "  " in part.description or part.description != part.description.strip()
    ] == []


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_what_clients_send_is_valid(file: Any) -> None:
    assert validate(SCHEMA, parse(file.read_text())) == []


def test_there_are_documents_that_clients_send() -> None:
    assert "core.graphql" in [file.name for file in DOCUMENTS]


def test_root_fields_that_ask_may_be_null() -> None:
    """One field that fails leaves the others standing."""
    for root in (SCHEMA.query_type, SCHEMA.mutation_type):
        assert root is not None
        assert [name for name, field in root.fields.items() if str(field.type).endswith("!")] == []
