"""Scalars and enums in compiled code: the usual value is recognised on the spot, every other goes the long way.

The long way is graphql-core's own `coerce_output_value`; what it would not answer with a value is Odd.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, Flag
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLScalarType,
    GraphQLString,
)
from graphql.pyutils import Undefined
from graphql.pyutils import is_awaitable as may_be_awaited
from graphql.type.scalars import specified_scalar_types

from engine.execution.classes import Guard, Odd, is_plain

Bind = Callable[[str, object], str]
"""Makes an object known to the code that is being written; returns its name there."""

USUAL = {
    GraphQLString.name: "type({x}) is str",
    GraphQLID.name: "type({x}) is str",
    GraphQLBoolean.name: "{x} is True or {x} is False",
    GraphQLInt.name: "type({x}) is int and -2147483648 <= {x} <= 2147483647",
    GraphQLFloat.name: "type({x}) is float and {x} - {x} == 0.0",
}
"""What the five scalars of the specification answer as it is. Only a finite float less itself is nought."""

SERIALIZERS = {name: scalar.coerce_output_value for name, scalar in specified_scalar_types.items()}


def long_way(named: GraphQLScalarType | GraphQLEnumType, nullable: bool, guard: Guard) -> Callable[[Any], Any]:
    """The whole rule for a leaf (graphql-core's `complete_value`); `guard` learns the classes of what it let pass."""
    coerce = named.coerce_output_value

    def complete(value: Any) -> Any:
        if value is None or value is Undefined:
            if nullable:
                return None
            raise Odd
        if isinstance(value, Exception) or may_be_awaited(value):
            raise Odd
        result = coerce(value)
        if result is None or result is Undefined:
            raise Odd
        if is_plain(type(value)):
            guard.remember(type(value))
        return result

    return complete


def leaf(named: GraphQLScalarType | GraphQLEnumType, nullable: bool, value: str, bind: Bind) -> str:
    """Code that completes the expression `value`, in which `x` and `r` may be assigned to."""
    guard = Guard()
    slow = bind("S", long_way(named, nullable, guard))
    x, first = (value, value) if value.isidentifier() else ("x", f"(x := {value})")
    if isinstance(named, GraphQLScalarType) and named.coerce_output_value is SERIALIZERS.get(named.name):
        test = USUAL[named.name].replace("{x}", first, 1).replace("{x}", x)
        return f"({x} if {test}{f' or {x} is None' if nullable else ''} else {slow}({x}))"
    null, again = (f"None if {first} is None else ", x) if nullable else ("", first)
    if isinstance(named, GraphQLEnumType):
        found = members_of(named)
        if found is None:
            return f"{slow}({value})"
        names = f"{x}._name_" if all(name == shown for name, shown in found[1].items()) else None
        shown = names or f"{bind('M', found[1])}[{x}._name_]"
        return f"({null}{shown} if type({again}) is {bind('E', found[0])} else {slow}({x}))"
    serialize, known, undefined = bind("f", named.coerce_output_value), bind("P", guard.known), bind("U", Undefined)
    usual = f"type({again}) in {known} and (r := {serialize}({x})) is not None and r is not {undefined}"
    return f"({null}r if {usual} else {slow}({x}))"


def members_of(named: GraphQLEnumType) -> tuple[type, dict[str, str]] | None:
    """A Python enum's class, and what is shown for each member's name; None where there is no such enum."""
    cls = getattr(named, "wrapped_cls", None)
    if not (isinstance(cls, type) and issubclass(cls, Enum)) or issubclass(cls, Flag):
        return None
    try:
        return cls, {member._name_: named.coerce_output_value(member) for member in cls}
    except Exception:  # noqa: BLE001 - a member that the schema does not know: the long way says so
        return None
