"""Jetway's own types: compiled answers are graphql-core's there too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import GraphQLObjectType, GraphQLScalarType, GraphQLSchema

from engine.execution import marks, trust
from tests.engine.execution.fuzz.campaign import LEFT_BEHIND, differences
from tests.engine.execution.fuzz.jetway import jetway_cases, made_up_schema

pytestmark = LEFT_BEHIND

DOCUMENTS = 40


@pytest.fixture(scope="module")
def schema() -> Iterator[GraphQLSchema]:
    """Jetway's types, every scalar, row class and resolver without a context taken for pure."""
    made = made_up_schema()
    with pytest.MonkeyPatch.context() as patch:
        for named in made.type_map.values():
            if isinstance(named, GraphQLScalarType) and not trust.is_pure_scalar(named):
                patch.setattr(named.coerce_output_value, marks.PURE, True, raising=False)
            if isinstance(named, GraphQLObjectType):
                mark(named, patch)
        yield made


def mark(named: GraphQLObjectType, patch: pytest.MonkeyPatch) -> None:
    """Mark what of a type may be compiled."""
    is_type_of = named.is_type_of
    if is_type_of is not None and not trust.knows_by_class(named):
        patch.setattr(is_type_of, marks.CLASSES, trust.closed_over(is_type_of, "rows"), raising=False)
    for field in named.fields.values():
        made_of = trust.strawberry_field(field)
        resolver = made_of.base_resolver if made_of is not None else None
        if resolver is not None and not resolver.is_async and resolver.info_parameter is None:
            patch.setattr(resolver.wrapped_func, marks.PURE, True, raising=False)


@pytest.mark.parametrize("seed", range(3))
async def test_compiled_answers_are_those_of_graphql_core(
    schema: GraphQLSchema, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    count, found = await differences(jetway_cases(schema, seed, DOCUMENTS))
    assert count > DOCUMENTS
    if found:
        pytest.fail(f"{found[0].name} (and {len(found) - 1} others):\n{await found[0].case.report()}")
    assert caplog.records == []
