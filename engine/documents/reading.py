"""From a text to a document: parsed, held against the limits, validated; each text once, as long as it is kept."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import strawberry
from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OverlappingFieldsCanBeMergedRule,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from engine.documents.kept import Kept
from engine.documents.known import Known, Unfit
from engine.errors import INTROSPECTION_DISABLED
from engine.limits.declared import Declarations
from engine.limits.formulas import Writing
from engine.limits.merging import check_merging
from engine.limits.settings import Limits
from engine.limits.shapes import check_shape, fragments_of
from engine.limits.tokens import check_text

MOST_ERRORS = 10
"""How many errors of one document are told."""

KNOWN, UNFIT = 1_000, 500
KNOWN_WEIGHT, UNFIT_WEIGHT = 128 * 2**20, 8 * 2**20
"""Bytes, about: what is kept of documents in memory."""

NODE_BYTES = 48
"""What a parsed document weighs in memory for each byte of its text, as measured on dense documents."""


class NoIntrospection(NoSchemaIntrospectionCustomRule):
    """Refuses introspection of the schema, with a code of its own."""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Report a field of introspection."""
        if node.name.value in ("__schema", "__type"):
            message = "Introspection is switched off here."
            self.report_error(GraphQLError(message, node, extensions={"code": INTROSPECTION_DISABLED}))


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
        self.rules = rules(introspection)
        self.known: Kept[str, Known] = Kept(KNOWN, KNOWN_WEIGHT)
        self.unfit: Kept[str, Unfit] = Kept(UNFIT, UNFIT_WEIGHT)

    def read(self, text: str) -> Known:
        """The document that a text is. Raises Refusal for one that may not be executed."""
        known = self.known.get(text)
        if known is not None:
            return known
        unfit = self.unfit.get(text)
        if unfit is not None:
            raise unfit.refusal()
        too_large = check_text(text, self.limits)
        if too_large is not None:
            # Not kept: it is found out again faster than it could be looked up.
            raise Unfit([too_large]).refusal()
        found = self.fresh(text)
        if isinstance(found, Unfit):
            self.unfit.put(text, found, len(text))
            raise found.refusal()
        self.known.put(text, found, NODE_BYTES * len(text))
        return found

    def fresh(self, text: str) -> Known | Unfit:
        """The document of a text that was checked for its size, or what is wrong with it; nothing is kept."""
        try:
            document = parse(text)
        except GraphQLError as error:
            return Unfit([error])
        errors = self.problems(document)
        if errors:
            return Unfit(errors)
        definitions = fragments_of(document)
        return Known(
            text=text,
            sha256=sha256(text.encode(errors="surrogatepass")).hexdigest(),
            document=document,
            definitions=definitions,
            writing=Writing(self.declarations, definitions),
            plans=self.plans() if self.plans else None,
        )

    def problems(self, document: DocumentNode) -> list[GraphQLError]:
        """What is wrong with a document; each step is reached only where the one before it found nothing."""
        too_large = check_shape(document, self.limits)
        if too_large is not None:
            return [too_large]
        errors = validate(
            self.schema, document, self.rules, max_errors=MOST_ERRORS, hide_suggestions=not self.suggestions
        )
        if errors:
            return errors
        conflict = check_merging(self.schema, document, self.limits)
        return [conflict] if conflict else []


def rules(introspection: bool) -> tuple[type[ASTValidationRule], ...]:
    """The rules of validation: the specification's but for the one that has a bounded one of ours, and Strawberry's."""
    bounded = tuple(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule)
    more = () if introspection else (NoIntrospection,)
    return (*more, *bounded, MaybeNullValidationRule, OneOfInputValidationRule)
