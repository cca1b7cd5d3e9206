"""The limits and their codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

LARGEST_TOLD = 10**15
"""What was found is told up to this number, which every client's JSON keeps exact."""

CODES = {
    "bytes": "DOCUMENT_TOO_LARGE",
    "lines": "DOCUMENT_TOO_LARGE",
    "tokens": "TOO_MANY_TOKENS",
    "nesting": "TOO_DEEP",
    "depth": "TOO_DEEP",
    "operations": "TOO_MANY_OPERATIONS",
    "root_fields": "TOO_MANY_ROOT_FIELDS",
    "fields": "TOO_MANY_FIELDS",
    "aliases": "TOO_MANY_ALIASES",
    "directives": "TOO_MANY_DIRECTIVES",
    "directives_per_node": "TOO_MANY_DIRECTIVES",
    "fragments": "TOO_MANY_FRAGMENTS",
    "merging": "TOO_COMPLEX",
    "values": "TOO_MANY_VALUES",
    "breadth": "TOO_BROAD",
    "cost": "TOO_COSTLY",
}
"""The code of each limit's refusal."""

MESSAGES = {
    "bytes": "The document has more than {limit} bytes.",
    "lines": "The document has more than {limit} line breaks.",
    "tokens": "The document has more than {limit} tokens.",
    "nesting": "Selections are nested more than {limit} deep, fragments included.",
    "depth": "Fields are nested more than {limit} deep.",
    "operations": "The document has more than {limit} operations.",
    "root_fields": "The operation asks for more than {limit} root fields.",
    "fields": "The operation asks for more than {limit} fields.",
    "aliases": "The operation has more than {limit} aliases.",
    "directives": "The operation has more than {limit} directives.",
    "directives_per_node": "There are more than {limit} directives in one place.",
    "fragments": "The operation spreads more than {limit} fragments.",
    "merging": "The document's fields overlap too much to be compared.",
    "values": "The variables have more than {limit} values.",
    "breadth": "Lists within lists may come to more than {limit} items.",
    "cost": "The operation costs {found}, and {limit} is the most that one may cost.",
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that one document may have. Counts are of the document with its fragments spread."""

    bytes: int = 100_000
    """Of the document's text in UTF-8."""

    lines: int = 5_000
    """Line breaks. Every error says where it is by line and column, and to find that out takes a look at each line."""

    tokens: int = 2_000
    """Comments count as tokens."""

    nesting: int = 64
    """Selection sets within each other, those of fragments too."""

    depth: int = 15
    """Fields within each other; a root field has depth 1. The usual introspection query has 15."""

    operations: int = 20
    root_fields: int = 20
    fields: int = 2_000
    aliases: int = 100
    directives: int = 100
    directives_per_node: int = 5
    fragments: int = 500
    """Spreads and inline fragments."""

    merging: int = 20_000
    """Steps in comparing fields that share a name in the response."""

    values: int = 10_000
    """Of the variables of one request, in lists and objects too."""

    breadth: int = 20_000
    """Items that lists within lists may come to, by the sizes asked for or declared."""

    cost: int = 20_000
    """Cost of one operation, as `engine.limits.formulas` counts it."""

    list_size: int = 10
    """How many items a list has of which nothing is declared."""

    seconds: float = 10.0
    """How long one operation, or the answer to one event of a subscription, may take."""


def exceeded(limits: Limits, name: str, found: int) -> GraphQLError | None:
    """The refusal for what was found, where it is above the limit of that name."""
    limit = getattr(limits, name)
    if found <= limit:
        return None
    told = min(found, LARGEST_TOLD)
    extensions: dict[str, Any] = {"code": CODES[name], "limit": limit, "found": told}
    return GraphQLError(MESSAGES[name].format(limit=limit, found=told), extensions=extensions)
