"""`explain` says what is compiled, and why the rest is not."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry
from graphql import GraphQLError
from strawberry.directive import DirectiveLocation
from strawberry.permission import BasePermission

from engine.execution import How, batched, explain, pure
from engine.execution.trust import ASYNC_RESOLVER, BASIC_FIELD, IS_TYPE_OF, RESOLVE_INTERFACE, RESOLVE_UNION, RESOLVER


def size(root: strawberry.Parent[Any]) -> int:
    """A number."""
    return len(root)


def times(root: strawberry.Parent[Any], c: int) -> int:
    """A number of times."""
    return len(root) * c


async def sizes(roots: list[Any], _info: Any) -> list[int]:
    """Numbers."""
    return [len(root) for root in roots]


async def later(root: strawberry.Parent[Any]) -> int:
    """A number, later."""
    return len(root)


async def counted(root: strawberry.Parent[Any]) -> int:
    """A number, of one."""
    return len(root)


def asks(root: strawberry.Parent[Any], info: strawberry.Info) -> int:
    """A resolver that looks around."""
    return len(root) + len(info.field_name)


class Never(BasePermission):
    """Nobody may."""

    def has_permission(self, source: Any, info: Any, **kwargs: Any) -> bool:
        return False


@strawberry.type
class Leaf:
    """A leaf."""

    name: str
    secret: str = strawberry.field(permission_classes=[Never])
    size = strawberry.field(resolver=pure(size), graphql_type=int)
    times = strawberry.field(resolver=pure(times), graphql_type=int)
    asks = strawberry.field(resolver=pure(asks), graphql_type=int)
    slow = strawberry.field(resolver=later, graphql_type=int)
    many = strawberry.field(resolver=batched(sizes)(counted), graphql_type=int)


@strawberry.type
class Query:
    """What is asked."""

    leaves: list[Leaf]
    leaf: Leaf

    @strawberry.field
    async def found(self) -> list[Leaf]:
        """Leaves."""
        return []


schema = strawberry.Schema(Query)


def told(text: str) -> dict[str, tuple[How, str]]:
    """How each path is run, and why."""
    return {one.path: (one.how, one.why) for one in explain(schema, text)}


def test_every_field_is_told_of() -> None:
    assert told("{ __typename found { name size many } leaf { name secret asks slow many } }") == {
        "__typename": (How.COMPILED, ""),
        "found": (How.CORE, "its resolver is not marked pure"),
        "found.name": (How.COMPILED, ""),
        "found.size": (How.COMPILED, ""),
        "found.many": (How.BATCHED, ""),
        "leaf": (How.CORE, "it leads to Leaf.secret: it has an extension or a permission"),
        "leaf.name": (How.COMPILED, ""),
        "leaf.secret": (How.CORE, "it has an extension or a permission"),
        "leaf.asks": (How.CORE, "its resolver asks for info"),
        "leaf.slow": (How.CORE, "its resolver is not marked pure"),
        "leaf.many": (How.CORE, "it is batched, and stands in no list here"),
    }


def test_a_directive_keeps_all_from_being_compiled() -> None:
    reason = "the operation is left to graphql-core: it has the directive @mine"
    with pytest.raises(GraphQLError, match="Unknown directive '@mine'"):
        told('{ leaf @mine(value: "x") { name } }')
    streamed = strawberry.Schema(Query, directives=[mine])
    assert [one.why for one in explain(streamed, '{ leaf @mine(value: "x") { name } }')] == [reason, reason]


@strawberry.directive(locations=[DirectiveLocation.FIELD], name="mine")
def mine(value: str) -> str:
    """A directive."""
    return value


def test_a_line_can_be_read() -> None:
    assert [str(one) for one in explain(schema, "{ leaf { slow } }")] == [
        "graphql-core  leaf  (Query.leaf): it leads to Leaf.slow: its resolver is not marked pure",
        "graphql-core  leaf.slow  (Leaf.slow): its resolver is not marked pure",
    ]


def test_what_is_recognised_of_the_libraries_is_there() -> None:
    """Where it is not, a library has changed: nothing is wrong, but nothing compiles either."""
    known = (BASIC_FIELD, RESOLVER, ASYNC_RESOLVER, IS_TYPE_OF, RESOLVE_INTERFACE, RESOLVE_UNION)
    assert None not in known


def test_variables_need_not_be_given() -> None:
    text = "query ($a: Boolean!, $b: Boolean!, $c: Int!) { leaf { name @include(if: $a) size @skip(if: $b) } }"
    text = text.replace("leaf {", "leaf { times(c: $c)")
    assert {one.path for one in explain(schema, text)} == {"leaf", "leaf.times", "leaf.name"}
    assert {one.path for one in explain(schema, text, {"b": False})} == {"leaf", "leaf.times", "leaf.name", "leaf.size"}
