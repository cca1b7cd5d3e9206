"""What an operation costs, and how many items its lists may come to.

The cost of a field is its weight and, for each item that it returns, the item's weight and the cost of what is selected
of it. Of alternatives in an abstract type the dearest counts. Breadth is the largest product of list lengths on a path.

A formula is made once for each operation, of which every fragment is one part; a request puts its variables in. Parts
that depend on no variable are counted once and for all. Lengths that a field declares for lists below it, its
`sizedFields`, are put in last: a part's numbers are `fixed + length * per_item`, so that each part is counted once for
each request, whoever spreads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    IntValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    is_object_type,
)

from engine.limits.declared import Declarations, Declared

NOTHING_SIZED: frozenset[str] = frozenset()


class Measure(NamedTuple):
    """Cost and breadth."""

    cost: int
    breadth: int


@dataclass(slots=True)
class Sum:
    """Cost and breadth of some selections, as far as the length of the lists that their parent sizes is not known."""

    cost: int = 0
    cost_per_item: int = 0
    breadth: int = 1
    breadth_per_item: int = 0

    def add(self, other: Sum) -> None:
        """Add what stands beside it."""
        self.cost += other.cost
        self.cost_per_item += other.cost_per_item
        self.breadth = max(self.breadth, other.breadth)
        self.breadth_per_item = max(self.breadth_per_item, other.breadth_per_item)


@dataclass(slots=True)
class Sums:
    """The sum of what holds for every object, and the sums of what holds for objects of one type."""

    common: Sum = field(default_factory=Sum)
    by_type: dict[str, Sum] = field(default_factory=dict)

    def add(self, other: Sums, condition: str | None) -> None:
        """Add what stands beside it, under the condition that the object is of that type."""
        if condition is None:
            self.common.add(other.common)
        else:
            self.by_type.setdefault(condition, Sum()).add(other.common)
        for name, inner in other.by_type.items():
            if condition is None or name == condition:
                self.by_type.setdefault(name, Sum()).add(inner)

    def total(self, length: int) -> Measure:
        """Cost and breadth, for the dearest type and the longest path, with the length of the parent's lists."""
        common = self.common
        dearest = max((one.cost + length * one.cost_per_item for one in self.by_type.values()), default=0)
        longest = [common, *self.by_type.values()]
        return Measure(
            common.cost + length * common.cost_per_item + dearest,
            max(max(one.breadth, length * one.breadth_per_item) for one in longest),
        )


@dataclass(frozen=True, slots=True)
class Length:
    """How long a list is: the largest of what its slicing arguments say; `otherwise`, where they say nothing."""

    otherwise: int
    said: int | None = None
    variables: tuple[tuple[str, ...], ...] = ()
    """Names of variables, and of input fields below them."""

    def of(self, variables: Mapping[str, Any]) -> int:
        """The length with these variables; never negative."""
        numbers = [] if self.said is None else [self.said]
        for name, *path in self.variables:
            value = variables.get(name)
            for key in path:
                value = value.get(key) if isinstance(value, Mapping) else None
            if isinstance(value, int):
                numbers.append(value)
        return max(0, *numbers) if numbers else self.otherwise


@dataclass(slots=True)
class Part:
    """What is selected of one type. Parts of fragments stand in many places."""

    fields: list[Selected] = field(default_factory=list)
    inner: list[tuple[str | None, Part]] = field(default_factory=list)
    """Fragments, with the object type that they are for; None where they may be for all."""
    varies: bool = False
    fixed: Sums | None = None
    """Its sums, where they do not vary and were counted."""

    def sums(self, variables: Mapping[str, Any], counted: dict[int, Sums]) -> Sums:
        """The sums with these variables. `counted` has those that vary and were counted for this request."""
        known = self.fixed or counted.get(id(self))
        if known is not None:
            return known
        sums = Sums()
        for selected in self.fields:
            selected.add_to(sums.common, variables, counted)
        for condition, part in self.inner:
            sums.add(part.sums(variables, counted), condition)
        if self.varies:
            counted[id(self)] = sums
        else:
            self.fixed = sums
        return sums


@dataclass(frozen=True, slots=True)
class Selected:
    """A selected field."""

    declared: Declared
    length: Length
    is_sized: bool
    """Whether it is a list whose length the parent declares."""
    below: Part | None

    def add_to(self, sum_: Sum, variables: Mapping[str, Any], counted: dict[int, Sums]) -> None:
        """Add the field's cost and breadth."""
        length = self.length.of(variables)
        below = Measure(0, 1) if self.below is None else self.below.sums(variables, counted).total(length)
        each = self.declared.item_weight + below.cost
        sum_.cost += self.declared.weight
        if self.is_sized:
            sum_.cost_per_item += self.declared.items * each
            sum_.breadth_per_item = max(sum_.breadth_per_item, self.declared.items * below.breadth)
        else:
            items = length * self.declared.items if self.declared.is_list else 1
            sum_.cost += items * each
            sum_.breadth = max(sum_.breadth, items * below.breadth)


