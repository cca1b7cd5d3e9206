"""Validation of a document by the rules that it can break.

Most of validation's time goes into asking each of thirty rules about each node. A rule about variables has nothing to
say of a text without `$`: it is left out. What a rule needs stands in its text, since GraphQL has no other way to write
it; that it also stands in a string or a comment costs some time and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OverlappingFieldsCanBeMergedRule,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from engine.errors import INTROSPECTION_DISABLED

MOST_ERRORS = 10
"""How many errors of one document are told."""


class NoIntrospection(NoSchemaIntrospectionCustomRule):
    """Refuses introspection of the schema, with a code of its own."""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Report a field of introspection."""
        if node.name.value in ("__schema", "__type"):
            message = "Introspection is switched off here."
            self.report_error(GraphQLError(message, node, extensions={"code": INTROSPECTION_DISABLED}))


SIGNS: Mapping[str, tuple[str, ...]] = {
    "$": (
        "VariablesAreInputTypesRule",
        "UniqueVariableNamesRule",
        "NoUndefinedVariablesRule",
        "NoUnusedVariablesRule",
        "VariablesInAllowedPositionRule",
    ),
    "@": (
        "KnownDirectivesRule",
        "UniqueDirectivesPerLocationRule",
        "DeferStreamDirectiveOnRootField",
        "DeferStreamDirectiveOnValidOperationsRule",
        "DeferStreamDirectiveLabel",
        "StreamDirectiveOnListField",
    ),
    "(": (
        "KnownArgumentNamesRule",
        "UniqueArgumentNamesRule",
        "ValuesOfCorrectTypeRule",
        "UniqueInputFieldNamesRule",
        "OneOfInputValidationRule",
        "MaybeNullValidationRule",
    ),
    "...": ("FragmentsOnCompositeTypesRule", "KnownFragmentNamesRule", "PossibleFragmentSpreadsRule"),
    "fragment": ("NoFragmentCyclesRule", "NoUnusedFragmentsRule", "UniqueFragmentNamesRule"),
    "subscription": ("SingleFieldSubscriptionsRule",),
    "__": ("MaxIntrospectionDepthRule", "NoIntrospection"),
}
"""What stands in every text that breaks the rules of these names. Any other rule is asked about every text."""


class Validation:
    """The rules of one schema: the specification's but for the one that has a bounded one of ours, and Strawberry's.

    Without `introspection` the schema is not told; without `suggestions` neither are names that were nearly right.
    """

    def __init__(self, schema: GraphQLSchema, *, introspection: bool, suggestions: bool) -> None:
        self.schema = schema
        self.suggestions = suggestions
        bounded = [rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule]
        more = [] if introspection else [NoIntrospection]
        every: list[type[ASTValidationRule]] = [*more, *bounded, MaybeNullValidationRule, OneOfInputValidationRule]
        signs = {name: sign for sign, names in SIGNS.items() for name in names}
        self.rules = [(signs.get(rule.__name__, ""), rule) for rule in every]

    def rules_for(self, text: str) -> list[type[ASTValidationRule]]:
        """The rules that a document of this text can break, in their order."""
        return [rule for sign, rule in self.rules if sign in text]

    def problems(self, text: str, document: DocumentNode) -> list[GraphQLError]:
        """What is wrong with the document that was parsed from this text, as far as `MOST_ERRORS` are told."""
        return validate(
            self.schema,
            document,
            self.rules_for(text),
            max_errors=MOST_ERRORS,
            hide_suggestions=not self.suggestions,
        )
