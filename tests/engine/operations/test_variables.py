"""Variables by known ways are what graphql-core makes of them; what is not plainly valid is left to it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse
from graphql.execution import get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from engine.variables import Variables

SCHEMA = build_schema("""
    enum Cabin { ECONOMY FIRST }
    scalar Anything
    input Seat { row: Int!, letters: [String!]! = ["A", "B"], cabin: Cabin = FIRST, note: String, odd: Anything }
    input Party { adults: Int!, seats: [Seat]!, ids: [ID!], weight: Float, vegan: Boolean = false, more: [[Int]] }
    input Endless { again: Endless, name: String }
    input One @oneOf { name: String, number: Int }
    type Query { party(party: Party, endless: Endless, one: One): String }
""")


def operation(declared: str) -> OperationDefinitionNode:
    """An operation with these variables."""
    (node,) = parse(f"query ({declared}) {{ __typename }}").definitions
    assert isinstance(node, OperationDefinitionNode)
    return node


def both(declared: str, inputs: dict[str, Any]) -> tuple[Any, Any]:
    """What graphql-core says, and what is said here."""
    node = operation(declared)
    return get_variable_values(SCHEMA, node.variable_definitions or (), inputs), Variables(SCHEMA, node).values(inputs)


def said(values: Any) -> str:
    """All of it as text; a default is named by nothing but its place in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(values))


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**33), 2**33), st.floats(), st.text(max_size=3), st.sampled_from(["FIRST"])
)
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=2), max_leaves=3)
seats = st.fixed_dictionaries(
    {"row": st.integers(-5, 5) | leaves},
    optional={
        "letters": st.lists(st.text(max_size=2), max_size=2) | anything,
        "cabin": st.sampled_from(["ECONOMY", "FIRST", "THIRD", None, 1]),
        "note": st.text(max_size=2) | leaves,
        "odd": anything,
        "unknown": leaves,
    },
)
parties = st.fixed_dictionaries(
    {"adults": st.integers(0, 3) | leaves, "seats": st.lists(seats | st.none(), max_size=2) | seats | leaves},
    optional={"ids": anything, "weight": leaves, "vegan": leaves, "more": anything | st.just([[1, None], None])},
)


@given(party=parties | leaves, declared=st.sampled_from(["Party", "Party!", "[Party!]", "[[Party]!]!"]))
def test_they_are_graphql_cores(party: Any, declared: str) -> None:
    told, ours = both(f"$party: {declared}", {"party": [party] if declared.startswith("[") else party, "other": 1})
    assert ours is None or said(ours) == said(told)


def test_what_is_plainly_valid_is_known() -> None:
    seat = {"row": 7, "cabin": "ECONOMY", "note": None}
    told, ours = both(
        "$party: Party!", {"party": {"adults": 2, "seats": [seat, None], "weight": 1, "more": [[1], None]}}
    )
    assert said(ours) == said(told)
    assert ours.coerced["party"]["seats"] == [
        {"row": 7, "letters": ["A", "B"], "cabin": "ECONOMY", "note": None},
        None,
    ]
    assert ours.coerced["party"]["vegan"] is False


@pytest.mark.parametrize(
    ("declared", "inputs", "known"),
    [
        ("$a: Int", {}, True),
        ("$a: Int", {"a": None}, True),
        ("$a: Int!", {}, False),
        ("$a: Int!", {"a": None}, False),
        ("$a: Int = 7", {}, False),
        ("$a: Int = 7", {"a": 8}, True),
        ("$a: String", {"a": 8}, False),
        ("$a: ID", {"a": 8}, True),
        ("$a: [Int]", {"a": 8}, False),
        ("$a: Boolean", {"a": 1}, False),
        ("$a: Float", {"a": float("nan")}, False),
        ("$a: Anything", {"a": {"b": [1]}}, True),
        ("$a: One", {"a": {"name": "x"}}, False),
        ("$a: Endless", {"a": {"name": "x"}}, False),
        ("$a: Query", {"a": 1}, False),
        ("$a: Nowhere", {"a": 1}, False),
    ],
)
def test_what_is_left_to_graphql_core(declared: str, inputs: dict[str, Any], known: bool) -> None:
    told, ours = both(declared, inputs)
    assert (ours is not None) is known
    assert ours is None or said(ours) == said(told)
