"""Thin types: each plain field of a schema type is an attribute of the row that its docstring names."""

from __future__ import annotations

import dataclasses
import importlib
import re
from typing import get_type_hints

import pytest
from strawberry.types.base import StrawberryObjectDefinition

from schema.build import schema

NAMED = re.compile(r"`((?:[a-z_]+\.)*[A-Z]\w*)`")


def types() -> dict[str, StrawberryObjectDefinition]:
    """Every object type that stands for something of ours; roots and problems stand for themselves."""
    found = {
        name: kind.definition
        for name, kind in schema.schema_converter.type_map.items()
        if isinstance(kind.definition, StrawberryObjectDefinition) and not kind.definition.is_input
    }
    itself = {"Query", "Mutation", "Subscription"}
    return {
        name: definition
        for name, definition in found.items()
        if name not in itself and not definition.is_interface and definition.origin.__module__ != "schema.problems"
    }


TYPES = types()


def row_of(definition: StrawberryObjectDefinition) -> type:
    """The class that a type's docstring names: `models.Airport`, or a neighbour in its own module."""
    match = NAMED.match(definition.origin.__doc__ or "")
    assert match is not None, f"{definition.name} does not say what it shows"
    module, _, name = match[1].rpartition(".")
    found: type = getattr(importlib.import_module(module or definition.origin.__module__), name)
    return found


def attributes(row: type) -> set[str]:
    """Columns, properties, and fields of dataclasses."""
    fields = {field.name for field in dataclasses.fields(row)} if dataclasses.is_dataclass(row) else set()
    return fields | set(get_type_hints(row)) | {name for name in dir(row) if not name.startswith("_")}


def test_the_types_are_found() -> None:
    assert len(TYPES) > 25
    assert {"Airport", "Booking", "Flight", "Hold", "Money", "Offer", "Payment", "SeatMap"} <= set(TYPES)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_plain_fields_are_the_rows(name: str) -> None:
    definition = TYPES[name]
    plain = {field.python_name for field in definition.fields if field.base_resolver is None}
    if plain:
        assert plain <= attributes(row_of(definition))
