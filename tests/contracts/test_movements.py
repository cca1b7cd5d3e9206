"""Claims, what becomes of holds, and what pools count change in one place, where the order of locks is told."""

from __future__ import annotations

import ast
import re

from tests.contracts.sources import ROOT, product_files

HOME = "services/holds/moves.py"
MOVING = re.compile(r"\b(insert|upsert|update)\((Claim|Hold|Pool)\)")
IN_SQL = re.compile(r"\b(UPDATE|INSERT INTO|DELETE FROM) (claims|holds|pools)\b")
COUNTS = {"held", "sold", "blocked", "class_held", "class_sold"}
"""The columns that say how many a pool counts."""

OWNING = {"status", "hold_id", "version"}
"""Those that say whose a unit is, or what has become of a hold."""


def movers() -> set[str]:
    """The files whose statements set one of those columns, or that move a hold along its states."""
    found = set()
    for file in product_files():
        source, name = file.read_text(), str(file.relative_to(ROOT))
        if IN_SQL.search(source):
            found.add(name)
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Attribute(attr="values"), keywords=keywords) if MOVING.search(ast.unparse(node)):
                    if {one.arg for one in keywords} & (COUNTS | OWNING):
                        found.add(name)
                case ast.Call(func=ast.Attribute(value=ast.Name(id="transitions"), attr="advance" | "write")):
                    if re.search(r"\bHOLD\b", ast.unparse(node)):
                        found.add(name)
                case ast.Attribute(attr=attribute, ctx=ast.Store()) if attribute in COUNTS:
                    found.add(name)
    return found


def test_only_moves_writes_claims_and_counts() -> None:
    """The loader writes pools that nobody has held anything of."""
    assert movers() == {HOME, "demo/store.py"}


def test_of_the_functions_of_the_database_only_the_newest_that_places_holds_does() -> None:
    functions = sorted((ROOT / "alembic" / "functions").glob("*.sql"))
    writing = [file.name for file in functions if IN_SQL.search(file.read_text())]
    assert writing[-1].startswith("take_holds_")
    assert {name.rpartition("_")[0] for name in writing} == {"take_hold", "take_holds"}
