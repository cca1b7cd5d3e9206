"""What docs/live.md shows clients to send is valid, and it shows every stream that there is."""

from __future__ import annotations

import json
import re

from graphql import FieldNode, OperationDefinitionNode, build_schema, parse, validate

from schema.build import schema
from tests.contracts.sources import ROOT

PAGE = (ROOT / "docs" / "live.md").read_text()
BODY = re.compile(r"'(\{\"query\":.*?\})'\n", re.DOTALL)
SCHEMA = build_schema(schema.as_str())


def documents() -> list[str]:
    """Every document that the page has somebody send."""
    return [json.loads(body)["query"] for body in BODY.findall(PAGE)]


def test_every_document_is_valid() -> None:
    assert len(documents()) == PAGE.count('"query":')
    assert [(one, errors) for one in documents() if (errors := validate(SCHEMA, parse(one)))] == []


def test_every_stream_is_shown() -> None:
    shown = {
        field.name.value
        for one in documents()
        for operation in parse(one).definitions
        if isinstance(operation, OperationDefinitionNode)
        for field in operation.selection_set.selections
        if isinstance(field, FieldNode)
    }
    assert SCHEMA.subscription_type is not None
    assert set(SCHEMA.subscription_type.fields) - shown == set()
