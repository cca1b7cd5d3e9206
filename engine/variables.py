"""Variables of one operation, coerced as graphql-core's `get_variable_values` does where nothing is wrong with them.

Valid values of plain types are recognised on the spot. Whatever else is met is Odd, and then graphql-core coerces all
variables from the start, for its errors and its rules of what may stand for what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.pyutils import Undefined
from graphql.utilities.coerce_input_value import coerce_default_value

Coerce = Callable[[Any], Any]

DEEPEST = 20
"""How many lists and objects may lie in each other in a type: one that holds itself is graphql-core's, which counts."""


class Odd(Exception):
    """A value that graphql-core must see."""


class Unfit(Exception):
    """A type that graphql-core must coerce."""


class Variables:
    """Coerces the variables that an operation declares."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._declared: list[tuple[GraphQLVariableSignature, Coerce]] | None = []
        try:
            for node in operation.variable_definitions or ():
                signature = get_variable_signature(schema, node)
                if isinstance(signature, GraphQLError):
                    raise Unfit
                self._declared.append((signature, coercer(signature.type, DEEPEST)))
        except Unfit:
            self._declared = None

    def values(self, inputs: Mapping[str, Any]) -> VariableValues | None:
        """The values with their sources; None where graphql-core must be asked."""
        if self._declared is None:
            return None
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        try:
            for signature, coerce in self._declared:
                name = signature.name
                value = inputs.get(name, Undefined)
                sources[name] = VariableValueSource(signature, value)
                if value is not Undefined:
                    coerced[name] = coerce(value)
                elif signature.default is not None or isinstance(signature.type, GraphQLNonNull):
                    return None
        except Exception:  # noqa: BLE001 - graphql-core meets it again, and tells it
            return None
        return VariableValues(sources, coerced)


def coercer(named: Any, depth: int) -> Coerce:
    """Coerces values of a type. Raises Unfit. What it returns raises for anything that is not plainly valid."""
    if depth == 0:
        raise Unfit
    required = isinstance(named, GraphQLNonNull)
    coerce, usual = bare(named.of_type if required else named, depth)

    def value(value: Any) -> Any:
        if type(value) is usual:
            return value
        if value is None:
            if required:
                raise Odd
            return None
        coerced = coerce(value)
        if coerced is Undefined:
            raise Odd
        return coerced

    return value


def bare(named: Any, depth: int) -> tuple[Coerce, type | None]:
    """The same for values that are not null; and the class of values that are what they should be, if there is one."""
    match named:
        case GraphQLList():
            return list_of(coercer(named.of_type, depth - 1)), None
        case GraphQLInputObjectType():
            return object_of(named, depth), None
        case GraphQLScalarType():
            return named.coerce_input_value, USUAL.get(named)
        case GraphQLEnumType():
            return named.coerce_input_value, None
    raise Unfit


USUAL: dict[GraphQLScalarType, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


def list_of(coerce: Coerce) -> Coerce:
    """A list; one value in place of a list is Odd."""

    def items(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Odd
        return [coerce(item) for item in value]

    return items


def object_of(named: GraphQLInputObjectType, depth: int) -> Coerce:
    """An input object: no field that it has not, and all that it needs."""
    if named.is_one_of:
        raise Unfit
    known = named.fields
    fields = [
        (name, field.out_name or name, coercer(field.type, depth - 1), absent(field)) for name, field in known.items()
    ]
    finish = named.out_type

    def members(value: Any) -> Any:
        if type(value) is not dict or not known.keys() >= value.keys():
            raise Odd
        coerced: dict[str, Any] = {}
        for name, shown, coerce, otherwise in fields:
            found = value.get(name, Undefined)
            found = otherwise() if found is Undefined else coerce(found)
            if found is not Undefined:
                coerced[shown] = found
        return finish(coerced)

    return members


def absent(field: GraphQLInputField) -> Callable[[], Any]:
    """What stands for a field that was not said: its default, nothing, or Odd for one that must be there."""

    def default() -> Any:
        return coerce_default_value(field)

    if field.default is not None or field.default_value is not Undefined:
        return default
    return missing if isinstance(field.type, GraphQLNonNull) else unsaid


def missing() -> Any:
    """It must be there."""
    raise Odd


def unsaid() -> Any:
    """It need not be there."""
    return Undefined
