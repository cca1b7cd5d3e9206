"""Random Strawberry schemas made to be nasty, and random objects for them with values that no schema allows.

Everything comes from seeds: the same seeds give the same schema and the same objects, as often as they are wanted.
"""

# No `from __future__ import annotations` here: types are made while the program runs, and annotations must be types.

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Callable
from copy import copy
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from random import Random
from typing import Annotated, Any, Generic, NewType, Optional, TypeVar, Union
from uuid import UUID

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
)
from graphql.pyutils import Undefined
from strawberry.extensions import FieldExtension
from strawberry.schema.config import StrawberryConfig

from engine.execution import batched, by_class, pure

Even = NewType("Even", int)
Stamp = NewType("Stamp", str)


@pure
def even(value: Any) -> Any:
    """A scalar that refuses odd numbers, and answers null for 4, which no scalar may."""
    if value % 2:
        raise ValueError(f"{value} is odd")
    return None if value == 4 else value


def stamp(value: Any) -> Any:
    """A scalar that is not known to be pure."""
    return f"stamp {value}"


SCALARS: dict[object, Any] = {
    Even: strawberry.scalar(name="Even", serialize=even, parse_value=int),
    Stamp: strawberry.scalar(name="Stamp", serialize=stamp, parse_value=str),
}


@strawberry.enum
class Colour(Enum):
    """By value, one of them under another name."""

    RED = "r"
    GREEN = "g"
    BLUE = strawberry.enum_value("b", name="AZURE")


@strawberry.enum
class Mood(StrEnum):
    """Members that are texts."""

    CALM = "calm"
    WILD = "wild"


@strawberry.enum
class Level(IntEnum):
    """Members that are numbers."""

    LOW = 0
    HIGH = 1


T = TypeVar("T")


@strawberry.type
class Box(Generic[T]):
    """Told apart by its value, not by its class."""

    content: T


@strawberry.interface
class Named:
    """An interface."""

    id: strawberry.ID
    name: Optional[str]


class Louder(FieldExtension):
    """An extension that changes what a field says."""

    def resolve(self, next_: Callable[..., Any], source: Any, info: Any, **arguments: Any) -> Any:
        value = next_(source, info, **arguments)
        return f"{value}!" if type(value) is str else value


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
        self.__dict__.update({name: None for name in ("id", "name", *(f"f{index}" for index in range(9)))})
        self._cells = of._cells

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
    return root["_cells"] if isinstance(root, dict) else root._cells


def property_of(name: str) -> property:
    """A property that reads a cell."""
    return property(lambda self: read(self._cells, name))


KINDS = ("attribute",) * 8 + ("pure", "pure", "varied", "varied", "sync", "async", "extended", "batch", "batch")
LEAVES: tuple[Any, ...] = (
    *(int, str, bool, float, strawberry.ID, Decimal, dt.datetime, dt.date, UUID),
    *(Colour, Mood, Level, Even, Stamp, strawberry.scalars.JSON),
)


