"""Resolvers called by known ways are called as Strawberry calls them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, cast

import pytest
import strawberry
from graphql import parse
from graphql.execution import ExecutionResult, execute
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.relay import GlobalID

from engine.execution import CompilingExecutor, DocumentPlans
from engine.execution.calling import Calling, calling


@strawberry.enum
class Size(Enum):
    """A size."""

    LARGE = "l"


@strawberry.input
class Wish:
    """What is wished for."""

    how_many: int
    size: Size | None = None
    also: list[Wish] | None = None


class Louder(FieldExtension):
    """Sees the arguments, and changes what is answered."""

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Any, **arguments: Any
    ) -> Any:
        return f"{sorted(arguments)} {info.field_name} {await next_(source, info, **arguments)}!"


class Reshaping(Louder):
    """Changes the arguments."""

    def map_arguments(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {**kwargs, "name": "reshaped"}


class Never(BasePermission):
    """Nobody may."""

    message = "You may not."

    def has_permission(self, source: Any, info: Any, **arguments: Any) -> bool:
        return False


async def said_of(root: Any, info: strawberry.Info, name: str = "x", wish: Wish | None = None) -> str:
    """All that it is given."""
    return f"{root} {info.context} {info.python_name} {name} {wish}"


async def plain_of(
    names: list[str] | None = strawberry.UNSET, sizes: list[Size | None] | None = None, of: int = 7
) -> str:
    """Neither the root nor the info."""
    return f"{names is strawberry.UNSET or names} {sizes} {of}"


async def own_of(self: Any, name: str) -> str:
    """As a method."""
    return f"{self} {name}"


async def odd_of(perhaps: strawberry.Maybe[str], of: GlobalID | None = None) -> str:
    """What is left to Strawberry."""
    return f"{perhaps} {of}"


async def fails_of(name: str) -> str:
    """Never answers."""
    raise ValueError(name)


@strawberry.type
class Query:
    """What is asked."""

    said = strawberry.field(resolver=said_of, graphql_type=str)
    plain = strawberry.field(resolver=plain_of, graphql_type=str)
    own = strawberry.field(resolver=own_of, graphql_type=str)
    odd = strawberry.field(resolver=odd_of, graphql_type=str)
    fails = strawberry.field(resolver=fails_of, graphql_type=str)
    loud = strawberry.field(resolver=said_of, graphql_type=str, extensions=[Louder(), Louder()])
    reshaped = strawberry.field(resolver=said_of, graphql_type=str, extensions=[Reshaping()])
    never = strawberry.field(resolver=plain_of, graphql_type=str, permission_classes=[Never])


schema = strawberry.Schema(Query)


def test_what_is_called_by_known_ways() -> None:
    fields = schema._schema.query_type
    assert fields is not None
    known = {name for name, field in fields.fields.items() if isinstance(calling(field, schema._schema), Calling)}
    assert known == {"said", "plain", "fails", "loud", "never"}


@pytest.mark.parametrize(
    "asked",
    [
        "said",
        'said(name: "y", wish: {howMany: 1, size: LARGE, also: [{howMany: 2}]})',
        "said(wish: null)",
        "plain",
        "plain(names: [], sizes: [LARGE, null])",
        'plain(names: "one", of: 8)',
        "plain(names: null)",
        'own(name: "me")',
        'odd(perhaps: "a", of: "UXVlcnk6MQ==")',
        "odd",
        'odd(of: "?")',
        'fails(name: "no")',
        'loud(name: "y")',
        'reshaped(name: "y")',
        "never",
        'said(name: "y") again: plain',
    ],
)
async def test_they_answer_what_they_answer_through_strawberry(asked: str) -> None:
    compiling: dict[str, Any] = {"executor_class": CompilingExecutor, "plans": DocumentPlans(compile_at=1)}
    answers = []
    for more in ({}, compiling):
        found: Any = execute(schema._schema, parse(f"{{ {asked} }}"), "the root", "the context", **more)
        result = cast("ExecutionResult", await found)
        answers.append((result.data, [error.formatted for error in result.errors or ()]))
    assert answers[0] == answers[1]
