"""Both executors over the same, and what differs between their answers; a failure is made as small as it can be."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from graphql import DocumentNode, GraphQLSchema, print_ast, validate
from graphql.execution import ExecutionResult, execute
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from engine.execution import CompilingExecutor, DocumentPlans, WritingExecutor
from tests.engine.execution.fuzz.documents import RULES

Roots = Callable[[], Any]
"""Makes the root value anew: the same values, but fresh, as some can be used only once."""


@dataclass(frozen=True)
class Told:
    """An answer as it is compared: its data to the letter, its errors in any order."""

    data: str
    written: str
    """The data as JSON, or why it is none."""
    errors: tuple[str, ...]
    nulled: tuple[str, ...]
    """Where errors made nulls: the same even where it depends on the clock which of several errors was the first."""


@dataclass
class Case:
    """A document with its variables, over a schema and objects."""

    schema: GraphQLSchema
    roots: Roots
    document: DocumentNode
    variables: dict[str, Any]
    strict: bool = True
    lasting: bool = False
    """Whether some objects last: the same are asked for again, and what was written of them is used."""
    context: Any = None
    plans: DocumentPlans = field(default_factory=lambda: DocumentPlans(compile_at=1))

    async def difference(self) -> tuple[Told, Told] | None:
        """What graphql-core answers and what compiled code answers, where they differ."""
        wanted = await self.run(StrawberryGraphQLCoreExecutionContext)
        found = await self.run(CompilingExecutor, plans=self.plans)
        same = wanted == found if self.strict else (wanted.data, wanted.nulled) == (found.data, found.nulled)
        if not same:
            return wanted, found
        return await self.difference_of_writing(wanted) if self.lasting else None

    async def difference_of_writing(self, wanted: Told) -> tuple[Told, Told] | None:
        """The same of what is written, the first time and once it was."""
        plans = DocumentPlans(compile_at=1)
        for _ in range(2):
            found = await self.run(WritingExecutor, plans=plans)
            same = (found.written, found.nulled) == (wanted.written, wanted.nulled)
            if not same or (self.strict and found.errors != wanted.errors):
                return wanted, found
        return None

    async def run(self, executor: type[Any], **more: Any) -> Told:
        """One of the two."""
        result: Any = execute(
            self.schema,
            self.document,
            self.roots(),
            self.context,
            variable_values=self.variables,
            executor_class=executor,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
            **more,
        )
        return told(await result if inspect.isawaitable(result) else result)

    async def smallest(self) -> Case:
        """A case with as little as possible that still differs."""
        case, going = self, True
        while going:
            going = False
            for document in shortened(case.document):
                tried = Case(self.schema, self.roots, document, self.variables, self.strict, self.lasting, self.context)
                if not validate(self.schema, document, RULES) and await tried.difference() is not None:
                    case, going = tried, True
                    break
        return case

    async def report(self) -> str:
        """The difference in words, of the smallest case."""
        case = await self.smallest()
        found = await case.difference()
        if found is None:
            return f"It differs only now and then:\n{print_ast(self.document)}\n{self.variables}"
        core, compiled = found
        lines = [print_ast(case.document), f"variables: {case.variables}"]
        for name, one, other in (("graphql-core", core, compiled), ("compiled", compiled, core)):
            lines += [
                f"{name}: {one.data}",
                f"as JSON: {one.written}",
                *(f"  {error}" for error in one.errors if error not in other.errors),
            ]
        return "\n".join(lines)


def told(result: ExecutionResult) -> Told:
    """An answer, as it is compared. `repr` tells types apart that JSON does not, and keeps the order of keys."""
    errors = [error.formatted for error in result.errors or ()]
    return Told(
        repr(result.data),
        written(result.data),
        tuple(sorted(json.dumps(error, sort_keys=True, default=repr) for error in errors)),
        tuple(sorted({str(nulled(result.data, error.get("path") or [])) for error in errors})),
    )


def written(data: Any) -> str:
    """The data as JSON, or why it is none."""
    try:
        return orjson.dumps(data).decode()
    except TypeError as error:
        return str(error)


def nulled(data: Any, path: list[Any]) -> list[Any]:
    """The place that an error made null."""
    for index, key in enumerate(path):
        if data is None:
            return path[:index]
        data = data[key]
    return path


def shortened(document: DocumentNode) -> Iterator[DocumentNode]:
    """The document with one definition, selection or directive left out."""
    for index, definition in enumerate(document.definitions):
        others = [*document.definitions[:index], *document.definitions[index + 1 :]]
        if others and definition.kind != "operation_definition":
            yield replace(document, definitions=tuple(others))
        for less in shorter(definition):
            others.insert(index, less)
            yield replace(document, definitions=tuple(others))
            others.pop(index)


def shorter(node: Any) -> Iterator[Any]:
    """A node with one selection or directive fewer, anywhere below it."""
    if getattr(node, "directives", None):
        yield replace(node, directives=())
    chosen: Any = getattr(node, "selection_set", None)
    whole: Any = chosen.selections if chosen is not None else ()
    for index, one in enumerate(whole):
        before, after = whole[:index], whole[index + 1 :]
        if before or after:
            yield replace(node, selection_set=replace(chosen, selections=(*before, *after)))
        for less in shorter(one):
            yield replace(node, selection_set=replace(chosen, selections=(*before, less, *after)))
