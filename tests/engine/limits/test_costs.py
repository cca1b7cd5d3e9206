"""What operations cost, by what the schema declares."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from strawberry.printer import print_schema as print_strawberry

from engine.documents import Reading
from engine.errors import Refusal
from engine.limits import Limits
from engine.limits.formulas import Measure
from tests.engine.schemas import SCHEMA

READING = Reading(SCHEMA, Limits())


def measured(document: str, variables: dict[str, Any] | None = None) -> Measure:
    """Cost and breadth of the only operation."""
    known = READING.read(document)
    return known.formula(known.operation(None)).measure(variables or {})


@pytest.mark.parametrize(
    ("document", "cost", "breadth"),
    [
        ("{ hello }", 0, 1),
        ("{ __typename }", 0, 1),
        ("{ person { name } }", 1 + 1, 1),
        ("{ person { nicknames } }", 2, 10),
        ("{ person { children { name } } }", 2 + 1 + 10, 10),
        ("{ person { children { children { name } } } }", 2 + 1 + 10 * (1 + 1 + 10), 100),
        ("{ person { matrix { name } } }", 2 + 1 + 100, 100),
        ("{ people { name } }", 5 + 20, 20),
        ("{ people(first: 3) { name } }", 5 + 3, 3),
        ("{ people(first: 3, last: 4) { name } }", 5 + 4, 4),
        ("{ people(first: 0) { name } }", 5, 1),
        ("{ people(first: -7) { name } }", 5, 1),
        ("{ people(first: null) { name } }", 5 + 20, 20),
        ("{ connection { total } }", 2, 1),
        ("{ connection { edges { node { name } } } }", 2 + 1 + 4 * (1 + 2), 4),
        ("{ connection(first: 100) { edges { node { name } } } }", 2 + 1 + 100 * 3, 100),
        ("{ connection(first: 3) { nodes { children { name } } } }", 2 + 1 + 3 * (1 + 1 + 10), 30),
        ("{ paged { name } }", 1 + 2, 2),
        ("{ paged(page: { first: 6 }) { name } }", 1 + 6, 6),
        ("{ named { name } }", 2, 1),
        ("{ named { ... on Ship { friend { name } } ... on Person { age } } }", 2 + 2, 1),
        ("{ named { friend { name } ... on Ship { friend { name } } ... on Person { children { name } } } }",
         2 + 2 + 11, 10),
        ("{ anything { ... on Ship { tonnes } ... on Person { children { name } } } }", 1 + 10 * (1 + 11), 100),
        ("{ __schema { types { fields { name } } } __type(name: \"x\") { name } }", 200, 1),
        ("{ a: person { name } b: person { name } }", 4, 1),
        ("{ ...F ...F } fragment F on Query { person { name } }", 4, 1),
        ("{ connection { ...F } } fragment F on Connection { edges { ...G } } fragment G on Edge { node { name } }",
         2 + 1 + 4 * 3, 4),
    ],
)  # fmt: skip
def test_what_a_document_costs(document: str, cost: int, breadth: int) -> None:
    assert measured(document) == Measure(cost, breadth)


def test_ships_cost_what_their_type_declares() -> None:
    known = READING.read("{ anything { ... on Ship { tonnes } } }")
    declared = READING.declarations.of(SCHEMA._schema.query_type, "anything")  # type: ignore[arg-type]
    # A union declares nothing: each of its objects costs 1.
    assert declared.item_weight == 1
    assert known.formula(known.operation(None)).measure({}) == Measure(1 + 10, 10)


@pytest.mark.parametrize(
    ("variables", "length"),
    [({"n": 7}, 7), ({"n": 0}, 0), ({"n": -1}, 0), ({"n": None}, 20), ({}, 20), ({"n": 10**30}, 10**30)],
)
def test_variables_decide_how_long_a_list_is(variables: dict[str, Any], length: int) -> None:
    document = "query ($n: Int) { people(first: $n) { ...F } } fragment F on Person { children { name } }"
    assert measured(document, variables).cost == 5 + length * (1 + 1 + 10)


def test_variables_in_fragments_and_in_inputs_count() -> None:
    document = """query ($n: Int, $page: Page) { ...F paged(page: $page) { name } }
        fragment F on Query { connection(first: $n) { nodes { name } } }"""
    assert measured(document, {"n": 9, "page": {"first": 30}}).cost == (2 + 1 + 9) + (1 + 30)
    within = "query ($n: Int) { paged(page: { first: $n }) { name } }"
    assert measured(within, {"n": 8}).cost == 1 + 8
    assert measured(within, {}).cost == 1 + 2


def test_what_does_not_vary_is_counted_once() -> None:
    known = READING.read("query ($n: Int) { people(first: $n) { ...F } } fragment F on Person { age children { age } }")
    formula = known.formula(known.operation(None))
    (fragment,) = known.writing.known.values()
    formula.measure({"n": 1})
    counted = fragment.fixed
    formula.measure({"n": 2})
    assert counted is not None
    assert fragment.fixed is counted
    assert formula.part.fixed is None


def test_fragments_that_double_cost_no_more_than_their_number() -> None:
    levels = "".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }} " for i in range(3))
    document = "{ ...F0 } " + levels + "fragment F3 on Query { person { name } }"
    known = READING.read(document)
    assert known.formula(known.operation(None)).measure({}).cost == 2**3 * 2
    assert len(known.writing.known) == 4


def test_the_declarations_are_in_the_schema() -> None:
    printed = print_strawberry(SCHEMA)
    assert "directive @cost(weight: String!) on FIELD_DEFINITION | OBJECT" in printed
    assert 'people(first: Int = null, last: Int = null): [Person!]! @cost(weight: "5")' in printed
    assert '@listSize(assumedSize: 20, slicingArguments: ["first", "last"])' in printed
    assert 'type Ship implements Named @cost(weight: "3")' in printed
    assert "directive @listSize(" in printed


def test_a_manifold_alias_is_refused_before_it_is_costed() -> None:
    reading = Reading(SCHEMA, replace(Limits(), aliases=1))
    with pytest.raises(Refusal) as refused:
        reading.read("{ a: person { name } b: person { name } }")
    assert refused.value.errors[0].extensions == {"code": "TOO_MANY_ALIASES", "limit": 1, "found": 2}
