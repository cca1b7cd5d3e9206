"""Every refusal reaches the client as a problem that the mutation's union has, with a code that the schema knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from graphql import GraphQLUnionType
from strawberry.types.base import StrawberryObjectDefinition

from core.errors import DomainError
from schema.build import Mutation, schema
from schema.problems import ALWAYS, TOLD_AS, ProblemCode
from tests.contracts.sources import domain_errors, refusal_codes, refusals_of

DEFINITION: StrawberryObjectDefinition = vars(Mutation)["__strawberry_definition__"]
FIELDS = {field.python_name: field for field in DEFINITION.fields}
by_mutation = pytest.mark.parametrize("name", sorted(FIELDS))


def told_as(refusal: type[DomainError]) -> str:
    """The name of the problem that a refusal is told as."""
    return next(problem.__name__ for kind, problem, _ in TOLD_AS if issubclass(refusal, kind))


def members(name: str) -> set[str]:
    """What the mutation of that Python name may answer."""
    camel = schema.config.name_converter.from_field(FIELDS[name])
    mutations = schema._schema.mutation_type
    assert mutations is not None
    union = mutations.fields[camel].type
    assert isinstance(union, GraphQLUnionType)
    return {member.name for member in union.types}


def refused_by(name: str) -> set[type[DomainError]]:
    """What the resolver of that mutation refuses, and what it calls."""
    resolver = FIELDS[name].base_resolver
    assert resolver is not None
    return refusals_of(cast("Callable[..., Any]", resolver.wrapped_func))


def test_there_are_refusals_and_mutations() -> None:
    assert len(domain_errors()) > 15
    assert len(FIELDS) > 9
    assert len(refusal_codes()) > 25


@pytest.mark.parametrize("kind", sorted(domain_errors(), key=str))
def test_every_refusal_is_told_as_a_problem(kind: type[DomainError]) -> None:
    assert told_as(kind)


def test_a_particular_refusal_stands_before_a_general_one() -> None:
    for index, (kind, _, _) in enumerate(TOLD_AS):
        assert not any(issubclass(kind, earlier) for earlier, _, _ in TOLD_AS[:index]), kind


def test_every_code_is_in_the_schema_and_no_other() -> None:
    assert set(refusal_codes()) == set(ProblemCode)


@by_mutation
def test_every_mutation_may_answer_what_any_may(name: str) -> None:
    assert members(name) >= {problem.__name__ for problem in ALWAYS}


@by_mutation
def test_what_its_services_refuse_is_in_its_union(name: str) -> None:
    assert {told_as(kind) for kind in refused_by(name)} <= members(name)


def test_the_walk_sees_what_is_refused_far_below_a_mutation() -> None:
    found = {kind.__name__ for kind in refused_by("hold_seats")}
    assert found >= {"Invalid", "NotFound", "SeatsTaken", "SoldOut", "SalesClosed", "UnknownSeat", "KeyReused"}
