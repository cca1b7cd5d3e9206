"""Many documents over many schemas: what `make test` runs a little of, and `make fuzz` for as long as one likes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from engine.execution import DocumentPlans
from tests.engine.execution.fuzz.compare import Case
from tests.engine.execution.fuzz.documents import Document
from tests.engine.execution.fuzz.nasty import Nasty
from tests.engine.execution.fuzz.objects import Objects

LEFT_BEHIND = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <coroutine object GraphQLCoreConverter:pytest.PytestUnraisableExceptionWarning"
    ),
]
"""Marks of tests in which graphql-core leaves coroutines behind, as it does where one of several fields ends an object.

Where they are collected inside a function without builtins (`namedtuple` makes such), Python can't even warn of them,
and says that instead.
"""

BADNESS = (0.0, 0.03, 0.08)
"""Shares of wrong values. Too many, and hardly an answer has more in it than one null."""


@dataclass(frozen=True)
class Tried:
    """A case, and from which seeds it was made."""

    name: str
    case: Case


def nasty_cases(seed: int, documents: int) -> Iterator[Tried]:
    """Cases over one nasty schema: each document twice, with other objects and other variables."""
    nasty = Nasty(seed)
    for index in range(documents):
        document = Document(nasty.core, seed * 1_000_003 + index, deepest=4)
        parsed = document.parsed()
        if parsed is None:
            continue
        plans = DocumentPlans(compile_at=1)
        for turn, variables in enumerate((document.variables, flipped(document.variables))):
            roots = objects(nasty, seed + index * 31 + turn, BADNESS[(index + turn) % len(BADNESS)])
            # Where several fields of an object fail, the clock decides which is told; batches are faster.
            case = Case(nasty.core, roots, parsed, variables, strict=not nasty.batches, plans=plans)
            yield Tried(f"schema {seed}, document {index}, objects {turn}", case)


def objects(nasty: Nasty, seed: int, badness: float) -> Callable[[], Any]:
    """What makes the objects of a seed anew each time."""
    return lambda: Objects(nasty, seed, badness).root


def flipped(variables: dict[str, Any]) -> dict[str, Any]:
    """Other values for the variables: what was compiled for some must not be used for others."""
    return {"v1": not variables["v1"], "v2": not variables.get("v2", True), "n": 7}


async def differences(cases: Iterable[Tried]) -> tuple[int, list[Tried]]:
    """How many cases there were, and those in which the answers differ."""
    count, found = 0, []
    for tried in cases:
        count += 1
        if await tried.case.difference() is not None:
            found.append(tried)
    return count, found