class Nasty:
    """A schema made from a seed; `batches` says whether it has batch fields, `kinds` how each field is resolved."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.batches = seed % 2 == 1
        self.kinds: dict[tuple[str, str], str] = {}
        self.rows: dict[str, list[Callable[[dict[str, Any]], Any]]] = {}
        self.made: list[Any] = []
        self.unions: list[Any] = []
        for index in range(5):
            self.made.append(self.type(f"T{index}"))
            if index in (1, 3):
                self.unions.append(self.union(f"U{index}"))
        query = self.type("Query", plain=True)
        self.schema = strawberry.Schema(query, types=self.made, config=StrawberryConfig(scalar_map=SCALARS))
        self.core = self.schema._schema

    def union(self, name: str) -> Any:
        """A union of some of the types so far."""
        members: list[Any] = self.random.sample(self.made, 2)
        if self.random.random() < 0.3:
            members += [Box[int], Box[str]]
        return Annotated[Union[tuple(members)], strawberry.union(name)]  # noqa: UP007

    def type(self, name: str, *, plain: bool = False) -> Any:
        """An object type of fields of every kind."""
        named = not plain and self.random.random() < 0.5
        space: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
        fields = [f"f{index}" for index in range(self.random.randrange(5, 9))]
        for field in fields:
            self.field(name, field, space)
        attributes = [one for one in fields if self.kinds[name, one] in ("attribute", "extended")]
        attributes += ["id", "name"] if named else []
        foreign = type(f"{name}Row", (Row,), {one: property_of(one) for one in attributes})
        shown = {"__repr__": lambda self: type(self).__name__}
        fields_of_it = [*attributes, "_cells"]
        frozen = dataclasses.make_dataclass(f"{name}Frozen", fields_of_it, namespace=shown, frozen=True, repr=False)
        rows: list[Any] = [foreign, lambda cells: frozen(**direct(cells, attributes), _cells=cells)]
        own = not plain and self.random.random() < 0.5
        if own:
            space["is_type_of"] = by_class(foreign, frozen)
        made = strawberry.type(type(name, (Named,) if named else (), space))
        if own or named:
            rows = rows if own else []
        if not own:
            rows.append(lambda cells: instance(made, cells, attributes))
        if not (named or own):
            other = self.random.choice([made, *self.made])
            rows += [Magic, lambda cells: strawberry.cast(other, foreign(cells))]
        self.rows[name] = rows
        return made

    def field(self, owner: str, name: str, space: dict[str, Any]) -> None:
        """One field of a type."""
        kind = self.random.choice(KINDS)
        if kind == "batch" and not self.batches:
            kind = "sync"
        self.kinds[owner, name] = kind
        output = self.output()
        if kind in ("attribute", "extended"):
            space["__annotations__"][name] = output
            space[name] = strawberry.field(extensions=[Louder()] if kind == "extended" else [])
        else:
            space[name] = strawberry.field(resolver=resolver(kind, name, self.random), graphql_type=output)

    def output(self) -> Any:
        """A random output type."""
        choice = self.random.random()
        if choice < 0.5 or not self.made:
            output: Any = self.random.choice(LEAVES)
        elif choice < 0.8:
            output = self.random.choice(self.made)
        else:
            output = self.random.choice([*self.unions, Named] if self.unions else [Named])
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 2))):
            output = list[Optional[output] if self.random.random() < 0.4 else output]
        return Optional[output] if self.random.random() < 0.4 else output


def direct(cells: dict[str, Any], attributes: list[str]) -> dict[str, Any]:
    """The attributes of a row that has them as they are: what would raise is an exception that stands there."""
    found = {one: cells.get(one) for one in attributes}
    return {one: value.now() if isinstance(value, Raises) else value for one, value in found.items()}


def instance(made: Any, cells: dict[str, Any], attributes: list[str]) -> Any:
    """An instance of a Strawberry type, whatever its values."""
    found = object.__new__(made)
    found.__dict__.update(direct(cells, attributes), _cells=cells)
    return found


def resolver(kind: str, name: str, random: Random) -> Callable[..., Any]:
    """A resolver of a kind."""
    Parent = strawberry.Parent[Any]  # noqa: N806 - a type

    def plain(root: Parent) -> Any:
        return read(cells_of(root), name)

    def varied(root: Parent, k: int = 2, mood: Optional[Mood] = None, many: Optional[list[int]] = None) -> Any:
        return vary(read(cells_of(root), name), k, mood, many)

    async def later(root: Parent, k: int = 2) -> Any:
        await asyncio.sleep(0)
        return vary(read(cells_of(root), name), k, None, None)

    if kind == "pure":
        return pure(plain)
    if kind == "varied":
        return pure(varied)
    if kind == "sync":
        return random.choice((plain, varied))
    if kind == "async":
        return later

    def many(parents: Any, _info: Any, k: int) -> Any:
        return [outcome(lambda root=root: vary(read(cells_of(root), name), k, None, None)) for root in parents]

    async def many_later(parents: Any, info: Any, k: int) -> Any:
        await asyncio.sleep(0)
        return many(parents, info, k)

    return batched(random.choice((many, many_later)))(later)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or the exception it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - it is the outcome
        return error


def vary(value: Any, k: int, mood: Optional[Mood], many: Optional[list[int]]) -> Any:
    """A value that depends on arguments."""
    if k == 13:
        raise ArithmeticError("13")
    if type(value) is int:
        return value * k + len(many or ())
    if type(value) is str:
        return f"{value}{k}{'' if mood is None else mood.name}"
    return value[: k - 1] if type(value) is list else value


GOOD: dict[str, tuple[Any, ...]] = {
    "Int": (0, 7, -(2**31)),
    "String": ("", 'a"\n\\', "\u2028é"),
    "Boolean": (True, False),
    "Float": (0.5, -0.0, 1e300),
    "ID": ("i1", strawberry.ID("i2")),
    "Decimal": (Decimal("1.50"), Decimal("1E+3")),
    "DateTime": (dt.datetime(2027, 1, 2, 3, 4, 5, 6), dt.datetime(2027, 1, 2, tzinfo=dt.UTC)),
    "Date": (dt.date(2027, 1, 2),),
    "UUID": (UUID(int=7),),
    "Colour": tuple(Colour),
    "Mood": tuple(Mood),
    "Level": tuple(Level),
    "Even": (0, 2, 8),
    "Stamp": ("s",),
    "JSON": ({"a": [1, None]}, [1], "j", 5),
}
BAD_OF: dict[str, tuple[Any, ...]] = {
    "Int": (2**31, -(2**31) - 1, True, "12", 3.0, 3.5),
    "Float": (float("nan"), float("inf"), True, 3, "3.5"),
    "Boolean": (1, 0, 1.0, "x"),
    "String": (5, True, 1.5, Mood.CALM, [], Level.HIGH),
    "ID": (5, 2.5, True, UUID(int=3)),
    "Even": (4, 3, True, "x"),
    "Colour": ("r", "b", "zz", Mood.CALM, []),
    "Mood": ("calm", "zz", Colour.RED),
    "Level": (1, True, 2, 0.0),
}
"""What nearly fits."""

BAD: tuple[Any, ...] = (
    *(None, Undefined, True, 1, 0, "r", "calm", "12", "zz", 2**31, 2**60, 3.0, 3.5, float("nan"), float("inf")),
    *([], {}, (), b"x", object, Colour.RED, Mood.CALM, Level.HIGH, Decimal("7"), dt.date(2027, 1, 2), 4, 3),
    *(ValueError("stands there"), Raises("is raised"), Later(7), Later(ValueError("later")), Later(None)),
)


class Objects:
    """Objects for a schema, made from a seed; `badness` is the share of values that are wrong."""

    def __init__(self, nasty: Nasty, seed: int, badness: float) -> None:
        self.nasty = nasty
        self.random = Random(seed)
        self.badness = badness
        self.pools: dict[str, list[Any]] = {"Box": [Box(content=1), Box(content="b"), Box(content=None)]}
        for made in nasty.made:
            name = made.__strawberry_definition__.name
            self.pools[name] = [self.object(name) for _ in range(2)]
        self.root = self.object("Query")

    def object(self, name: str) -> Any:
        """An object of a type, as one of its rows."""
        named: Any = self.nasty.core.type_map[name]
        cells = {field: self.value(one.type) for field, one in named.fields.items()}
        row = self.random.choice(self.nasty.rows[name])(cells)
        return {"_cells": cells, **cells} if self.random.random() < self.badness / 2 else row

    def value(self, output: Any) -> Any:
        """A value for a type, mostly a right one."""
        if isinstance(output, GraphQLNonNull):
            return self.wrong(output.of_type) if self.random.random() < self.badness else self.right(output.of_type)
        if self.random.random() < 0.2:
            return None
        return self.wrong(output) if self.random.random() < self.badness else self.right(output)

    def right(self, named: Any) -> Any:
        """A value that the type allows."""
        if isinstance(named, GraphQLList):
            return self.items([self.value(named.of_type) for _ in range(self.random.randrange(4))])
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            return self.random.choice(self.pool(named))
        if isinstance(named, GraphQLEnumType) and self.random.random() < 0.1:
            return self.random.choice([one.value for one in named.values.values()])
        return self.random.choice(GOOD[named.name])

    def pool(self, named: Any) -> list[Any]:
        """The objects that a type may be."""
        types = [named] if isinstance(named, GraphQLObjectType) else self.nasty.core.get_possible_types(named)
        found = [one for of in types for one in self.pools.get("Box" if of.name.endswith("Box") else of.name, [])]
        return found or [None]

    def items(self, values: list[Any]) -> Any:
        """A list, as lists come."""
        choice = self.random.random()
        if choice < 0.8:
            return values
        if choice < 0.9:
            return tuple(values)
        return OnlyOnce(values) if choice < 0.95 and not self.nasty.batches else Listed(values)

    def wrong(self, named: Any) -> Any:
        """A value that the type hardly allows."""
        choice = self.random.random()
        if isinstance(named, GraphQLList):
            right = self.right(named)
            return self.random.choice((dict.fromkeys(map(repr, right)), "text", Raises("no list"), None, 7))
        if choice < 0.5 and isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            return self.impostor(self.random.choice(self.pool(named)))
        if choice < 0.7 and named.name in BAD_OF:
            return self.random.choice(BAD_OF[named.name])
        if choice < 0.8:
            return self.random.choice(self.random.choice(list(self.pools.values())))
        return self.random.choice(BAD)

    def impostor(self, one: Any) -> Any:
        """What has the attributes of an object, but is something else."""
        choice = self.random.random()
        if choice < 0.4 or not hasattr(one, "_cells"):
            return self.random.choice(self.random.choice(list(self.pools.values())))
        if choice < 0.7:
            kind = self.random.choice((Awaited, Failed, Answering))
            return kind(one)
        try:
            return strawberry.cast(self.random.choice(self.nasty.made), copy(one))
        except dataclasses.FrozenInstanceError:
            return Undefined


class Listed(list[Any]):
    """A list of a class of its own."""
