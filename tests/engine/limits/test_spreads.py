"""Spreads, counted from the tokens before anything is parsed: as many as the walk finds in what was parsed."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from engine.limits import Limits
from engine.limits.shapes import Measuring, fragments_of, order_of
from engine.limits.spreads import FEW, MOST_OF_FEW, count_spreads
from engine.limits.tokens import check_text
from tests.engine.limits.test_shapes import documents


def counted(text: str) -> int:
    """The count, however few they are."""
    return count_spreads(text, 0)


def walked(text: str) -> int:
    """The most that an operation or a fragment spreads, once it is parsed."""
    document = parse(text)
    measuring = Measuring(fragments_of(document))
    order = order_of(measuring.definitions)
    assert isinstance(order, list)
    for name in order:
        measuring.fragment(name)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    shapes = [measuring.operation(node) for node in operations] + list(measuring.fragments.values())
    return max(shape.fragments for shape in shapes)


TRAPS = ['"{ ...A }"', '"""fragment A on Q { ...B ...B"""', "# ...A {\n", "fragment", "{}", '"#"', '"\\"...A"', "on"]


@given(documents, st.lists(st.sampled_from(TRAPS), max_size=3))
def test_as_many_are_counted_as_the_walk_finds(text: str, traps: list[str]) -> None:
    values = " ".join(trap for trap in traps if not trap.startswith("#"))
    comments = "".join(trap for trap in traps if trap.startswith("#"))
    text = text.replace("...", "..." + comments).replace("@d", f"@d(v: [{values}])")
    assert counted(text) == walked(text)


@pytest.mark.parametrize(
    "text",
    [
        "query fragment { fragment ...fragment } fragment fragment on fragment { fragment { a } }",
        "query Q($a: In = {b: {c: 1}}) { a(x: {y: 1}) { ...A } } fragment A on Q @d(x: {y: 1}) { ... { ...A2 } }",
        "{ ...B } fragment B on Q { ... on Q { b } ... @include(if: true) { c } }",
        "{ ...\n#x\n,A ...\ufeffA } fragment A on Q{...B...B} fragment B on Q{b}",
        "subscription { a } mutation M { b { ...A } } fragment A on Q { a } fragment C on Q { ...A ...A ...A }",
    ],
)
def test_what_looks_like_a_spread_or_a_definition_is_told_apart(text: str) -> None:
    assert counted(text) == walked(text)


def doubling(fragments: int) -> str:
    """Fragments that each spread the next one twice."""
    pairs = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(fragments))
    return "{ ...F0 } " + pairs + f"fragment F{fragments} on Query {{ a }}"


def test_what_multiplies_is_refused_before_it_is_parsed() -> None:
    error = check_text(doubling(20), Limits())
    assert error is not None
    assert error.extensions == {"code": "TOO_MANY_FRAGMENTS", "limit": 500, "found": 2 ** (20 + 1) - 1}
    assert error.nodes is None


def test_what_is_within_the_limit_passes() -> None:
    assert check_text(doubling(7), Limits()) is None
    assert counted(doubling(7)) == 2**8 - 1
    flat = "{" + "...A " * 500 + "} fragment A on Query { a }"
    assert check_text(flat, Limits()) is None
    assert check_text(flat.replace("{...A", "{...A ...A", 1), Limits()) is not None


@pytest.mark.parametrize("text", ["{ ...A }" + " fragment A on Q { ...A }" * 20, "}}} {{{ ...A" * 20, "...A" * 20, ""])
def test_cycles_and_what_is_no_graphql_are_left_to_others(text: str) -> None:
    assert check_text(text, Limits()) is None


def most_of(spreads: int) -> tuple[int, list[int]]:
    """The most that so many spreads come to, and how often each fragment then spreads the next one.

    It is best to spread but one fragment, the best that the rest can make.
    """
    best: list[tuple[int, list[int]]] = [(0, [])]
    for left in range(1, spreads + 1):
        best.append(
            max((here * (1 + best[left - here][0]), [here, *best[left - here][1]]) for here in range(1, left + 1))
        )
    return best[spreads]


def test_what_is_not_counted_is_never_above_the_limit() -> None:
    most, times = most_of(FEW)
    text = "".join(f"fragment F{n} on Q {{ {f'...F{n + 1} ' * often} }} " for n, often in enumerate(times))
    text += f"fragment F{len(times)} on Q {{ a }}"
    assert (text.count("..."), counted(text), most) == (FEW, MOST_OF_FEW, MOST_OF_FEW)
    assert (count_spreads(text, MOST_OF_FEW), count_spreads(text, MOST_OF_FEW - 1)) == (0, MOST_OF_FEW)
    assert Limits().fragments >= MOST_OF_FEW


@pytest.mark.parametrize("flood", ['"', '"""', "...", "...#\n", "fragment ", "fragment#\n", "{(", '"""\\"""'])
def test_no_text_takes_longer_than_its_length(flood: str) -> None:
    # Each of these takes a scanner that tries again from every place hours, not moments.
    assert counted(flood * 20_000) <= 20_000
