"""Claims and what pools count change in one place, where the order of locks is told."""

from __future__ import annotations

import ast
import re

from tests.contracts.sources import ROOT, product_files

HOME = "services/holds/moves.py"
MOVING = re.compile(r"\b(insert|upsert|update)\((Claim|Pool)\)")
COUNTS = {"held", "sold", "blocked", "class_held", "class_sold"}
"""The columns that say how many a pool counts."""

OWNING = {"status", "hold_id", "version"}
"""Those that say whose a unit is."""


def movers() -> set[str]:
    """The files whose statements set one of those columns."""
    found = set()
    for file in product_files():
        source, name = file.read_text(), str(file.relative_to(ROOT))
        if re.search(r"(UPDATE|INSERT INTO) (claims|pools)\b", source):
            found.add(name)
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Attribute(attr="values"), keywords=keywords) if MOVING.search(ast.unparse(node)):
                    if {one.arg for one in keywords} & (COUNTS | OWNING):
                        found.add(name)
                case ast.Attribute(attr=attribute, ctx=ast.Store()) if attribute in COUNTS:
                    found.add(name)
    return found


def test_only_moves_writes_claims_and_counts() -> None:
    """The loader writes pools that nobody has held anything of."""
    assert movers() == {HOME, "demo/store.py"}
