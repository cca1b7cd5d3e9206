"""Input objects made quickly: how each is made is worked out once, and not for every value again.

Strawberry works out the name and the type of each field anew, for each input object of each request. `quicken` gives
its input types what they need, through Strawberry's own hook (`StrawberryObjectDefinition.from_input`). What comes of a
value is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any

import strawberry
from strawberry.relay.types import GlobalID
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import InputContext, convert_argument
from strawberry.types.arguments import _is_leaf_type as is_leaf_type  # what is passed on as graphql-core gives it
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    get_object_definition,
)
from strawberry.types.enum import has_enum_definition
from strawberry.types.unset import UNSET

Convert = Callable[[Any, InputContext], Any]


class Made:
    """Makes the objects of one input type."""

    def __init__(self, definition: StrawberryObjectDefinition) -> None:
        self.definition = definition
        self.config: StrawberryConfig | None = None
        self.nothing: dict[str, None] = {}
        self.fields: list[tuple[str, str, Convert | None]] = []

    def __call__(self, kind: type, value: Mapping[str, Any], context: InputContext) -> Any:
        """The object of a coerced value, whose fields have the names that they have in the schema."""
        if context.config is not self.config:
            self.learn(context)
        given: dict[str, Any] = dict(self.nothing)
        for name, python_name, convert in self.fields:
            if name in value:
                one = value[name]
                given[python_name] = one if convert is None or one is None or one is UNSET else convert(one, context)
        return kind(**given)

    def learn(self, context: InputContext) -> None:
        """Work out how each field is made, once the whole schema is there."""
        definition = self.definition
        self.nothing = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }
        self.fields = [
            (
                context.config.name_converter.from_field(field),
                field.python_name,
                converter(field.resolve_type(type_definition=definition), context),
            )
            for field in definition.fields
        ]
        self.config = context.config


def converter(kind: Any, context: InputContext) -> Convert | None:
    """How a value that is not null is made what its resolver takes; None where it is that already."""
    if isinstance(kind, StrawberryOptional) and not isinstance(kind, StrawberryMaybe):
        return converter(kind.of_type, context)
    if has_enum_definition(kind) or (kind is not GlobalID and is_leaf_type(kind, context.scalar_registry)):
        return None
    if isinstance(kind, StrawberryList):
        return items(converter(kind.of_type, context))
    definition = get_object_definition(kind)
    if definition is not None and definition.from_input is not None:
        made = definition.from_input
        return lambda value, asked: made(kind, value, asked)
    return lambda value, asked: convert_argument(
        value, kind, asked.scalar_registry, asked.config, asked.info, path=asked.path
    )


def items(convert: Convert | None) -> Convert:
    """A list of what is made so. It is a new list, since graphql-core gives the same default to every request."""
    if convert is None:
        return lambda values, _: list(values)
    return lambda values, asked: [one if one is None else convert(one, asked) for one in values]


def quicken(schema: strawberry.Schema) -> None:
    """Let the input types of a schema be made quickly: those that Strawberry makes itself, without `Maybe` fields.

    To be called once, when the schema is whole.
    """
    for kind in schema.schema_converter.type_map.values():
        definition = kind.definition
        if not isinstance(definition, StrawberryObjectDefinition) or not definition.is_input:
            continue
        if definition.from_input is None and not any(
            isinstance(one.type, StrawberryMaybe) for one in definition.fields
        ):
            definition.from_input = Made(definition)