@dataclass
class Formula:
    """The cost and the breadth of one operation."""

    part: Part
    fixed: Measure | None = None
    """Both, where no variable changes them and they were counted."""

    def measure(self, variables: Mapping[str, Any]) -> Measure:
        """Cost and breadth with these variables, which are coerced."""
        if self.fixed is not None:
            return self.fixed
        measure = self.part.sums(variables, {}).total(0)
        if not self.part.varies:
            self.fixed = measure
        return measure


@dataclass
class Writing:
    """Makes the formulas of one valid document."""

    declarations: Declarations
    definitions: Mapping[str, FragmentDefinitionNode]
    known: dict[tuple[str, frozenset[str]], Part] = field(default_factory=dict)

    def formula(self, operation: OperationDefinitionNode) -> Formula:
        """The formula of an operation."""
        root: Any = self.declarations.schema.get_root_type(operation.operation)
        return Formula(self.part(operation.selection_set, root, NOTHING_SIZED))

    def part(self, node: SelectionSetNode, parent: GraphQLCompositeType, sized: frozenset[str]) -> Part:
        """The part of a selection set. `sized` are the fields whose length is declared by the field above."""
        part = Part()
        for selection in node.selections:
            self.add(part, selection, parent, sized)
        return part

    def add(self, part: Part, node: SelectionNode, parent: GraphQLCompositeType, sized: frozenset[str]) -> None:
        """Add one selection to the part that it stands in."""
        if isinstance(node, FieldNode):
            selected = self.selected(node, parent, sized)
            part.fields.append(selected)
            below_varies = selected.below is not None and selected.below.varies
            part.varies |= bool(selected.length.variables) or below_varies
            return
        condition, inner = self.fragment(node, parent, sized)
        own = condition is not None and condition is not parent and is_object_type(condition)
        part.inner.append((condition.name if own and condition else None, inner))
        part.varies |= inner.varies

    def fragment(
        self, node: SelectionNode, parent: GraphQLCompositeType, sized: frozenset[str]
    ) -> tuple[GraphQLCompositeType, Part]:
        """The type that a fragment is for, and its part."""
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            definition = self.definitions[name]
            condition = self.type_of(definition, parent)
            part = self.known.get((name, sized))
            if part is None:
                part = self.known[name, sized] = self.part(definition.selection_set, condition, sized)
            return condition, part
        condition = self.type_of(node, parent)
        return condition, self.part(getattr(node, "selection_set"), condition, sized)  # noqa: B009

    def type_of(self, node: Any, parent: GraphQLCompositeType) -> GraphQLCompositeType:
        """The type in a fragment's condition; without one, that of what it stands in."""
        if node.type_condition is None:
            return parent
        return cast("GraphQLCompositeType", self.declarations.schema.type_map[node.type_condition.name.value])

    def selected(self, node: FieldNode, parent: GraphQLCompositeType, sized: frozenset[str]) -> Selected:
        """A field, and what is selected below it."""
        declared = self.declarations.of(parent, node.name.value)
        below = None
        if declared.named is not None and node.selection_set is not None:
            below = self.part(node.selection_set, declared.named, declared.sized_fields)
        is_sized = declared.is_list and node.name.value in sized
        return Selected(declared, length_of(node, declared), is_sized, below)


def length_of(node: FieldNode, declared: Declared) -> Length:
    """How long the list is that a field returns."""
    said: list[int] = []
    variables: list[tuple[str, ...]] = []
    values = {argument.name.value: argument.value for argument in node.arguments or ()}
    for path in declared.slicing:
        value, rest = value_at(values.get(path[0]), path[1:])
        if isinstance(value, IntValueNode):
            said.append(int(value.value))
        elif isinstance(value, VariableNode):
            variables.append((value.name.value, *rest))
    return Length(declared.size, max(said, default=None), tuple(variables))


def value_at(value: ValueNode | None, path: tuple[str, ...]) -> tuple[ValueNode | None, tuple[str, ...]]:
    """What stands in an input value at that path, and the rest of the path where a variable stands on the way."""
    while path and isinstance(value, ObjectValueNode):
        name, *rest = path
        value = next((one.value for one in value.fields if one.name.value == name), None)
        path = tuple(rest)
    if path and not isinstance(value, VariableNode):
        return None, ()
    return value, path
