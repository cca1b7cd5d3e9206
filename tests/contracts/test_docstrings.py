"""Every public name says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.sources import ROOT, product_files

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
PRESCRIBED = {"resolve_async"}
"""Methods that a library prescribes and describes."""


def public(node: Documented, path: str) -> Iterator[tuple[str, Documented]]:
    """A module or class and its public members, by dotted path; what is inside a function is its own business."""
    yield path, node
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not hidden(child):
                yield from public(child, f"{path}.{child.name}")


def hidden(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a name is private, or one that a library prescribes, or an overload of another."""
    overload = any(isinstance(one, ast.Name) and one.id == "overload" for one in node.decorator_list)
    return overload or node.name.startswith("_") or node.name in PRESCRIBED


@pytest.mark.parametrize("file", product_files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_public_name_has_a_docstring(file: Path) -> None:
    source = file.read_text()
    if not source.strip():
        return
    found = list(public(ast.parse(source), file.stem))
    assert [name for name, node in found if not ast.get_docstring(node)] == []
