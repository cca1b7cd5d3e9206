"""Whole rows of a table, read by plain statements: as the ORM would give them, without what it costs.

A row that a session loads is known to that session, which watches it for changes. Whoever only shows rows needs none of
that: `row` makes one that belongs to no session, and changing it changes nothing. `known` makes it known to a
transaction, which can write what is changed of it then, for whoever has locked it. The statements by which scribes
write single rows are made here too (`core.rows.Scribe.insert` and `save`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import ClauseElement, inspect
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase

from core.gathering import ByKeys
from core.rows import Keeper, Reader

Model = TypeVar("Model", bound=DeclarativeBase)


class Detached(Generic[Model]):
    """The rows of one table. `columns` is what a statement selects, in the order in which `row` takes it, and
    `width` how many they are."""

    def __init__(self, model: type[Model]) -> None:
        attributes = inspect(model).column_attrs
        table = model.__tablename__
        self.columns = ", ".join(f"{table}.{attribute.columns[0].name}" for attribute in attributes)
        self.width = len(attributes)
        key = inspect(model).primary_key[0]
        self._find = f"SELECT {table}.{key.name}, {self.columns} FROM {table} WHERE {key.name} = ANY ($1)"  # noqa: S608
        self._found: ByKeys[object, Sequence[Any]] = ByKeys(self._values)
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

    def known(self, keeper: Keeper, values: Sequence[Any]) -> Model:
        """The row of those `columns`, known to the transaction; where it was already, it is now as they say."""
        return keeper.keep(self.row(values))

    async def find(self, reader: Reader, key: object) -> Model | None:
        """The row of that key, a single column, which belongs to no session; None where there is none.

        It is read together with those that others ask for at the same time, and each gets a row of their own.
        """
        found = await self._found.find(reader, [key])
        return self.row(found[key]) if key in found else None

    async def _values(self, reader: Reader, keys: Sequence[object]) -> dict[object, Sequence[Any]]:
        return {key: values for key, *values in await reader.fetch(self._find, list(keys))}


def contents(row: DeclarativeBase) -> tuple[dict[str, Any], dict[str, str]]:
    """The attributes that a new row was given: their values, and what PostgreSQL is to compute."""
    given, computed = {}, {}
    for name, value in inspect(row).dict.items():
        if is_computed(value):
            computed[name] = str(value)
        elif name in inspect(type(row)).column_attrs:
            given[name] = value
    return given, computed


def changes_of(row: DeclarativeBase) -> dict[str, Any]:
    """What was changed of a row since it was read or written, by attribute."""
    return {name: getattr(row, name) for name in inspect(row).committed_state}


def is_computed(value: object) -> bool:
    """Whether it stands for what PostgreSQL is to compute."""
    return isinstance(value, ClauseElement)


def written(row: DeclarativeBase) -> None:
    """Take a row for what the database has: nothing is changed of it any more."""
    state = inspect(row)
    state._commit_all(state.dict)


def column_of(model: type[DeclarativeBase], name: str) -> str:
    """The column of an attribute."""
    return str(inspect(model).column_attrs[name].columns[0].name)


@lru_cache(maxsize=256)
def keys_of(model: type[DeclarativeBase]) -> tuple[str, ...]:
    """The attributes of a table's key."""
    mapper = inspect(model)
    return tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)


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
def updating(model: type[DeclarativeBase], names: tuple[str, ...]) -> str:
    """The UPDATE of those attributes of a table's row, as a part (`core.journal`); the values of its key come last."""
    changed = ", ".join(f"{column_of(model, name)} = {{}}" for name in names)
    which = " AND ".join(f"{column.name} = {{}}" for column in inspect(model).primary_key)
    return f"UPDATE {model.__tablename__} SET {changed} WHERE {which}"  # noqa: S608 - our own words


def change(row: DeclarativeBase, changed: Mapping[str, Any]) -> tuple[str, list[object]]:
    """The part that writes those attributes of a row, and its values."""
    keys = [getattr(row, key) for key in keys_of(type(row))]
    return updating(type(row), tuple(changed)), [*changed.values(), *keys]
