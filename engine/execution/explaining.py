"""What of a document is compiled, what is not, and why: for whoever writes a schema and wonders where the time goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import strawberry
from graphql import (
    DefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    NonNullTypeNode,
    OperationDefinitionNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    parse,
    print_ast,
    validate,
)
from graphql.execution.collect_fields import collect_fields

from engine.execution.executor import CompilingExecutor
from engine.execution.marks import many_of
from engine.execution.plans import MOST_FIELDS, DocumentPlans, OperationPlans
from engine.execution.shapes import Details, Reader
from engine.execution.trust import Unfit, strawberry_field


class How(StrEnum):
    """How a field is run."""

    COMPILED = "compiled"
    BATCHED = "batched"
    CORE = "graphql-core"


@dataclass(frozen=True)
class Explained:
    """One field of an operation: where it stands, which it is (`Type.field`), how it is run, and why not otherwise."""

    path: str
    field: str
    how: How
    why: str = ""

    def __str__(self) -> str:
        return f"{self.how:12}  {self.path}  ({self.field}){f': {self.why}' if self.why else ''}"


def explain(
    schema: strawberry.Schema,
    text: str,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
) -> list[Explained]:
    """Every selected field, as it is run from the operation's second use on. Raises GraphQLError for a wrong document.

    Variables need not be given: only those of @skip and @include matter, and are true unless they are given or have a
    default. Fields that are left out with these variables are not told of.
    """
    document = parse(text)
    given = dict(variables or {})
    executor: Any = [*validate(schema._schema, document)] or CompilingExecutor.build(
        schema._schema,
        replace(document, definitions=tuple(eased(one, given) for one in document.definitions)),
        raw_variable_values=given,
        operation_name=operation_name,
        plans=DocumentPlans(),
    )
    if isinstance(executor, list):
        raise executor[0]
    return list(Walk(executor).operation())


def eased(definition: DefinitionNode, given: dict[str, Any]) -> DefinitionNode:
    """An operation without the variables that it needs and is not given; of those, Booleans are put among the given."""
    if not isinstance(definition, OperationDefinitionNode):
        return definition
    kept = []
    for one in definition.variable_definitions or ():
        name = one.variable.name.value
        if name not in given and one.default_value is None and print_ast(one.type) == "Boolean!":
            given[name] = True
        if name in given or one.default_value is not None or not isinstance(one.type, NonNullTypeNode):
            kept.append(one)
    return replace(definition, variable_definitions=tuple(kept))


class Walk:
    """Goes through an operation as an execution does, but over types instead of objects."""

    def __init__(self, executor: CompilingExecutor) -> None:
        self.executor = executor
        self.plans: OperationPlans = executor.operation_plans

    def operation(self) -> Iterator[Explained]:
        """The whole operation."""
        executor = self.executor
        root = executor.schema.get_root_type(executor.operation.operation)
        if root is None:
            raise GraphQLError("The schema has no such operations.", executor.operation)
        found = collect_fields(executor.schema, executor.fragments, executor.variable_values, root, executor.operation)
        yield from self.interpreted(root, found.grouped_field_set, "")

    def reader(self, *, batches: bool) -> Reader:
        """A reader with a whole budget."""
        if self.plans.refusal is not None:
            raise Unfit(f"the operation is left to graphql-core: {self.plans.refusal}")
        return Reader(self.executor, MOST_FIELDS, batches=batches)

    def interpreted(self, parent: GraphQLObjectType, selected: dict[str, Details], path: str) -> Iterator[Explained]:
        """The fields of an object that graphql-core has in its hands."""
        for key, details in selected.items():
            here = f"{path}{key}"
            name = f"{parent.name}.{details[0].node.name.value}"
            try:
                self.reader(batches=False).member(parent, key, details)
            except Unfit as unfit:
                why = unfit.reason if unfit.field in (None, name) else f"it leads to {unfit.field}: {unfit.reason}"
                yield Explained(here, name, How.CORE, why)
                yield from self.below_core(parent, details, here)
            else:
                yield Explained(here, name, How.COMPILED)
                yield from self.below_compiled(parent, details, here)

    def below_core(self, parent: GraphQLObjectType, details: Details, path: str) -> Iterator[Explained]:
        """What lies below a field that graphql-core runs: a list may be compiled whole, and so may the value of a root
        field that is awaited; any other object in part."""
        field = parent.fields.get(details[0].node.name.value)
        output: Any = field.type if field is not None else None
        if field is None or is_leaf_type(get_named_type(output)):
            return
        if "." not in path and is_awaited(field) and self.fits(output, details):
            yield from self.below_compiled(parent, details, path)
            return
        while isinstance(output, GraphQLNonNull | GraphQLList):
            if isinstance(output, GraphQLList) and self.fits(output.of_type, details):
                yield from self.below_compiled(parent, details, path)
                return
            output = output.of_type
        for option, inside in self.options(output, path):
            yield from self.interpreted(option, self.executor.collect_subfields(option, details)[0], inside)

    def fits(self, item_type: Any, details: Details) -> bool:
        """Whether a list of these items is compiled whole."""
        try:
            self.reader(batches=True).place(item_type, details)
        except Unfit:
            return False
        return True

    def below_compiled(self, parent: GraphQLObjectType, details: Details, path: str) -> Iterator[Explained]:
        """What lies below a field that is compiled."""
        field = parent.fields.get(details[0].node.name.value)
        named = get_named_type(field.type) if field is not None else None
        if named is None or is_leaf_type(named):
            return
        for option, inside in self.options(named, path):
            for key, inner in self.executor.collect_subfields(option, details)[0].items():
                batched = self.is_batched(option, inner)
                name = f"{option.name}.{inner[0].node.name.value}"
                yield Explained(f"{inside}{key}", name, How.BATCHED if batched else How.COMPILED)
                yield from self.below_compiled(option, inner, f"{inside}{key}")

    def options(self, named: Any, path: str) -> Iterator[tuple[GraphQLObjectType, str]]:
        """The objects that may stand there, each with the beginning of its fields' paths."""
        if not is_abstract_type(named):
            yield named, f"{path}."
            return
        for option in self.executor.schema.get_possible_types(named):
            yield option, f"{path}.<{option.name}>."

    @staticmethod
    def is_batched(parent: GraphQLObjectType, details: Details) -> bool:
        """Whether a field is asked for once for a whole list."""
        field = parent.fields.get(details[0].node.name.value)
        made_of = strawberry_field(field) if field is not None else None
        resolver = made_of.base_resolver if made_of is not None else None
        return resolver is not None and many_of(resolver.wrapped_func) is not None


def is_awaited(field: GraphQLField) -> bool:
    """Whether a field's resolver is a coroutine function."""
    made_of = strawberry_field(field)
    resolver = made_of.base_resolver if made_of is not None else None
    return resolver is not None and resolver.is_async
