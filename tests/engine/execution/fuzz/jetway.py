"""Jetway's own types, with objects that are made up: every root field answers at once, whatever it is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_object_type,
)

from core.money import Money
from engine.execution import DocumentPlans, marks, trust
from schema.build import schema as jetway
from tests.engine.execution.fuzz.campaign import Tried, flipped
from tests.engine.execution.fuzz.compare import Case
from tests.engine.execution.fuzz.documents import Document

MOMENT = dt.datetime(2027, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
LEAVES: dict[str, tuple[Any, ...]] = {
    "Int": (0, 7, 2**31),
    "Float": (40.6, float("nan")),
    "String": ("", "JFK", "é\u2028"),
    "Boolean": (True, False),
    "ID": ("Flight:1", 7),
    "BigInt": (0, 2**53 - 1, 2**53, "x"),
    "Decimal": (Decimal("199.00"), "x"),
    "CurrencyCode": ("USD", "XXX"),
    "DateTime": (MOMENT, MOMENT.astimezone(dt.timezone(dt.timedelta(hours=-5))), "x"),
    "Date": (dt.date(2027, 1, 2), MOMENT),
}
"""Values, the first of each right."""

KEYS: dict[str, Any] = {
    "slot_id": 7,
    "id": 8,
    "iata_code": "JFK",
    "cancellation_fee": 5000,
    "change_fee": 3000,
    "currency": "USD",
    "refund": 100,
    "fee": 200,
    "renewed": None,
    "offer": SimpleNamespace(id="token", expires_at=MOMENT, total=Money(19900, "USD"), lines=()),
}
"""What resolvers of Jetway's look for in rows, beside what their types show."""


def made_up_schema() -> GraphQLSchema:
    """Jetway's types under a query whose fields, those of mutations too, show what the root value has."""
    source = jetway._schema
    roots = (source.query_type, source.mutation_type)
    fields = {
        name: GraphQLField(field.type, args=field.args, resolve=shown)
        for root in roots
        if root is not None
        for name, field in root.fields.items()
    }
    made = GraphQLSchema(
        query=GraphQLObjectType("Query", fields),
        types=[one for one in source.type_map.values() if is_object_type(one) and one not in roots],
        extensions=source.extensions,
    )
    made._strawberry_schema = jetway  # type: ignore[attr-defined]
    return made


def shown(root: Any, info: Any, **_arguments: Any) -> Any:
    """The value of a root field."""
    return root[info.field_name]


def classes_of(named: GraphQLObjectType) -> type:
    """The class of a type's rows: the one that its `is_type_of` names, or the Strawberry class itself."""
    classes = marks.classes_of(named.is_type_of)
    if classes is None and named.is_type_of is not None and not trust.is_code(named.is_type_of, trust.IS_TYPE_OF):
        classes = trust.closed_over(named.is_type_of, "rows")
    definition = trust.definition_of(named)
    if classes:
        return classes[0]
    return definition.origin if definition is not None else object


class Nowhere:
    """A context from which nothing can be read, however one asks."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError("There is no database.")


class MadeUp:
    """Objects of Jetway's types from a seed."""

    def __init__(self, schema: GraphQLSchema, seed: int, badness: float) -> None:
        self.schema = schema
        self.random = Random(seed)
        self.badness = badness
        query: Any = schema.query_type
        self.root = {name: self.value(field.type, 0) for name, field in query.fields.items()}

    def value(self, output: Any, depth: int) -> Any:
        """A value of a type; now and then null, or something else."""
        if isinstance(output, GraphQLNonNull):
            output = output.of_type
        elif self.random.random() < 0.15 or depth > 7:
            return None
        if self.random.random() < self.badness:
            return self.random.choice((None, 7, "x", ValueError("made up"), object, []))
        if isinstance(output, GraphQLList):
            return [self.value(output.of_type, depth + 1) for _ in range(self.random.randrange(3))]
        if is_leaf_type(output):
            return self.leaf(output)
        options = self.schema.get_possible_types(output) if is_abstract_type(output) else [output]
        return self.row(self.random.choice(options), depth)

    def leaf(self, named: Any) -> Any:
        """A scalar or a member of an enum."""
        if isinstance(named, GraphQLEnumType):
            members = list(getattr(named, "wrapped_cls", ())) or [one.value for one in named.values.values()]
            return self.random.choice(members)
        values = LEAVES[named.name]
        return self.random.choice(values) if self.random.random() < 2 * self.badness else values[0]

    def row(self, named: GraphQLObjectType, depth: int) -> Any:
        """A row whose class is that of a type's rows, whatever such a class needs to be made."""
        values = {**KEYS, "written": {}}
        for field in named.fields.values():
            name = trust.attribute_of(field)
            if name is not None and (depth < 7 or is_leaf_type(get_named_type(field.type))):
                values[name] = self.value(field.type, depth + 1)
        base = classes_of(named)
        if hasattr(base, "__mapper__"):
            return mapped(base, values)
        made = type(base.__name__, (base,), {**values, "__repr__": lambda _: named.name, "__init__": lambda _: None})
        return made()


def mapped(base: type, values: dict[str, Any]) -> Any:
    """A row of a table, which cannot be subclassed; what it works out itself stays as it is."""
    row = base()
    for name in values.keys() & base.__mapper__.columns.keys():  # type: ignore[attr-defined]
        setattr(row, name, values[name])
    return row


def jetway_cases(schema: GraphQLSchema, seed: int, documents: int) -> Iterator[Tried]:
    """Cases over Jetway's types."""
    for index in range(documents):
        document = Document(schema, seed * 1_000_003 + index)
        parsed = document.parsed()
        if parsed is None:
            continue
        plans = DocumentPlans(compile_at=1)
        for turn, variables in enumerate((document.variables, flipped(document.variables))):
            made = MadeUp(schema, seed + index * 31 + turn, (0.0, 0.02)[(index + turn) % 2])
            roots: Callable[[], Any] = lambda root=made.root: root  # type: ignore[misc]  # noqa: E731 - its own root
            # Some fields are batched: where several of an object fail, the clock decides which is told.
            case = Case(schema, roots, parsed, variables, False, lasting=True, context=Nowhere(), plans=plans)
            yield Tried(f"Jetway's schema, seed {seed}, document {index}, objects {turn}", case)
