"""What is known about the insides of Strawberry and graphql-core, and may therefore be compiled.

Functions are recognised by their very code objects. Whatever was wrapped, replaced or changed by another version is not
recognised, and is left to graphql-core: being wrong here costs speed, never an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from types import CodeType, FunctionType
from typing import Any
from uuid import UUID

from graphql import GraphQLField, GraphQLObjectType, GraphQLScalarType
from graphql.type.scalars import specified_scalar_types
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.union import StrawberryUnion

from engine.execution.marks import KEPT, classes_of, is_pure

BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF


class Unfit(Exception):
    """Not to be compiled: `reason` says why, of the field `field` (`Type.name`) where that is known."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field: str | None = None


class TooLarge(Unfit):
    """More fields than one operation may have compiled."""


def nested(code: CodeType, name: str) -> CodeType | None:
    """The code of the function of that name that is defined within, however deep; None where there is none."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found = constant if constant.co_name == name else nested(constant, name)
            if found is not None:
                return found
    return None


def inside(function: Callable[..., Any], name: str) -> CodeType | None:
    """The same, of a function."""
    return nested(function.__code__, name) if isinstance(function, FunctionType) else None


BASIC_FIELD = inside(GraphQLCoreConverter.from_resolver, "_get_basic_result")
RESOLVER = inside(GraphQLCoreConverter.from_resolver, "_resolver")
ASYNC_RESOLVER = inside(GraphQLCoreConverter.from_resolver, "_async_resolver")
IS_TYPE_OF = inside(GraphQLCoreConverter.from_object, "is_type_of")
RESOLVE_INTERFACE = inside(GraphQLCoreConverter.from_interface, "resolve_type")
RESOLVE_UNION = inside(StrawberryUnion.get_type_resolver, "_resolve_union_type")

PURE_SERIALIZERS: tuple[object, ...] = (
    *(scalar.coerce_output_value for scalar in specified_scalar_types.values()),
    *(definition.serialize for definition in DEFAULT_SCALAR_REGISTRY.values()),
    *(str, int, float, bool, Decimal.__str__, UUID.__str__, date.isoformat, datetime.isoformat, time.isoformat),
)
"""Serialisers that are known to do nothing but serialise."""


def is_code(function: object, code: CodeType | None) -> bool:
    """Whether a function runs just that code."""
    return code is not None and isinstance(function, FunctionType) and function.__code__ is code


def closed_over(function: object, name: str) -> Any:
    """The value of a variable that a function closes over. Raises LookupError where it has none of that name."""
    if not isinstance(function, FunctionType) or function.__closure__ is None:
        raise LookupError(name)
    return dict(zip(function.__code__.co_freevars, function.__closure__, strict=True))[name].cell_contents


def strawberry_field(field: GraphQLField) -> StrawberryField | None:
    """The Strawberry field that a field was made of."""
    found = field.extensions.get(BACKREF)
    return found if isinstance(found, StrawberryField) else None


def attribute_of(field: GraphQLField) -> str | None:
    """The attribute that a field reads by `getattr` and by nothing else; None where it does something else."""
    made_of = strawberry_field(field)
    plain = made_of is not None and made_of.default_resolver is getattr and not made_of.extensions
    return made_of.python_name if made_of is not None and plain and is_code(field.resolve, BASIC_FIELD) else None


def has_handlers(field: GraphQLField) -> bool:
    """Whether exceptions of its resolver are turned into values; True where that is not known."""
    try:
        return bool(closed_over(field.resolve, "field_exception_handlers"))
    except (LookupError, ValueError):
        return True


def is_pure_scalar(scalar: GraphQLScalarType) -> bool:
    """Whether its `serialize` may be called as often as one likes."""
    serialize = scalar.coerce_output_value
    return is_pure(serialize) or any(serialize is known for known in PURE_SERIALIZERS)


def definition_of(named: object) -> StrawberryObjectDefinition | None:
    """What Strawberry knows of an object type or interface."""
    found = getattr(named, "extensions", {}).get(BACKREF)
    return found if isinstance(found, StrawberryObjectDefinition) else None


def kept_in(named: GraphQLObjectType) -> str | None:
    """The attribute under which a type's objects keep what was written of them, if they do."""
    definition = definition_of(named)
    found: str | None = None if definition is None else getattr(definition.origin, KEPT, None)
    return found


def is_generic(definition: StrawberryObjectDefinition | None) -> bool:
    """Whether its objects are told apart by their values, not by their classes."""
    return definition is not None and (definition.is_graphql_generic or definition.concrete_of is not None)


def knows_by_class(named: GraphQLObjectType) -> bool:
    """Whether the type's `is_type_of`, if it has one, looks at an object's class (and cast) alone."""
    is_type_of = named.is_type_of
    if is_type_of is None or classes_of(is_type_of) is not None:
        return not is_generic(definition_of(named))
    return is_code(is_type_of, IS_TYPE_OF) and not is_generic(definition_of(named))
