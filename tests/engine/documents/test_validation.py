"""Rules are left out where a text cannot break them: what is found is what all of them find."""

from __future__ import annotations

import pytest
from graphql import (
    ASTValidationRule,
    GraphQLError,
    OverlappingFieldsCanBeMergedRule,
    Source,
    parse,
    specified_rules,
    validate,
)
from hypothesis import given
from hypothesis import strategies as st
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from engine.documents.reading import Lined
from engine.documents.validation import MOST_ERRORS, SIGNS, NoIntrospection, Validation
from tests.engine.schemas import SCHEMA

BOUNDED = tuple(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule)
ALL: tuple[type[ASTValidationRule], ...] = (
    NoIntrospection,
    *BOUNDED,
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)
VALIDATION = Validation(SCHEMA._schema, introspection=False, suggestions=False)

BROKEN = {
    "KnownArgumentNamesRule": "{ hello(nobody: 1) }",
    "UniqueArgumentNamesRule": '{ hello(name: "a", name: "b") }',
    "ValuesOfCorrectTypeRule": "{ person(id: true) { name } }",
    "UniqueInputFieldNamesRule": "{ paged(page: {first: 1, first: 2}) { name } }",
    "VariablesAreInputTypesRule": "query ($a: Person) { hello(name: $a) }",
    "UniqueVariableNamesRule": "query ($a: String, $a: String) { hello(name: $a) }",
    "NoUndefinedVariablesRule": "{ hello(name: $a) }",
    "NoUnusedVariablesRule": "query ($a: Int) { hello }",
    "VariablesInAllowedPositionRule": "query ($a: Boolean!) { person(id: $a) { name } }",
    "KnownDirectivesRule": "{ hello @unknown }",
    "UniqueDirectivesPerLocationRule": "{ hello @skip(if: true) @skip(if: false) }",
    "FragmentsOnCompositeTypesRule": "{ ... on String { hello } }",
    "KnownFragmentNamesRule": "{ ...Nobody }",
    "PossibleFragmentSpreadsRule": "{ person { ... on Ship { tonnes } } }",
    "NoFragmentCyclesRule": "{ ...A } fragment A on Query { ...A }",
    "NoUnusedFragmentsRule": "{ hello } fragment A on Query { hello }",
    "UniqueFragmentNamesRule": "{ ...A } fragment A on Query { hello } fragment A on Query { hello }",
    "NoIntrospection": "{ __schema { types { name } } }",
    "MaxIntrospectionDepthRule": "{ __type(name: \"Q\") { " + "fields { type { " * 3 + "name" + " } }" * 3 + " } }",
    "SingleFieldSubscriptionsRule": "subscription { count again: count }",
    "FieldsOnCorrectTypeRule": "{ nothing }",
    "ScalarLeafsRule": "{ person }",
    "KnownTypeNamesRule": "query ($a: Nothing) { hello(name: $a) }",
    "UniqueOperationNamesRule": "query A { hello } query A { hello }",
    "LoneAnonymousOperationRule": "{ hello } query A { hello }",
    "ExecutableDefinitionsRule": "{ hello } type A { a: Int }",
}  # fmt: skip


def told(errors: list[GraphQLError]) -> list[tuple[str, object]]:
    """What errors say, and where."""
    return [(error.message, error.locations) for error in errors]


def both(text: str) -> tuple[list[tuple[str, object]], list[tuple[str, object]]]:
    """What our choice of rules finds, and what all of them do."""
    document = parse(text)
    every = validate(SCHEMA._schema, document, ALL, max_errors=MOST_ERRORS, hide_suggestions=True)
    return told(VALIDATION.problems(text, document)), told(every)


@pytest.mark.parametrize("rule", BROKEN)
def test_each_rule_is_there_for_a_text_that_breaks_it(rule: str) -> None:
    document = parse(BROKEN[rule])
    (kind,) = [one for one in ALL if one.__name__ == rule]
    assert validate(SCHEMA._schema, document, [kind])
    assert kind in VALIDATION.rules_for(BROKEN[rule])
    ours, every = both(BROKEN[rule])
    assert ours == every


def test_names_of_rules_are_those_of_rules() -> None:
    assert {name for names in SIGNS.values() for name in names} <= {rule.__name__ for rule in ALL}


def test_a_plain_text_is_asked_about_by_few() -> None:
    assert len(VALIDATION.rules_for("{ hello }")) < len(ALL) / 2
    assert len(VALIDATION.rules_for("query Q { hello }")) == len(VALIDATION.rules_for("{ hello }"))


PIECES = st.sampled_from([
    "hello", "nothing", "person { name }", "person(id: 1) { age }", "person(id: $a) { name }", "...A", "...B", "...C",
    "hello @skip(if: true)", "hello @unknown", "... on Query { hello }", "... on Person { name }", "__typename",
    "__schema { description }", 'hello(name: "$ @ ( ... fragment")', "paged(page: {first: $a}) { name }", "person",
    "hello(name: 1)", 'paged(page: {last: "x"}) { name }', "# $ @ ( __\n hello",
])  # fmt: skip
SETS = st.lists(PIECES, min_size=1, max_size=4).map(" ".join)
HEADS = st.sampled_from(["", "query ", "query Q ", "query Q($a: Int) ", "query ($a: Nothing = 1) ", "subscription "])


@given(HEADS, SETS, SETS, st.booleans())
def test_what_is_found_is_what_all_rules_find(head: str, first: str, second: str, has_fragments: bool) -> None:
    fragments = f" fragment A on Query {{ {second} }} fragment B on Person {{ name }}" if has_fragments else ""
    ours, every = both(f"{head}{{ {first} }}{fragments}")
    assert ours == every


@given(st.text(alphabet="a\n\r", max_size=20))
def test_places_are_told_as_graphql_tells_them(text: str) -> None:
    places = [at for at in range(len(text)) if text[at] == "a"]
    assert [Lined(text).get_location(at) for at in places] == [Source(text).get_location(at) for at in places]
