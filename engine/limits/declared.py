"""What fields cost, declared in the schema by directives in the manner of IBM's cost specification.

    https://ibm.github.io/graphql-specs/cost-spec.html

`@cost(weight:)` on a field is the cost of resolving it, on an object the cost of each one returned. `@listSize` says
how long a list is. In Strawberry: `strawberry.field(..., directives=[cost(5), list_size(50)])`. Where nothing is
declared, a field that returns objects costs 1 and each object 1; scalars and enums cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import (
    GraphQLCompositeType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
)
from graphql.pyutils import Undefined
from strawberry import UNSET
from strawberry.schema_directive import Location

BACKREF = "strawberry-definition"
INTROSPECTION = {"__schema": 100, "__type": 100, "__typename": 0}
"""The weights of introspection: nothing is fetched for it, and its depth and its fields are limited."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.OBJECT],
    name="cost",
    description="What resolving this field costs, or each object of this type. An operation's costs are limited.",
)
class Cost:
    """Declares a weight: a whole number as text, as the specification has it."""

    weight: str = strawberry.directive_field(name="weight")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How long a list is, for the cost of operations.",
)
class ListSize:
    """Declares the length of a list, or, by `sized_fields`, of lists directly below (edges of a connection)."""

    assumed_size: int | None = strawberry.directive_field(name="assumedSize", default=UNSET)
    slicing_arguments: list[str] | None = strawberry.directive_field(name="slicingArguments", default=UNSET)
    sized_fields: list[str] | None = strawberry.directive_field(name="sizedFields", default=UNSET)


def cost(weight: int) -> Cost:
    """`@cost`: what resolving a field costs, or each object of a type."""
    return Cost(weight=str(weight))


def list_size(
    assumed: int | None = None, *, slicing_arguments: Sequence[str] = (), sized_fields: Sequence[str] = ()
) -> ListSize:
    """`@listSize`: the length that is assumed where no slicing argument says it; names as in the schema."""
    return ListSize(
        assumed_size=UNSET if assumed is None else assumed,
        slicing_arguments=list(slicing_arguments) or UNSET,
        sized_fields=list(sized_fields) or UNSET,
    )


@dataclass(frozen=True, slots=True)
class Declared:
    """What is known of one field."""

    weight: int
    """Of resolving the field once."""

    item_weight: int
    """Of each object that it returns; 0 for leaves."""

    is_list: bool
    items: int
    """Of each item of the list: 1, or the length that is assumed of lists, where it is a list of lists."""

    size: int
    """The length of the list, or of those that it sizes, where no slicing argument is given."""

    slicing: tuple[tuple[str, ...], ...]
    """The paths of the slicing arguments: a name, and names of input fields below it."""

    sized_fields: frozenset[str]
    named: GraphQLCompositeType | None
    """The type that selections below are of; None for leaves."""


@dataclass
class Declarations:
    """The declarations of a schema, read once for each field."""

    schema: GraphQLSchema
    list_size: int
    known: dict[tuple[str, str], Declared] = field(default_factory=dict)

    def of(self, parent: GraphQLCompositeType, name: str) -> Declared:
        """What is declared of a field that the type has."""
        key = (parent.name, name)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self._read(parent, name)
        return found

    def _read(self, parent: GraphQLCompositeType, name: str) -> Declared:
        if name in INTROSPECTION:
            return Declared(INTROSPECTION[name], 0, False, 1, 1, (), frozenset(), None)
        definition = getattr(parent, "fields", {})[name]
        named = get_named_type(definition.type)
        composite = named if is_composite_type(named) else None
        size = directive(definition, ListSize)
        lists = lists_around(definition)
        return Declared(
            weight=weight_of(definition, 1 if composite else 0),
            item_weight=weight_of(named, 1) if composite else 0,
            is_list=lists > 0,
            items=self.list_size ** max(0, lists - 1),
            size=self._size(definition, size),
            slicing=tuple(tuple(path.split(".")) for path in (size and size.slicing_arguments) or ()),
            sized_fields=frozenset((size and size.sized_fields) or ()),
            named=composite,
        )

    def _size(self, definition: GraphQLField, size: ListSize | None) -> int:
        """The length where the document has no slicing arguments: by their defaults, as declared, or as assumed."""
        if size is None:
            return self.list_size
        defaults = [default_of(definition, path) for path in size.slicing_arguments or ()]
        given = [default for default in defaults if default is not None]
        if given:
            return max(given)
        return size.assumed_size or self.list_size


def directive(definition: Any, kind: type[Any]) -> Any:
    """The directive of that kind on a field or a type that Strawberry made; None where there is none."""
    made_of = (definition.extensions or {}).get(BACKREF)
    return next((one for one in getattr(made_of, "directives", None) or () if isinstance(one, kind)), None)


def weight_of(definition: Any, otherwise: int) -> int:
    """The weight that is declared of a field or a type."""
    declared = directive(definition, Cost)
    return otherwise if declared is None else int(declared.weight)


def lists_around(definition: GraphQLField) -> int:
    """How many lists stand around the field's type."""
    count, kind = 0, definition.type
    while isinstance(kind, GraphQLList | GraphQLNonNull):
        count += isinstance(kind, GraphQLList)
        kind = kind.of_type
    return count


def default_of(definition: GraphQLField, path: str) -> int | None:
    """The default of a slicing argument, where it is a number."""
    first, *rest = path.split(".")
    argument = definition.args.get(first)
    value = None if argument is None or argument.default_value is Undefined else argument.default_value
    for name in rest:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
