"""What the executor compiles and when, what it leaves alone, and how batch fields answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import strawberry
from graphql import GraphQLError, parse
from graphql.execution import ExecutionResult, execute, subscribe
from strawberry.extensions import SchemaExtension

from engine.execution import CompilingExecutor, DocumentPlans, batched, by_class, pure
from engine.execution.plans import MOST_VARIANTS, KnownPlans


@dataclass(frozen=True)
class Row:
    """A thing; `label` can be wrong."""

    number: int
    label: Any = "a label"
    parts: Sequence[Any] = ()


calls: list[Any] = []
"""What the ordinary resolver and the batch were asked."""


async def left(root: strawberry.Parent[Row], times: int = 1) -> int:
    """Of one."""
    calls.append(root.number)
    return left_of(root, times)


async def left_of_all(roots: Sequence[Row], info: strawberry.Info, times: int) -> list[int | Exception]:
    """Of many."""
    calls.append((".".join(map(str, path(info.path))), [root.number for root in roots]))
    await asyncio.sleep(0)
    if info.context is not None:
        given = info.context(roots)
        return cast("list[int | Exception]", await given if asyncio.iscoroutine(given) else given)
    found: list[int | Exception] = []
    for root in roots:
        try:
            found.append(left_of(root, times))
        except LookupError as error:
            found.append(error)
    return found


def path(one: Any) -> list[Any]:
    """A path from the root on."""
    return [*path(one.prev), one.key] if one is not None else []


def left_of(root: Row, times: int) -> int:
    """How many are left."""
    if root.number == 13:
        raise LookupError("13 is not counted")
    return root.number * times


def double(root: strawberry.Parent[Row], by: int = 2) -> int:
    """A pure resolver."""
    return root.number * by


@strawberry.type
class Part:
    """A part of a thing."""

    is_type_of = by_class(Row)

    number: int
    label: str
    left = strawberry.field(resolver=batched(left_of_all)(left), graphql_type=int)


@strawberry.type
class Other:
    """Something else."""

    name: str


@strawberry.type
class Thing:
    """A thing."""

    number: int
    label: str
    double = strawberry.field(resolver=pure(double), graphql_type=int)
    left = strawberry.field(resolver=batched(left_of_all)(left), graphql_type=int | None)
    parts: list[Part | Other]


@strawberry.type
class Query:
    """The root value is a list of rows."""

    @strawberry.field
    def things(root: strawberry.Parent[Any]) -> list[Thing]:  # noqa: N805 - Strawberry's way
        """All of them."""
        return cast("list[Thing]", root)

    @strawberry.field
    def grid(root: strawberry.Parent[Any]) -> list[list[Thing]]:  # noqa: N805
        """All of them, twice."""
        return cast("list[list[Thing]]", [root, root])

    @strawberry.field
    def first(root: strawberry.Parent[Any]) -> Thing:  # noqa: N805
        """The first."""
        return cast("Thing", root[0])


@strawberry.type
class Subscription:
    """Events."""

    @strawberry.subscription
    async def counted(self, to: int) -> AsyncGenerator[Thing, None]:
        """Things."""
        for number in range(to):
            yield cast("Thing", Row(number))


schema = strawberry.Schema(Query, subscription=Subscription, types=[Part, Other])


@dataclass
class Asked:
    """A document that is asked again and again with the same plans."""

    text: str
    plans: DocumentPlans = field(default_factory=lambda: DocumentPlans(compile_at=1))

    def __post_init__(self) -> None:
        calls.clear()
        self.document = parse(self.text)

    async def of(self, rows: Sequence[Any], context: Any = None, **variables: Any) -> ExecutionResult:
        """The answer for those rows."""
        result: Any = execute(
            schema._schema,
            self.document,
            rows,
            context,
            variables,
            executor_class=CompilingExecutor,
            plans=self.plans,
        )
        return cast("ExecutionResult", await result if asyncio.iscoroutine(result) else result)

    @property
    def compiled(self) -> int:
        """How many plans there are."""
        (operation,) = self.plans.operations.values()
        return sum(plan is not None for one in operation.variants.values() for plan in one.plans.values())


async def test_an_operation_is_compiled_at_its_second_use() -> None:
    asked = Asked("{ things { number label } }", DocumentPlans())
    assert (await asked.of([Row(1)])).data == {"things": [{"number": 1, "label": "a label"}]}
    assert asked.compiled == 0
    assert (await asked.of([Row(2)])).data == {"things": [{"number": 2, "label": "a label"}]}
    assert asked.compiled == 1


async def test_each_combination_of_conditions_has_its_own_plans() -> None:
    asked = Asked("query ($with: Boolean!) { things { number label @include(if: $with) } }")
    assert (await asked.of([Row(1)], **{"with": True})).data == {"things": [{"number": 1, "label": "a label"}]}
    assert (await asked.of([Row(1)], **{"with": False})).data == {"things": [{"number": 1}]}
    assert asked.compiled == 2


async def test_combinations_of_conditions_are_bounded() -> None:
    names = [f"v{index}" for index in range(5)]
    fields = " ".join(f"{name}: number @skip(if: ${name})" for name in names)
    asked = Asked(f"query ({' '.join(f'${name}: Boolean!' for name in names)}) {{ things {{ label {fields} }} }}")
    for combination in range(2 ** len(names)):
        skipped = {name: bool(combination >> index & 1) for index, name in enumerate(names)}
        shown = {name: 7 for name in names if not skipped[name]}
        assert (await asked.of([Row(7)], **skipped)).data == {"things": [{"label": "a label", **shown}]}
    assert asked.compiled == MOST_VARIANTS


async def test_arguments_may_differ_from_operation_to_operation() -> None:
    asked = Asked("query ($by: Int!) { things { double(by: $by) three: double(by: 3) } }")
    for by in (2, 5):
        assert (await asked.of([Row(4)], by=by)).data == {"things": [{"double": 4 * by, "three": 12}]}
    assert asked.compiled == 1


async def test_a_wrong_value_is_told_as_graphql_core_tells_it() -> None:
    asked = Asked("{ things { number label } }")
    result = await asked.of([Row(1), Row(2, label=None)])
    assert result.data is None
    assert [error.message for error in result.errors or ()] == [
        "Cannot return null for non-nullable field Thing.label."
    ]
    assert (result.errors or [])[0].path == ["things", 1, "label"]
    assert asked.compiled > 0


@pytest.mark.parametrize(
    "text",
    [
        "query @mine { things { number } }",
        "{ things { number @mine } }",
        "{ things { ...F @mine } } fragment F on Thing { number }",
    ],
)
async def test_other_directives_are_left_to_graphql_core(text: str) -> None:
    asked = Asked(text)
    assert (await asked.of([Row(1)])).data == {"things": [{"number": 1}]}
    (operation,) = asked.plans.operations.values()
    assert operation.refusal == "it has the directive @mine"
    assert operation.variants == {}


async def test_an_extension_that_watches_fields_sees_them_all() -> None:
    seen: list[str] = []

    class Watching(SchemaExtension):
        def resolve(self, _next: Callable[..., Any], root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(info.field_name)
            return _next(root, info, *args, **kwargs)

    watched = strawberry.Schema(Query, extensions=[Watching], execution_context_class=CompilingExecutor)
    for _ in range(3):
        seen.clear()
        await watched.execute("{ things { number label } }", root_value=[Row(1)])
        assert seen == ["things", "number", "label"]


async def test_plans_of_a_document_that_nobody_keeps_are_bounded() -> None:
    class Small(CompilingExecutor):
        known_plans = KnownPlans(most=3)

    documents = [parse(f"{{ things {{ a{index}: number }} }}") for index in range(5)]
    for document in documents:
        execute(schema._schema, document, [Row(1)], executor_class=Small)
    kept = [one.operation for one in Small.known_plans.operations.values()]
    assert kept == [document.definitions[0] for document in documents[2:]]


async def test_fragments_within_fragments_do_not_multiply_what_is_compiled() -> None:
    deep = " ".join(
        f"fragment F{index} on Thing {{ a{index}: number b{index}: label ...F{index + 1} ...F{index + 1} }}"
        for index in range(20)
    )
    asked = Asked(f"{{ things {{ ...F0 }} }} {deep} fragment F20 on Thing {{ number }}")
    assert len(((await asked.of([Row(1)])).data or {})["things"][0]) == 41
    (operation,) = asked.plans.operations.values()
    assert operation.budget > 900


async def test_more_than_may_be_compiled_is_interpreted() -> None:
    fields = " ".join(f"a{index}: number" for index in range(1_100))
    asked = Asked(f"{{ things {{ {fields} }} }}")
    assert len(((await asked.of([Row(1)])).data or {})["things"][0]) == 1_100
    assert asked.compiled == 0


async def test_a_batch_is_asked_once_for_a_list() -> None:
    asked = Asked("{ things { number left(times: 3) } }")
    result = await asked.of([Row(1), Row(2)])
    assert result.data == {"things": [{"number": 1, "left": 3}, {"number": 2, "left": 6}]}
    assert calls == [("things.left", [1, 2])]


async def test_a_batch_is_asked_once_for_lists_within_lists_and_by_type() -> None:
    asked = Asked("{ grid { left parts { ... on Part { left } ... on Other { name } } } }")
    rows = [Row(1, parts=(Row(3), Other(name="o"))), Row(2, parts=[Row(4)])]
    things = [
        {"left": 1, "parts": [{"left": 3}, {"name": "o"}]},
        {"left": 2, "parts": [{"left": 4}]},
    ]
    assert (await asked.of(rows)).data == {"grid": [things, things]}
    assert sorted(calls) == [("grid.left", [1, 2, 1, 2]), ("grid.left", [3, 4, 3, 4])]


async def test_a_single_object_is_answered_by_the_ordinary_resolver() -> None:
    asked = Asked("{ first { left } }")
    assert (await asked.of([Row(5)])).data == {"first": {"left": 5}}
    assert calls == [5]


async def test_an_exception_in_a_place_is_that_places_error_and_nothing_is_asked_twice() -> None:
    asked = Asked("{ things { number left } }")
    result = await asked.of([Row(1), Row(13), Row(2)])
    assert result.data == {"things": [{"number": 1, "left": 1}, {"number": 13, "left": None}, {"number": 2, "left": 2}]}
    assert [(error.message, error.path) for error in result.errors or ()] == [
        ("13 is not counted", ["things", 1, "left"])
    ]
    assert calls == [("things.left", [1, 13, 2])]


async def test_an_exception_of_a_batch_is_everybodys_error() -> None:
    def fails(_roots: Sequence[Row]) -> list[int]:
        raise ConnectionError("the counter is away")

    asked = Asked("{ things { left } }")
    result = await asked.of([Row(1), Row(2)], fails)
    assert result.data == {"things": [{"left": None}, {"left": None}]}
    assert [(error.message, error.path) for error in result.errors or ()] == [
        ("the counter is away", ["things", 0, "left"]),
        ("the counter is away", ["things", 1, "left"]),
    ]
    assert len(calls) == 1


@pytest.mark.parametrize("given", [[1], [1, 2, 3], None, 7, iter([1, 2])])
async def test_a_batch_that_does_not_answer_for_each_is_at_fault(given: Any) -> None:
    asked = Asked("{ things { left } }")
    result = await asked.of([Row(1), Row(2)], lambda _: given)
    assert result.data == {"things": [{"left": None}, {"left": None}]}
    messages = {error.message for error in result.errors or ()}
    assert messages == {"The batch of Thing.left did not return 2 values in a sequence."}


async def test_a_batch_can_be_cancelled() -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def waits() -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    asked = Asked("{ things { left } }")
    task = asyncio.create_task(asked.of([Row(1)], lambda _: waits()))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()


async def test_events_of_a_subscription_are_compiled_and_nothing_is_kept_of_them() -> None:
    plans = DocumentPlans()
    executors: list[CompilingExecutor] = []

    class Watched(CompilingExecutor):
        def build_per_event_executor(self, payload: Any) -> CompilingExecutor:
            executors.append(super().build_per_event_executor(payload))
            return executors[-1]

    document = parse("subscription { counted(to: 4) { number label } }")
    events: Any = subscribe(schema._schema, document, executor_class=Watched, plans=plans)
    events = await events if asyncio.iscoroutine(events) else events
    data = [event.data async for event in events]
    assert data == [{"counted": {"number": number, "label": "a label"}} for number in range(4)]
    assert [len(one._relevant_sub_fields) for one in executors] == [1, 1, 1, 1]
    assert all(one.variant is not None for one in executors)


def test_a_mark_needs_something_that_can_bear_it() -> None:
    with pytest.raises(TypeError, match="cannot bear a mark"):
        pure(str.upper)


async def test_a_fault_in_the_compiler_costs_speed_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("engine.execution.plans.write_list", lambda _: 1 / 0)
    asked = Asked("{ things { number } }")
    assert (await asked.of([Row(1)])).data == {"things": [{"number": 1}]}
    assert "A plan could not be made" in caplog.text


def test_errors_of_directives_are_graphql_cores() -> None:
    document = parse("query ($v: Boolean = true) { things { number @skip(if: $v) } }")
    result: Any = execute(
        schema._schema,
        document,
        [Row(1)],
        None,
        {"v": None},
        executor_class=CompilingExecutor,
        plans=DocumentPlans(compile_at=1),
    )
    assert isinstance(result.errors[0], GraphQLError)
    assert result.data is None
