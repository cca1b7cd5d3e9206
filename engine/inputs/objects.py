"""Input objects, built by Strawberry's own hook (`StrawberryObjectDefinition.from_input`) by a plan of each type.

Strawberry resolves the type of every field of every value anew. A plan does that once. It covers lists and input
objects of scalars and enums, null or not; a type with anything else in it (`Maybe`, `GlobalID`, a hook of its own) is
left to Strawberry.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from strawberry.relay import GlobalID
from strawberry.scalars import is_scalar
from strawberry.types.arguments import InputContext
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType
from strawberry.types.unset import UNSET

Convert = Callable[[Any], Any]
Field = tuple[str, str, Convert | None]


class Unfit(Exception):
    """Strawberry must convert it."""


def quicken(schema: strawberry.Schema) -> None:
    """Have the input objects of a schema built by plans, where they can be. Doing so again changes nothing."""
    for known in list(schema.schema_converter.type_map.values()):
        definition = known.definition
        if isinstance(definition, StrawberryObjectDefinition) and definition.is_input:
            plan(schema, definition)


def plan(
    schema: strawberry.Schema,
    definition: StrawberryObjectDefinition,
    around: tuple[StrawberryObjectDefinition, ...] = (),
) -> Build | None:
    """The plan of an input type, which is its hook from then on; None where it has another, or can have none.

    `around` are the types in which it stands: one that holds itself has no plan.
    """
    if definition.from_input is not None or any(definition is one for one in around):
        return definition.from_input if isinstance(definition.from_input, Build) else None
    try:
        build = Build(schema, definition, (*around, definition))
    except Unfit:
        return None
    definition.from_input = build
    return build


class Build:
    """Builds objects of one input type of one schema. Raises Unfit for a type that it cannot build."""

    def __init__(
        self,
        schema: strawberry.Schema,
        definition: StrawberryObjectDefinition,
        around: tuple[StrawberryObjectDefinition, ...],
    ) -> None:
        if definition.is_graphql_generic or definition.concrete_of is not None:
            raise Unfit
        self.config = schema.config
        self.definition = definition
        self.origin: Callable[..., Any] = definition.origin
        self.implied = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }
        self.fields: list[Field] = []
        for field in definition.fields:
            kind = field.resolve_type(type_definition=definition)
            converter = conversion(schema, kind, around)
            self.fields.append((self.config.name_converter.from_field(field), field.python_name, converter))

    def __call__(self, cls: type, value: Mapping[str, Any], context: InputContext) -> Any:
        """The object that a value says: Strawberry's hook."""
        if context.config is not self.config or cls is not self.origin:
            return self.asked(cls, value, context)
        return self.of(value)

    def of(self, value: Mapping[str, Any]) -> Any:
        """The object that a coerced value says."""
        members: dict[str, Any] = {**self.implied}
        for name, python_name, convert in self.fields:
            if name in value:
                found = value[name]
                members[python_name] = found if convert is None or found is None else convert(found)
        return self.origin(**members)

    def asked(self, cls: type, value: Mapping[str, Any], context: InputContext) -> Any:
        """The same for a type that another schema has too: each field is Strawberry's to convert."""
        members: dict[str, Any] = {**self.implied}
        for field in self.definition.fields:
            name = context.config.name_converter.from_field(field)
            if name in value:
                kind = field.resolve_type(type_definition=self.definition)
                members[field.python_name] = context.convert(value[name], kind, name)
        return cls(**members)


def conversion(schema: strawberry.Schema, kind: Any, around: tuple[StrawberryObjectDefinition, ...]) -> Convert | None:
    """Converts coerced values of a type that are not null; None where they are what they should be. Raises Unfit."""
    if isinstance(kind, StrawberryMaybe):
        raise Unfit
    if isinstance(kind, StrawberryOptional):
        return conversion(schema, kind.of_type, around)
    if isinstance(kind, LazyType):
        return conversion(schema, kind.resolve_type(), around)
    if isinstance(kind, StrawberryList):
        return items(conversion(schema, kind.of_type, around))
    if kind is GlobalID:
        raise Unfit
    registry = schema.schema_converter.scalar_registry
    if is_scalar(kind, registry) or isinstance(kind, StrawberryEnumDefinition) or has_enum_definition(kind):
        return None
    if has_object_definition(kind):
        build = plan(schema, kind.__strawberry_definition__, around)
        if build is not None:
            return said(build.of)
    raise Unfit


def said(convert: Convert) -> Convert:
    """What was not said stays so."""

    def converted(value: Any) -> Any:
        return value if value is UNSET else convert(value)

    return converted


def items(convert: Convert | None) -> Convert:
    """A list of its own, with its items converted: a default is shared by all requests that leave it out."""

    def converted(values: Any) -> Any:
        if values is UNSET:
            return values
        return list(values) if convert is None else [None if one is None else convert(one) for one in values]

    return converted
