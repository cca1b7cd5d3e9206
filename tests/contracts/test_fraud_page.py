"""What docs/fraud.md has staff send is valid, and its table of first rules has every rule that there is."""

from __future__ import annotations

import re

from graphql import build_schema, parse, validate

from schema.build import schema
from tests.contracts.sources import ROOT

PAGE = (ROOT / "docs" / "fraud.md").read_text()
RULES = (ROOT / "alembic" / "versions" / "0016_fraud.py").read_text()
SCHEMA = build_schema(schema.as_str())


def test_every_document_is_valid() -> None:
    documents = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)
    assert len(documents) == 4
    assert [(one, errors) for one in documents if (errors := validate(SCHEMA, parse(one)))] == []


def test_every_first_rule_is_on_it() -> None:
    names = re.findall(r'^    \("([a-z_]+)", "[A-Z_]+"', RULES, re.MULTILINE)
    assert len(names) > 20
    shown = set(re.findall(r"`([a-z_]+)`", PAGE)) | {f"{stem}_{end}" for stem in AMOUNTS for end in ("eur", "gbp")}
    assert set(names) <= shown


AMOUNTS = ("payment_amount", "card_amount")
"""Their rules for euros and pounds stand on the page by their endings."""
