"""Field Selection Merging (GraphQL, October 2021, section 5.3.2) in bounded time.

The usual rule compares fields in pairs: 3 kB of one field repeated take it a second. Here, fields that meet under one
name in the response are gathered in a set, and all are held against the first of them; what is selected below them is
merged and looked at in the same way, twice over:

- the values of all fields of one name have the same shape, whatever objects they are of;
- the fields of one name that may be of one object are the same field with the same arguments.

A set that was looked at before is not looked at again. What is gathered is no more than the operation has fields once
its fragments are spread, which are limited before; only abstract types add to it, and so all steps are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    get_named_type,
    is_composite_type,
    is_object_type,
    print_ast,
)

from engine.limits.settings import Limits, exceeded
from engine.limits.shapes import fragments_of

SEVERAL = 2


class Met(NamedTuple):
    """A field as it was selected, and the type that it was selected of."""

    node: FieldNode
    parent: GraphQLNamedType
    definition: GraphQLField


Fields = list[Met]
Check = Callable[["Merging", Fields], Iterable[Fields]]


class Conflict(Exception):
    """Two fields that cannot be merged."""

    def __init__(self, one: Met, other: Met, reason: str) -> None:
        super().__init__(reason)
        name = response_name(one.node)
        self.error = GraphQLError(
            f"Fields '{name}' conflict because {reason}."
            " Use different aliases on the fields to fetch both if this was intentional.",
            [one.node, other.node],
        )


class TooManySteps(Exception):
    """The comparison was given up."""


def check_merging(schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> GraphQLError | None:
    """The first conflict in a document that is valid otherwise, or the refusal of one that takes too long."""
    merging = Merging(schema, fragments_of(document), limits.merging)
    try:
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                merging.operation(node)
    except Conflict as conflict:
        return conflict.error
    except TooManySteps:
        return exceeded(limits, "merging", limits.merging + 1)
    return None


@dataclass
class Merging:
    """The comparison of one document's fields. Raises Conflict and TooManySteps."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    steps: int
    seen: set[tuple[Check, frozenset[int]]] = field(default_factory=set)
    arguments: dict[int, Any] = field(default_factory=dict)

    def operation(self, node: OperationDefinitionNode) -> None:
        """Look at all fields of an operation."""
        root = self.schema.get_root_type(node.operation)
        if root is not None:
            fields = self.selected([(node.selection_set, root)])
            for check in (by_shape, by_object):
                self.look(check, fields)

    def look(self, check: Check, fields: Fields) -> None:
        """Look at the fields of one level, and at what is below them."""
        for same in self.by_name(fields):
            for alike in check(self, same):
                self.spend(len(alike))
                below = [(one.node.selection_set, self.type_below(one)) for one in alike if one.node.selection_set]
                key = (check, frozenset(id(node) for node, _ in below))
                if below and key not in self.seen:
                    self.seen.add(key)
                    self.look(check, self.selected(below))

    def selected(self, waiting: list[tuple[SelectionSetNode, GraphQLNamedType]]) -> Fields:
        """The fields of several selection sets of one object, their fragments spread, each once."""
        found: Fields = []
        spread: set[str] = set()
        waiting = list(waiting)
        while waiting:
            node, parent = waiting.pop()
            self.spend(1 + len(node.selections))
            for selection in node.selections:
                if isinstance(selection, FieldNode):
                    definition = self.schema.get_field(parent, selection.name.value)  # type: ignore[arg-type]
                    if definition is not None:
                        found.append(Met(selection, parent, definition))
                    continue
                inner = self.spread(selection, spread)
                if inner is not None:
                    condition = inner.type_condition
                    kind = self.schema.type_map[condition.name.value] if condition else parent
                    waiting.append((inner.selection_set, kind))
        return found

    def spread(self, node: Any, seen: set[str]) -> Any:
        """What a fragment has: itself, or its definition, once in each level; None for one that was had before."""
        if not isinstance(node, FragmentSpreadNode):
            return node
        name = node.name.value
        if name in seen:
            return None
        seen.add(name)
        return self.fragments[name]

    @staticmethod
    def by_name(fields: Fields) -> Iterable[Fields]:
        """The fields by their names in the response."""
        groups: dict[str, Fields] = {}
        for one in fields:
            groups.setdefault(response_name(one.node), []).append(one)
        return groups.values()

    @staticmethod
    def type_below(one: Met) -> GraphQLNamedType:
        """The type that what is selected below a field is of."""
        return get_named_type(one.definition.type)

    def arguments_of(self, node: FieldNode) -> Any:
        """The arguments of a field, such that they are equal where they mean the same."""
        found = self.arguments.get(id(node))
        if found is None:
            said = sorted((one.name.value, plain(one.value)) for one in node.arguments or ())
            found = self.arguments[id(node)] = tuple(said)
        return found

    def spend(self, steps: int) -> None:
        """Count steps."""
        self.steps -= steps
        if self.steps < 0:
            raise TooManySteps


def by_shape(_: Merging, same: Fields) -> Iterable[Fields]:
    """All fields of one name together, whose values must have the same shape."""
    first = same[0]
    shape = shape_of(first.definition.type)
    for other in same[1:]:
        if other.definition is not first.definition and shape_of(other.definition.type) != shape:
            reason = f"they return conflicting types '{first.definition.type}' and '{other.definition.type}'"
            raise Conflict(first, other, reason)
    return [same]


def by_object(merging: Merging, same: Fields) -> Iterable[Fields]:
    """The fields of one name that may be of one object, which must be the same field with the same arguments."""
    if len(same) < SEVERAL:
        return [same]
    abstract = [one for one in same if not is_object_type(one.parent)]
    concrete: dict[str, Fields] = {}
    for one in same:
        if is_object_type(one.parent):
            concrete.setdefault(one.parent.name, []).append(one)
    groups = [own + abstract for own in concrete.values()] if concrete else [abstract]
    for group in groups:
        merging.spend(len(group))
        for other in group[1:]:
            same_field(merging, group[0], other)
    return groups


def same_field(merging: Merging, one: Met, other: Met) -> None:
    """Raises Conflict where they are different fields, or differ in their arguments."""
    if one.node.name.value != other.node.name.value:
        reason = f"'{one.node.name.value}' and '{other.node.name.value}' are different fields"
        raise Conflict(one, other, reason)
    has_arguments = one.node.arguments or other.node.arguments
    if has_arguments and merging.arguments_of(one.node) != merging.arguments_of(other.node):
        raise Conflict(one, other, "they have differing arguments")


def shape_of(kind: Any) -> tuple[str, ...]:
    """The lists and non-nulls around a type, and the type itself where it is a leaf."""
    shape: list[str] = []
    while isinstance(kind, GraphQLList | GraphQLNonNull):
        shape.append("[" if isinstance(kind, GraphQLList) else "!")
        kind = kind.of_type
    return (*shape, "{" if is_composite_type(kind) else kind.name)


def plain(value: ValueNode) -> str:
    """An input value as text, the fields of its objects in order."""
    if isinstance(value, ListValueNode):
        return "[" + " ".join(plain(one) for one in value.values) + "]"
    if isinstance(value, ObjectValueNode):
        members = sorted(f"{one.name.value}:{plain(one.value)}" for one in value.fields)
        return "{" + " ".join(members) + "}"
    return print_ast(value)


def response_name(node: FieldNode) -> str:
    """The name of a field in the response."""
    return node.alias.value if node.alias else node.name.value
