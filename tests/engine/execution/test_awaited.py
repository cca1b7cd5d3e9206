"""Awaited root fields whose value is compiled whole, and companions that have a value at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast

import pytest
import strawberry
from graphql import parse
from graphql.execution import ExecutionResult, execute

from engine.execution import CompilingExecutor, DocumentPlans, at_hand, by_class


@dataclass(frozen=True)
class Key:
    """A maker of which only the id is known."""

    id: str


@dataclass(frozen=True)
class Whole:
    """A maker."""

    id: str
    name: str


@dataclass(frozen=True)
class Made:
    """A thing, and who made it: at hand, or not."""

    maker_id: str
    label: Any = "a label"
    known: bool = True


calls: list[str] = []
"""What was asked of resolvers."""


async def maker(root: strawberry.Parent[Made]) -> Whole:
    """The maker, whom it takes time to find."""
    calls.append(f"maker {root.maker_id}")
    return Whole(root.maker_id, "Ada")


async def parts(root: strawberry.Parent[Made]) -> list[str]:
    """The parts, which may be at hand."""
    calls.append("parts")
    return ["slow"]


def parts_at_hand(root: Made) -> list[str]:
    """The same, or KeyError."""
    if not root.known:
        raise KeyError(root.maker_id)
    return ["quick"]


@strawberry.type
class Maker:
    """Who makes things."""

    is_type_of = by_class(Whole, Key)

    id: str
    name: str


@strawberry.type
class Thing:
    """What was made."""

    is_type_of = by_class(Made)

    label: str
    maker = strawberry.field(resolver=at_hand(lambda root: Key(root.maker_id), only=("id",))(maker), graphql_type=Maker)
    parts = strawberry.field(resolver=at_hand(parts_at_hand)(parts), graphql_type=list[str])


@strawberry.type
class Refused:
    """Why nothing was made."""

    reason: str


Outcome = Annotated[Thing | Refused, strawberry.union("Outcome")]


@strawberry.type
class Query:
    """Nothing."""

    nothing: str = ""


async def make(info: strawberry.Info) -> Any:
    """What the context is, or raises."""
    calls.append("make")
    if isinstance(info.context, Exception):
        raise info.context
    return info.context


async def make_it(info: strawberry.Info) -> Any:
    """The same, where something has to come of it."""
    return await make(info)


@strawberry.type
class Mutation:
    """The context is what comes of it."""

    make = strawberry.mutation(resolver=make, graphql_type=Outcome | None)
    must = strawberry.mutation(resolver=make_it, graphql_type=Outcome)


schema = strawberry.Schema(Query, Mutation)


async def made(selected: str, outcome: Any, field: str = "make") -> ExecutionResult:
    """What is answered where everything is compiled, which is what graphql-core answers by itself."""
    document = parse(f"mutation {{ {field} {{ __typename {selected} }} }}")
    answers = []
    compiling: dict[str, Any] = {"executor_class": CompilingExecutor, "plans": DocumentPlans(compile_at=1)}
    for more in ({}, compiling):
        calls.clear()
        result: Any = execute(schema._schema, document, None, outcome, **more)
        answers.append(cast("ExecutionResult", await result))
    told, compiled = answers
    assert [error.formatted for error in told.errors or ()] == [error.formatted for error in compiled.errors or ()]
    if "parts" not in selected:
        assert told.data == compiled.data
    return compiled


async def test_what_a_companion_knows_is_not_waited_for() -> None:
    answer = await made("... on Thing { label maker { id } }", Made("7"))
    assert answer.data == {"make": {"__typename": "Thing", "label": "a label", "maker": {"id": "7"}}}
    assert calls == ["make"]


async def test_a_resolver_is_asked_for_what_its_companion_does_not_know() -> None:
    answer = await made("... on Thing { maker { id name } }", Made("7"))
    assert answer.data == {"make": {"__typename": "Thing", "maker": {"id": "7", "name": "Ada"}}}
    assert calls == ["make", "maker 7"]


async def test_a_fragment_hides_no_field_from_a_companion() -> None:
    answer = await made("... on Thing { maker { ... on Maker { id ... { name } } } }", Made("7"))
    assert answer.data == {"make": {"__typename": "Thing", "maker": {"id": "7", "name": "Ada"}}}
    assert calls == ["make", "maker 7"]


async def test_a_resolver_is_asked_where_its_companion_raises() -> None:
    assert (await made("... on Thing { parts }", Made("7"))).data == {
        "make": {"__typename": "Thing", "parts": ["quick"]}
    }
    assert calls == ["make"]
    answer = await made("... on Thing { parts }", Made("7", known=False))
    assert answer.data == {"make": {"__typename": "Thing", "parts": ["slow"]}}
    assert answer.errors is None
    assert calls == ["make", "parts"]


async def test_an_awaited_field_is_never_resolved_twice() -> None:
    odd = await made("... on Thing { label }", Made("7", label=None))
    assert odd.data == {"make": None}
    assert [error.path for error in odd.errors or ()] == [["make", "label"]]
    assert calls == ["make"]


async def test_what_an_awaited_field_raises_is_its_error() -> None:
    failed = await made("... on Thing { label }", ValueError("no"))
    assert failed.data == {"make": None}
    assert [(error.message, error.path) for error in failed.errors or ()] == [("no", ["make"])]
    assert calls == ["make"]


async def test_null_and_other_types_of_a_union() -> None:
    assert (await made("... on Refused { reason }", None)).data == {"make": None}
    answer = await made("... on Refused { reason }", Refused(reason="sold out"))
    assert answer.data == {"make": {"__typename": "Refused", "reason": "sold out"}}
    stray = await made("... on Refused { reason }", object())
    assert stray.data == {"make": None}
    assert len(stray.errors or ()) == 1


@pytest.mark.parametrize("outcome", [None, ValueError("no"), object(), Made("7", label=None)])
async def test_what_must_be_there_and_is_not_takes_all_of_the_data(outcome: Any) -> None:
    answer = await made("... on Thing { label }", outcome, "must")
    assert answer.data is None
    assert len(answer.errors or ()) == 1
    assert calls == ["make"]


async def test_several_root_fields_are_made_in_turn() -> None:
    answer = await made("... on Thing { label } } next: must { __typename", Made("7"))
    assert answer.data == {"make": {"__typename": "Thing", "label": "a label"}, "next": {"__typename": "Thing"}}
    assert calls == ["make", "make"]
