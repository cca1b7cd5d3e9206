"""How many fragments a document spreads, counted from its tokens, before anything is parsed.

Fragments that spread each other twice double with each of them: parsing alone is what such a document costs. Here it is
found out in a tenth of that. The count is that of `engine.limits.shapes`, for every text that can be parsed and has no
cycle; what is no GraphQL is counted somehow, and cycles count nothing: the parser and the walk refuse those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

FEW, MOST_OF_FEW = 15, 444
"""So many spreads that stand in a text come to no more than that, however they are spread within each other."""

NOTHING = r"(?:[\s,\ufeff]|#[^\n\r]*+)*+"
PIECE = re.compile(
    r'"""(?:\\"""|[^"]|"(?!""))*+(?:""")?'
    r'|"(?:[^"\\\n\r]|\\.)*+"?'
    r"|#[^\n\r]*+"
    rf"|(?P<spread>\.\.\.){NOTHING}(?P<of>[A-Za-z_][0-9A-Za-z_]*+)?"
    r"|(?P<bracket>[(){}])"
    rf"|fragment\b{NOTHING}(?P<fragment>[A-Za-z_][0-9A-Za-z_]*+)"
    r"|[A-Za-z_][0-9A-Za-z_]*+",
    re.DOTALL,
)
"""What matters, and what may look like it: strings, comments, other names. Like `tokens.TOKEN` it never goes back."""

INLINE = "on"
"""What follows the dots of an inline fragment with a condition; no fragment may have that name."""


class Cycle(NamedTuple):
    """A fragment that is spread within itself, and the fragment inside which that happens."""

    fragment: str
    inside: str


def count_spreads(text: str, most: int) -> int:
    """How many fragments the operation or fragment spreads that spreads most; not counted where it is surely few."""
    if most >= MOST_OF_FEW and text.count("...") <= FEW:
        return 0
    found = spreads_by_definition(text)
    order = innermost_first(found)
    if isinstance(order, Cycle):
        return 0
    totals: dict[str, int] = {}
    for name in order:
        totals[name] = sum(1 + totals.get(inner, 0) for inner in found[name])
    return max(totals.values(), default=0)


def spreads_by_definition(text: str) -> dict[str, list[str]]:
    """The names of what each definition spreads, `on` for inline fragments; operations are named by numbers."""
    found: dict[str, list[str]] = {}
    inside: list[str] | None = None
    braces = parentheses = 0
    for piece in PIECE.finditer(text):
        bracket = piece["bracket"]
        if piece["spread"]:
            if inside is not None:
                inside.append(piece["of"] or INLINE)
        elif bracket in ("(", ")"):
            parentheses += 1 if bracket == "(" else -1
        elif bracket and not parentheses:
            if inside is None:
                inside = found[str(len(found))] = []
            braces += 1 if bracket == "{" else -1
            inside = inside if braces else None
        elif piece["fragment"] and not (braces or parentheses):
            inside = found.setdefault(piece["fragment"], [])
    return found


def innermost_first(spreads: Mapping[str, Iterable[str]]) -> list[str] | Cycle:
    """The names of definitions, each after those that it spreads, found without recursion; or a cycle among them."""
    order: dict[str, None] = {}
    waiting: dict[str, Iterator[str]] = {}
    for start in spreads:
        name: str | None = start
        while name is not None:
            if name not in order and name not in waiting:
                waiting[name] = iter(spreads[name])
            following = next_of(name, spreads, order, waiting)
            if isinstance(following, Cycle):
                return following
            name = following
    return list(order)


def next_of(
    name: str, spreads: Mapping[str, Iterable[str]], order: dict[str, None], waiting: dict[str, Iterator[str]]
) -> str | Cycle | None:
    """The definition to look at after this one; the cycle that it closes; None where the path has ended."""
    for inner in waiting.get(name, ()):
        if inner in waiting:
            return Cycle(inner, name)
        if inner in spreads and inner not in order:
            return inner
    if waiting.pop(name, None) is not None:
        order[name] = None
    return next(reversed(waiting), None)
