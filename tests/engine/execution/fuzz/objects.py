"""Random objects for a nasty schema, with values that no schema allows."""

from __future__ import annotations

import dataclasses
import datetime as dt
from copy import copy
from decimal import Decimal
from random import Random
from typing import Any
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

from tests.engine.execution.fuzz.nasty import Box, Colour, Level, Mood, Nasty
from tests.engine.execution.fuzz.rows import Answering, Awaited, Failed, Later, Listed, OnlyOnce, Raises

GOOD: dict[str, tuple[Any, ...]] = {
    "Int": (0, 7, -(2**31)),
    "String": ("", 'a"\n\\', "\u2028é"),
    "Boolean": (True, False),
    "Float": (0.5, -0.0, 1e300),
    "ID": ("i1", strawberry.ID("i2")),
    "Decimal": (Decimal("1.50"), Decimal("1E+3")),
    "DateTime": (dt.datetime.fromisoformat("2027-01-02T03:04:05.000006"), dt.datetime(2027, 1, 2, tzinfo=dt.UTC)),
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
    *([], {}, (), b"x", object, Colour.RED, Mood.CALM, Level.HIGH, Decimal(7), dt.date(2027, 1, 2), 4, 3),
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
        cells = {field: self.cell(name, field, one.type) for field, one in named.fields.items()}
        row = self.random.choice(self.nasty.rows[name])(cells)
        return {"_cells": cells, **cells} if self.random.random() < self.badness / 2 else row

    def cell(self, name: str, field: str, output: Any) -> Any:
        """A value for a field; batches fail a little oftener than the rest."""
        fails = self.nasty.kinds.get((name, field)) == "batch" and self.random.random() < 2 * self.badness
        return Raises("batch") if fails else self.value(output)

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
        if choice > 0.9:
            return None
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
        if choice < 0.2 or not hasattr(one, "_cells"):
            return self.random.choice(self.random.choice(list(self.pools.values())))
        if choice < 0.6:
            kind = self.random.choice((Awaited, Failed, Answering))
            return kind(one)
        try:
            return strawberry.cast(self.random.choice(self.nasty.made), copy(one))
        except dataclasses.FrozenInstanceError:
            return Undefined
