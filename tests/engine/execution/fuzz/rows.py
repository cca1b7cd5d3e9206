"""Rows of every kind: with properties that raise, with attributes by magic, and impostors."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, cast


class Later:
    """A value to be awaited, as often as one likes."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        if isinstance(self.value, Exception):
            raise type(self.value)(*self.value.args)
        return self.value

    def __repr__(self) -> str:
        return f"Later({self.value!r})"


@dataclasses.dataclass
class Raises:
    """Where a value should be, an exception is raised."""

    message: str

    def now(self) -> Exception:
        """The exception, new each time."""
        return LookupError(self.message)


class Row:
    """A row that is no Strawberry type: its attributes are properties that may raise."""

    def __init__(self, cells: dict[str, Any]) -> None:
        self._cells = cells

    def __repr__(self) -> str:
        return type(self).__name__


class Impostor:
    """Something with the attributes of another object."""

    def __init__(self, of: Any) -> None:
        self.__dict__.update(direct(of._cells, list(of._cells)), _cells=of._cells)

    def __repr__(self) -> str:
        return type(self).__name__


class Awaited(Impostor):
    """To be awaited."""

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        return 7


class Failed(Impostor, Exception):
    """An exception."""


class Answering(Impostor):
    """An object that has no business where it stands."""


class OnlyOnce:
    """A list that can be gone through only once."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        if not self.values:
            raise StopIteration
        return self.values.pop(0)

    def __repr__(self) -> str:
        return "OnlyOnce"


class Magic:
    """A row whose attributes come by magic."""

    def __init__(self, cells: dict[str, Any]) -> None:
        self.__dict__["_cells"] = cells

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self.__dict__["_cells"]:
            raise AttributeError(name)
        return read(self.__dict__["_cells"], name)

    def __repr__(self) -> str:
        return "Magic"


def read(cells: dict[str, Any], name: str) -> Any:
    """The value of a cell. Raises what the cell says."""
    value = cells[name]
    if isinstance(value, Raises):
        raise value.now()
    return value


def cells_of(root: Any) -> dict[str, Any]:
    """The cells of any row."""
    return cast("dict[str, Any]", root["_cells"] if isinstance(root, dict) else root._cells)


def property_of(name: str) -> property:
    """A property that reads a cell."""
    return property(lambda self: read(self._cells, name))


def direct(cells: dict[str, Any], attributes: list[str]) -> dict[str, Any]:
    """The attributes of a row that has them as they are: what would raise is an exception that stands there."""
    found = {one: cells.get(one) for one in attributes}
    return {one: value.now() if isinstance(value, Raises) else value for one, value in found.items()}


class Listed(list[Any]):
    """A list of a class of its own."""
