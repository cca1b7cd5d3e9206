"""From a text to a document: parsed, held against the limits, validated; each text once, as long as it is kept."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLError, Source, SourceLocation, parse

from engine.documents.kept import Kept
from engine.documents.known import Known, Unfit
from engine.documents.validation import Validation
from engine.limits.declared import Declarations
from engine.limits.formulas import Writing
from engine.limits.merging import check_merging
from engine.limits.settings import Limits
from engine.limits.shapes import check_shape, fragments_of
from engine.limits.tokens import check_text

KNOWN, UNFIT = 1_000, 500
KNOWN_WEIGHT, UNFIT_WEIGHT = 128 * 2**20, 8 * 2**20
"""Bytes, about: what is kept of documents in memory."""

UNFIT_BYTES = 10_000
"""What is kept of a text that is refused, beside the text."""

NODE_BYTES = 48
"""What a parsed document weighs in memory for each byte of its text, as measured on dense documents."""

MOST_PLACES = 10
"""How many places in the document one error tells."""

LINE_END = re.compile(r"\r\n|[\n\r]")


class Lined(Source):
    """A text that knows where its lines begin, so that a thousand errors of one list are placed as quickly as one."""

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins (GraphQL, section 2.1.4)."""
        return [0, *(found.end() for found in LINE_END.finditer(self.body))]

    def get_location(self, position: int) -> SourceLocation:
        """Line and column of a place, both from 1."""
        line = bisect_right(self.starts, position)
        return SourceLocation(line, position - self.starts[line - 1] + 1)


def bare(error: GraphQLError) -> GraphQLError:
    """The same error without the parsed document, which would be kept with it; its places are those of the first few.

    A syntax error has none, and says by its type what it is.
    """
    if error.nodes is None:
        return error
    positions = list(error.positions or ())[:MOST_PLACES]
    return GraphQLError(error.message, source=error.source, positions=positions, extensions=error.extensions)


class Reading:
    """Reads documents for one schema, and keeps them, and what is wrong with others, bounded.

    Production switches `introspection` off, and `suggestions` ("Did you mean"), which tell the schema bit by bit.
    `plans` makes what stands in `Known.plans`.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: Limits,
        *,
        introspection: bool = True,
        suggestions: bool = True,
        plans: Callable[[], Any] | None = None,
    ) -> None:
        self.schema = schema._schema
        self.limits = limits
        self.suggestions = suggestions
        self.plans = plans
        self.declarations = Declarations(self.schema, limits.list_size)
        self.validation = Validation(self.schema, introspection=introspection, suggestions=suggestions)
        self.known: Kept[str, Known] = Kept(KNOWN, KNOWN_WEIGHT)
        self.unfit: Kept[str, Unfit] = Kept(UNFIT, UNFIT_WEIGHT)

    def read(self, text: str) -> Known:
        """The document that a text is. Raises Refusal for one that may not be executed."""
        found = self.kept(text) or self.found(text)
        if isinstance(found, Unfit):
            raise found.refusal()
        return found

    def kept(self, text: str) -> Known | Unfit | None:
        """What the text was found to be before; None where that is not kept."""
        return self.known.get(text) or self.unfit.get(text)

    def found(self, text: str) -> Known | Unfit:
        """What the text is, found out now and kept."""
        too_large = check_text(text, self.limits)
        found = self.fresh(text) if too_large is None else Unfit([too_large])
        self.keep(text, found)
        return found

    def keep(self, text: str, found: Known | Unfit) -> None:
        """Have it at hand."""
        if isinstance(found, Known):
            self.known.put(text, found, NODE_BYTES * len(text))
        elif len(text) <= self.limits.bytes:
            self.unfit.put(text, found, UNFIT_BYTES + 2 * len(text))

    def fresh(self, text: str) -> Known | Unfit:
        """The document of a text that was checked for its size, or what is wrong with it.

        Nothing is kept, and nothing changed that two threads could not change at a time.
        """
        try:
            document = parse(Lined(text), max_lexical_tokens=self.limits.tokens, max_comments=self.limits.tokens)
        except GraphQLError as error:
            return Unfit([error])
        errors = self.problems(text, document)
        if errors:
            return Unfit([bare(error) for error in errors])
        definitions = fragments_of(document)
        return Known(
            text=text,
            sha256=sha256(text.encode(errors="surrogatepass")).hexdigest(),
            document=document,
            definitions=definitions,
            writing=Writing(self.declarations, definitions),
            plans=self.plans() if self.plans else None,
        )

    def problems(self, text: str, document: DocumentNode) -> list[GraphQLError]:
        """What is wrong with a document; each step is reached only where the one before it found nothing."""
        too_large = check_shape(document, self.limits)
        if too_large is not None:
            return [too_large]
        errors = self.validation.problems(text, document)
        if errors:
            return errors
        conflict = check_merging(self.schema, document, self.limits)
        return [conflict] if conflict else []
