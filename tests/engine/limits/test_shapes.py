"""How large a document is with its fragments spread: each limit just under and just over, and the walk itself."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_introspection_query,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from engine.limits import Limits
from engine.limits.shapes import Measuring, check_shape, fragments_of, order_of

LIMITS = Limits(
    nesting=6, depth=4, operations=2, root_fields=3, fields=8, aliases=2,
    directives=3, directives_per_node=2, fragments=4,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "under", "over", "found"),
    [
        ("nesting", "{ ... { ... { a { b { c { d } } } } } }", "{ ... { ... { a { b { ... { c { d } } } } } } }", 7),
        ("depth", "{ a { b { c { d } } } }", "{ a { b { c { d { e } } } } }", 5),
        ("operations", "query A { a } query B { b }", "query A { a } query B { b } query C { c }", 3),
        ("root_fields", "{ a b c }", "{ a b ...F } fragment F on Q { c d }", 4),
        ("fields", "{ x { a b c d e f g } }", "{ x { a b c d e f ...F } } fragment F on Q { g h }", 9),
        ("aliases", "{ x: a { y: b } }", "{ x: a { ...F } } fragment F on Q { y: b z: c }", 3),
        ("directives", "{ a @d b @d c @d }", "query @d { a @d ... @d { b @d } }", 4),
        ("directives_per_node", "{ a @d @d }", "{ a @d @d @d }", 3),
        ("fragments", "{ a { ...A ...A } } fragment A on Q { ...B } fragment B on Q { b }",
         "{ a { ...A ...A ...B } } fragment A on Q { ...B } fragment B on Q { b }", 5),
    ],
)  # fmt: skip
def test_what_is_just_within_a_limit_passes_and_what_is_just_over_does_not(
    name: str, under: str, over: str, found: int
) -> None:
    limit = getattr(LIMITS, name)
    limits = replace(Limits(), **{name: limit})
    error = check_shape(parse(over), limits)
    assert check_shape(parse(under), limits) is None
    assert error is not None
    assert error.extensions == {"code": code_of(name), "limit": limit, "found": found}


def code_of(name: str) -> str:
    codes = {"nesting": "TOO_DEEP", "depth": "TOO_DEEP", "directives_per_node": "TOO_MANY_DIRECTIVES"}
    return codes.get(name, f"TOO_MANY_{name.upper()}")


def test_the_usual_introspection_query_is_within_the_limits() -> None:
    assert check_shape(parse(get_introspection_query()), Limits()) is None


def test_numbers_of_fragments_that_double_are_told_as_far_as_json_goes() -> None:
    doubling = "".join(f"fragment F{i} on Q {{ ...F{i + 1} ...F{i + 1} }} " for i in range(60))
    document = parse("{ ...F0 } " + doubling + "fragment F60 on Q { a }")
    error = check_shape(document, replace(Limits(), nesting=100))
    assert error is not None
    # 2 ** 60 root fields: no number that a client's JSON keeps exact.
    assert error.extensions == {"code": "TOO_MANY_ROOT_FIELDS", "limit": 20, "found": 10**15}


def test_a_chain_of_fragments_of_any_length_is_measured() -> None:
    chain = "".join(f"fragment F{i} on Q {{ ...F{i + 1} }} " for i in range(5_000))
    error = check_shape(parse("{ ...F0 } " + chain + "fragment F5000 on Q { a }"), Limits())
    assert error is not None
    assert error.extensions == {"code": "TOO_DEEP", "limit": 64, "found": 5_002}


@pytest.mark.parametrize(
    "document",
    [
        "{ ...A } fragment A on Q { ...A }",
        "{ a } fragment A on Q { ...B } fragment B on Q { x { ...C } } fragment C on Q { ... { ...A } }",
    ],
)
def test_fragments_that_form_a_cycle_are_refused(document: str) -> None:
    error = check_shape(parse(document), Limits())
    assert error is not None
    assert error.message == "Cannot spread fragment 'A' within itself."
    assert error.locations


def test_fragments_that_nobody_spreads_are_limited_too() -> None:
    error = check_shape(parse("{ a } fragment A on Q { a { b { c { d { e } } } } }"), LIMITS)
    assert error is not None
    assert error.extensions["code"] == "TOO_DEEP"  # type: ignore[index]


def test_a_spread_of_a_fragment_that_is_not_there_is_left_to_validation() -> None:
    assert check_shape(parse("{ ...Nowhere }"), Limits()) is None


NAMES = ("A", "B", "C", "D")


def selection_sets(later: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Selection sets that spread only fragments that come later, so that there is no cycle."""
    directives = st.sampled_from(["", "", " @d", " @d @e"])
    leaf = st.builds("{}f{}".format, st.sampled_from(["", "x: "]), directives)
    spread = st.builds("...{}{}".format, st.sampled_from(later or ("Nowhere",)), directives)
    return st.recursive(
        st.lists(st.one_of(leaf, spread), min_size=1, max_size=3).map(" ".join),
        lambda inner: st.lists(
            st.one_of(leaf, spread, st.builds("{}f{} {{ {} }}".format, st.sampled_from(["", "y: "]), directives, inner),
                      st.builds("...{} {{ {} }}".format, directives, inner)),
            min_size=1, max_size=3,
        ).map(" ".join),
        max_leaves=8,
    )  # fmt: skip


documents = st.tuples(
    selection_sets(NAMES), *(selection_sets(NAMES[index + 1 :]) for index in range(len(NAMES)))
).map(
    lambda sets: f"query ($v: Int @d) @d {{ {sets[0]} }} "
    + " ".join(f"fragment {name} on Q @d {{ {inner} }}" for name, inner in zip(NAMES, sets[1:], strict=True))
)  # fmt: skip


@given(documents)
def test_the_walk_equals_a_naive_expansion(text: str) -> None:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    measuring = Measuring(fragments_of(document))
    order = order_of(measuring.definitions)
    assert isinstance(order, list)
    for name in order:
        measuring.fragment(name)
    assert asdict(measuring.operation(operation)) == expanded(document, operation)


def expanded(document: DocumentNode, operation: OperationDefinitionNode) -> dict[str, int]:
    """The same numbers, by walking through everything that is spread, each time anew."""
    fragments = fragments_of(document)
    seen: dict[str, Any] = {"fields": 0, "aliases": 0, "fragments": 0, "root_fields": 0, "depth": 0, "nesting": 0}
    places: list[int] = [len(operation.directives or ())]
    places += [len(variable.directives or ()) for variable in operation.variable_definitions or ()]

    def walk(node: SelectionSetNode, depth: int, nesting: int) -> None:
        seen["nesting"] = max(seen["nesting"], nesting)
        for one in node.selections:
            places.append(len(one.directives or ()))
            if isinstance(one, FieldNode):
                seen["fields"] += 1
                seen["aliases"] += one.alias is not None
                seen["root_fields"] += depth == 0
                seen["depth"] = max(seen["depth"], depth + 1)
                if one.selection_set:
                    walk(one.selection_set, depth + 1, nesting + 1)
                continue
            seen["fragments"] += 1
            inner: Any = fragments.get(one.name.value) if isinstance(one, FragmentSpreadNode) else one
            if inner is None:
                continue
            if isinstance(one, FragmentSpreadNode):
                places.append(len(inner.directives or ()))
            walk(inner.selection_set, depth, nesting + 1)

    walk(operation.selection_set, 0, 1)
    return {**seen, "directives": sum(places), "directives_per_node": max(places)}
