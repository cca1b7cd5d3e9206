"""Input objects that are made quickly are those that Strawberry makes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Any

import pytest
import strawberry
from strawberry.relay import GlobalID
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition, get_object_definition

from engine.execution import quicken


class Colour(Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


strawberry.enum(Colour)

GIVEN: list[Any] = []
"""What the resolver is given."""


@strawberry.input
class Inner:
    """What lies within."""

    day: date
    colour: Colour = Colour.RED
    numbers: list[int] = strawberry.field(default_factory=lambda: [1])


@strawberry.input
class Outer:
    """What is asked for."""

    first_name: str
    other: str | None
    id: GlobalID | None = None
    ids: list[GlobalID] | None = None
    left_out: str | None = strawberry.UNSET
    named: str = strawberry.field(name="called", default="Ada")
    inner: Inner | None = None
    inners: list[Inner | None] = strawberry.field(default_factory=list)
    nested: list[list[Inner]] | None = None
    colours: list[Colour] | None = None


@strawberry.input
class Unsure:
    """It knows null from nothing, which only Strawberry looks after."""

    sure: strawberry.Maybe[int] = None


@strawberry.input
class Whole:
    """An input with others in it."""

    outer: Outer
    first_name: str = "Grace"
    unsure: Unsure | None = None


@strawberry.type
class Query:
    """What is asked."""

    @strawberry.field
    def ask(self, input: Whole, others: list[Inner] | None = None) -> str:
        """Take it."""
        GIVEN.append((input, others))
        return "taken"


def definitions() -> list[StrawberryObjectDefinition]:
    """What Strawberry knows of the inputs."""
    return [get_object_definition(kind, strict=True) for kind in (Inner, Outer, Whole, Unsure)]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Nothing was taken yet, and nothing is quick; afterwards neither."""
    GIVEN.clear()
    yield
    for definition in definitions():
        definition.from_input = None


def told(schema: strawberry.Schema, document: str) -> tuple[Any, ...]:
    """What comes of a document that is asked twice, and what the resolver was given."""
    GIVEN.clear()
    results = [schema.execute_sync(document) for _ in range(2)]
    return [(one.data, [error.formatted for error in one.errors or ()]) for one in results], repr(GIVEN)


INNER = '{day: "2027-01-02", colour: BLUE, numbers: [1, 2]}'
DOCUMENTS = [
    '{ ask(input: {outer: {firstName: "A", other: null}}) }',
    '{ ask(input: {outer: {firstName: "A"}, firstName: "B"}) }',
    '{ ask(input: {outer: {firstName: "A", leftOut: null, called: "C", colours: [RED, BLUE]}, unsure: {sure: 7}}) }',
    '{ ask(input: {outer: {firstName: "A", id: "VXNlcjox", ids: ["VXNlcjox", "VXNlcjoy"]}}) }',
    f'{{ ask(input: {{outer: {{firstName: "A", inner: {INNER}, inners: [null, {INNER}], nested: [[{INNER}]]}}}}) }}',
    f'{{ ask(input: {{outer: {{firstName: "A"}}}}, others: [{INNER}, {{day: "2027-01-03"}}]) }}',
    '{ ask(input: {outer: {firstName: "A"}, unsure: {sure: null}}) }',
    '{ ask(input: {outer: {firstName: "A", id: "none"}}) }',
    '{ ask(input: {outer: {firstName: "A", inner: {day: "never"}}}) }',
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_resolver_is_given_is_the_same(document: str) -> None:
    schema = strawberry.Schema(Query)
    before = told(schema, document)
    quicken(schema)
    assert told(schema, document) == before


def test_names_are_those_of_the_schema() -> None:
    usual, own = strawberry.Schema(Query), strawberry.Schema(Query, config=StrawberryConfig(auto_camel_case=False))
    quicken(usual)
    for schema, name in ((usual, "firstName"), (own, "first_name")):
        schema.execute_sync(f'{{ ask(input: {{outer: {{{name}: "A", called: "C"}}, {name}: "B"}}) }}')
    assert [(input.first_name, input.outer.first_name, input.outer.named) for input, _ in GIVEN] == 2 * [
        ("B", "A", "C")
    ]


def test_lists_are_each_request_s_own() -> None:
    schema = strawberry.Schema(Query)
    quicken(schema)
    for _ in range(2):
        schema.execute_sync('{ ask(input: {outer: {firstName: "A", inner: {day: "2027-01-02"}}}) }')
    first, second = (input.outer.inner.numbers for input, _ in GIVEN)
    assert first == second == [1]
    assert first is not second


def test_what_knows_null_from_nothing_is_left_to_strawberry() -> None:
    quicken(strawberry.Schema(Query))
    made = [definition.from_input for definition in definitions()]
    assert [one is not None for one in made] == [True, True, True, False]
