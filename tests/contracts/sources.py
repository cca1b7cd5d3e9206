"""The product's source as data: its modules, and what a function may refuse."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

from core.errors import DomainError
from resolvers.context import Application

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "models", "services", "resolvers", "subscriptions", "schema", "engine", "sandbox", "demo")
REFUSING = ("core.", "services.", "resolvers.")


def product_files() -> list[Path]:
    """Every Python file of the product; migrations are history, and left out."""
    packaged = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    return sorted([*packaged, ROOT / "app.py", ROOT / "worker.py"])


def refusing_files() -> list[Path]:
    """Those of the layers that refuse."""
    return [file for file in product_files() if ".".join(file.relative_to(ROOT).parts).startswith(REFUSING)]


def domain_errors() -> set[type[DomainError]]:
    """Every kind of refusal that the core, the services and the resolvers know."""
    for file in refusing_files():
        path = file.relative_to(ROOT).with_suffix("")
        importlib.import_module(".".join(part for part in path.parts if part != "__init__"))
    found, waiting = set[type[DomainError]](), [DomainError]
    while waiting:
        kinds = waiting.pop().__subclasses__()
        found |= set(kinds)
        waiting += kinds
    return {kind for kind in found if kind.__module__.startswith(REFUSING)}


def refusal_codes() -> dict[str, str]:
    """Every code with which a refusal is raised, and the file that says so."""
    codes = {}
    for file in refusing_files():
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Raise(exc=ast.Call(keywords=keywords)):
                    said = [one.value for one in keywords if one.arg == "code"]
                case ast.Assign(targets=[ast.Name(id="default_code")], value=value):
                    said = [value]
                case _:
                    said = []
            for value in said:
                if isinstance(value, ast.Constant):
                    codes[str(value.value)] = str(file.relative_to(ROOT))
    return codes


def refusals_of(function: Callable[..., Any]) -> set[type[DomainError]]:
    """What `function` refuses, and what it calls by name, as far as names tell.

    Of methods, those are followed that an object calls on itself, those of what the application keeps, and whatever
    makes an object.
    """
    raised: set[type[DomainError]] = set()
    seen: set[object] = set()
    waiting: list[object] = [inspect.unwrap(function)]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        for named in names_in(one):
            if isinstance(named, type) and issubclass(named, DomainError):
                raised.add(named)
            elif isinstance(named, FunctionType) and named.__module__.startswith(REFUSING):
                waiting.append(inspect.unwrap(named))
    return raised


def names_in(function: Any) -> Iterator[object]:
    """What the names that a function calls, passes on or raises stand for; refusals only where they are raised."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    raised = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)}
    names = {**function.__globals__, "self": function.__globals__.get(function.__qualname__.partition(".")[0])}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            named = resolved(node, names)
            if isinstance(named, type) and id(node) not in raised:
                yield written_init(named)
            else:
                yield named


def written_init(made: type) -> object:
    """What making an object of that class calls; None where nobody wrote it."""
    init = vars(made).get("__init__")
    return init if isinstance(init, FunctionType) and init.__code__.co_filename != "<string>" else None


KEPT = get_type_hints(Application)
"""What the application keeps for its whole life, by name."""


def resolved(node: ast.expr, names: dict[str, Any]) -> object:
    """What a dotted name stands for at module level, in the application (`ctx.app.name`) or on `self`; else None."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Attribute) and node.value.attr == "app":
            return KEPT.get(node.attr)
        owner = resolved(node.value, names)
        return getattr(owner, node.attr, None) if isinstance(owner, ModuleType | type) else None
    return None
