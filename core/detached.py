"""Whole rows of a table, read by plain statements: as the ORM would give them, without what it costs.

A row that a session loads is known to that session, which watches it for changes. Whoever only shows rows needs none of
that: `row` makes one that belongs to no session, and changing it changes nothing. `known` makes it known to a session,
as if that had loaded it, for whoever has locked it. The statements by which a session writes single rows are made here
too (`core.db.Session.insert` and `save`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import ClauseElement, inspect
from sqlalchemy import Enum as EnumType
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

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

    def known(self, session: AsyncSession, values: Sequence[Any]) -> Model:
        """The row of those `columns`, known to the session; where it was already, it is now as they say."""
        fresh = self.row(values)
        make_transient_to_detached(fresh)
        key = inspect(fresh).key
        before = None if key is None else session.sync_session.identity_map.get(key)
        if before is None:
            session.add(fresh)
            return fresh
        for name in self._names:
            set_committed_value(before, name, fresh.__dict__[name])
        return cast("Model", before)


def contents(row: DeclarativeBase) -> tuple[dict[str, Any], dict[str, str]]:
    """The attributes that a new row was given: their values, and what PostgreSQL is to compute."""
    given, computed = {}, {}
    for name, value in inspect(row).dict.items():
        if isinstance(value, ClauseElement):
            computed[name] = str(value)
        elif name in inspect(type(row)).column_attrs:
            given[name] = value
    return given, computed


def changes_of(row: DeclarativeBase) -> dict[str, Any]:
    """What was changed of a row since it was read, by attribute; nothing of one that a flush has to write."""
    state = inspect(row)
    changed = {name: getattr(row, name) for name in state.committed_state}
    computed = any(isinstance(value, ClauseElement) for value in changed.values())
    return {} if computed or not state.persistent else changed


def column_of(model: type[DeclarativeBase], name: str) -> str:
    """The column of an attribute."""
    return str(inspect(model).column_attrs[name].columns[0].name)


@lru_cache(maxsize=256)
def inserting(
    model: type[DeclarativeBase], given: tuple[str, ...], computed: tuple[tuple[str, str], ...]
) -> tuple[str, list[str]]:
    """The INSERT of a table's row with those attributes, and the attributes that it returns: all others."""
    names = [column_of(model, name) for name in (*given, *dict(computed))]
    values = [*(f"${place}" for place in range(1, len(given) + 1)), *dict(computed).values()]
    returned = [attribute.key for attribute in inspect(model).column_attrs if attribute.key not in given]
    told = ", ".join(column_of(model, name) for name in returned) or "1"
    statement = f"INSERT INTO {model.__tablename__} ({', '.join(names)}) VALUES ({', '.join(values)}) RETURNING {told}"  # noqa: S608
    return statement, returned


@lru_cache(maxsize=256)
def updating(model: type[DeclarativeBase], names: tuple[str, ...]) -> tuple[str, list[str]]:
    """The UPDATE of those attributes of a table's row, and the attributes of its key, whose values come first."""
    mapper = inspect(model)
    keys = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
    columns = [column_of(model, name) for name in names]
    written = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, len(keys) + 1))
    which = " AND ".join(f"{column.name} = ${place}" for place, column in enumerate(mapper.primary_key, 1))
    return f"UPDATE {model.__tablename__} SET {written} WHERE {which}", keys  # noqa: S608 - our own words
