"""Random Strawberry schemas made to be nasty: the same seed gives the same schema, as often as it is wanted."""

# No `from __future__ import annotations` here: types are made while the program runs, and annotations must be types.

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from functools import partial
from random import Random
from types import GenericAlias
from typing import Annotated, Any, Generic, NewType, TypeVar, Union
from uuid import UUID

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema.config import StrawberryConfig

from engine.execution import batched, by_class, pure
from tests.engine.execution.fuzz.rows import Magic, Row, cells_of, direct, property_of, read

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
    name: str | None


class Louder(FieldExtension):
    """An extension that changes what a field says."""

    def resolve(self, next_: Callable[..., Any], source: Any, info: Any, **arguments: Any) -> Any:
        value = next_(source, info, **arguments)
        if type(value) is int:
            return value + 1
        return f"{value}!" if type(value) is str else value


COMPILED = ("attribute",) * 6 + ("pure", "pure", "varied", "varied")
INTERPRETED = ("sync", "async", "extended")
BATCHES = ("batch",) * 4
LEAVES: tuple[Any, ...] = (
    *(int, str, bool, float, strawberry.ID, Decimal, dt.datetime, dt.date, UUID),
    *(int, str, bool, float, strawberry.ID, Colour, Mood, Level, Even, strawberry.scalars.JSON),
    *(int, str, bool, float, strawberry.ID, Colour, Mood, Level, Even, Stamp),
)


class Nasty:
    """A schema made from a seed; `batches` says whether it has batch fields, `kinds` how each field is resolved.

    Every other one has batch fields, and half of them have nothing that graphql-core must run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.batches = seed % 2 == 1
        mixed = seed % 4 > 1
        self.choices = COMPILED + INTERPRETED * mixed + BATCHES * self.batches
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
        if self.random.random() < 0.15:
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
            rows += [Magic, partial(self.cast, other, foreign)]
        self.rows[name] = rows
        return made

    @staticmethod
    def cast(made: Any, row: Any, cells: dict[str, Any]) -> Any:
        """A row that is said to be of a type."""
        return strawberry.cast(made, row(cells))

    def field(self, owner: str, name: str, space: dict[str, Any]) -> None:
        """One field of a type."""
        kind = self.random.choice(self.choices)
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
            item = output | None if self.random.random() < 0.4 else output
            output = GenericAlias(list, (item,))
        return output | None if self.random.random() < 0.4 else output


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

    def varied(root: Parent, k: int = 2, mood: Mood | None = None, many: list[int] | None = None) -> Any:
        return vary(read(cells_of(root), name), k, mood, many)

    async def later(root: Parent, k: int = 2) -> Any:
        await asyncio.sleep(0)
        return vary(read(cells_of(root), name), k, None, None)

    def one(root: Any, k: int) -> Any:
        return vary(read(cells_of(root), name), k, None, None)

    def many(parents: Any, _info: Any, k: int) -> Any:
        return [outcome(partial(one, root, k)) for root in parents]

    async def many_later(parents: Any, info: Any, k: int) -> Any:
        await asyncio.sleep(0)
        return many(parents, info, k)

    kinds: dict[str, Callable[[], Callable[..., Any]]] = {
        "pure": lambda: pure(plain),
        "varied": lambda: pure(varied),
        "sync": lambda: random.choice((plain, varied)),
        "async": lambda: later,
        "batch": lambda: batched(random.choice((many, many_later)))(later),
    }
    return kinds[kind]()


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or the exception it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - it is the outcome
        return error


def vary(value: Any, k: int, mood: Mood | None, many: list[int] | None) -> Any:
    """A value that depends on arguments."""
    if k == 13:
        raise ArithmeticError("13")
    if type(value) is int:
        return value * k + len(many or ())
    if type(value) is str:
        return f"{value}{k}{'' if mood is None else mood.name}"
    return value[: k - 1] if type(value) is list else value
