"""Whole rows of a table, read by plain statements: as the ORM would give them, without what it costs.

A row that a session loads is known to that session, which watches it for changes. Whoever only shows rows needs none of
that. What is read here belongs to no session: changing it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Enum as EnumType
from sqlalchemy import inspect
from sqlalchemy.orm import DeclarativeBase

Model = TypeVar("Model", bound=DeclarativeBase)


class Detached(Generic[Model]):
    """The rows of one table. `columns` is what a statement selects, in the order in which `row` takes it."""

    def __init__(self, model: type[Model]) -> None:
        attributes = inspect(model).column_attrs
        table = model.__tablename__
        self.columns = ", ".join(f"{table}.{attribute.columns[0].name}" for attribute in attributes)
        self._manager = inspect(model).class_manager
        self._names = [attribute.key for attribute in attributes]
        self._words: list[tuple[str, Callable[[str], Enum]]] = [
            (attribute.key, type_.enum_class)
            for attribute in attributes
            if isinstance(type_ := attribute.columns[0].type, EnumType) and type_.enum_class is not None
        ]

    def row(self, values: Sequence[Any]) -> Model:
        """The row of those `columns`, as PostgreSQL's driver gives them; whatever follows them is passed over."""
        attributes = dict(zip(self._names, values, strict=False))
        for name, states in self._words:
            if attributes[name] is not None:
                attributes[name] = states(attributes[name])
        made = cast("Model", self._manager.new_instance())
        made.__dict__.update(attributes)
        return made
